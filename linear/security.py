"""What a candidate for `linear` may contain: the house's rules for C, none added."""

from harness.judge.gate import C_RULES

RULES = C_RULES

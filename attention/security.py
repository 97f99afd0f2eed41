"""What a candidate for `attention` may contain: the house's rules for C, none added."""

from harness.judge.gate import C_RULES

RULES = C_RULES

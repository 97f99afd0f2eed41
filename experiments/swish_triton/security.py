"""What a candidate for `swish_triton` may contain: the house's rules for Triton, none added."""

from harness.judge.triton_gate import TRITON_RULES

RULES = TRITON_RULES

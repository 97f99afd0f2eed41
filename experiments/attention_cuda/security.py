"""What a candidate for `attention_cuda` may contain: the house's rules for CUDA C++, none added."""

from harness.judge.cuda_gate import CUDA_RULES

RULES = CUDA_RULES

"""What a candidate for `hello_world` may contain: the house's rules for Python, none added."""

from harness.judge.python_gate import PYTHON_RULES

RULES = PYTHON_RULES

"""What a candidate for `shell_metric` may contain: its one function as the signature has it, and modules that only
calculate. It runs in no sandbox, so this is a hint to honest code and no defence."""

from harness.judge.python_gate import imports, one_target

RULES = (
    one_target,
    imports({"bisect", "collections", "functools", "heapq", "itertools", "math", "operator", "random"}),
)

"""The ready-made sections that read differently where candidates are Python; the others are prompt.py's."""

from harness.ask.prompt import REQUIRED, Section, answer

TASK = Section(
    name="TASK",
    priority=REQUIRED,
    template="""\
Write one {{ language }} function, `{{ experiment.target }}`, that is correct and as fast as you can make it.
It is checked against an exact reference, and timed against the fastest version so far, with PyTorch on \
{{ "a CUDA device" if experiment.device == "cuda" else "one thread of a CPU" }}; what it is given is new at every call.

{{ experiment.task | trim }}""",
)

RULES = Section(
    name="RULES",
    priority=95,
    template="""\
## Rules

- The signature is fixed: `{{ experiment.signature }}`. Helpers are plain functions beside it.
- Imports of `torch`, `torch.nn.functional` and `math` only, at the top. Outside of functions there are \
only names for numbers, texts and tuples of them.
- No state: nothing is kept from call to call, no attribute is set, no `global` or `nonlocal`, no default value that \
could change.
- No classes, decorators, `try`, `with`, `yield`, no names that begin with an underscore; no compilation, threads, \
files or clocks. Operations of tensors and the usual built-in functions.
- The inputs cannot be written to. The result is a new plain tensor, contiguous, of the shape and type asked for.
- The source has at most {{ experiment.limits.source_bytes }} bytes.""",
)

ANSWER = answer(
    "imports, helpers and the function, complete. Here for another function, `scale`",
    """\
from torch import Tensor


def scale(x: Tensor, factor: int) -> Tensor:
    return x * factor""",
    "    return x * factor",
    "    return x.mul(factor)",
)

"""What a model is told about `swish_triton`, and in what order."""

from harness.ask.prompt import CHAMPION, INSTRUCTIONS, MACHINE, MEMORY, PARENT, SCORES, SPECIALISTS, Context, Section
from harness.ask.python_prompt import ANSWER, TASK

RULES = Section(
    name="RULES",
    priority=95,
    template="""\
## Rules

- The signature is fixed: `{{ experiment.signature }}`. Kernels are functions beside it under `@triton.jit`, no other \
decorator, and are launched as `kernel[grid](...)`.
- Imports, at the top: `import triton`, `import triton.language as tl`, `torch`, `torch.nn.functional` and `math`. \
Outside of functions there are only names for numbers, texts and tuples of them.
- Of Triton: `triton.cdiv`, `triton.next_power_of_2`, and of `tl` what computes, loads and stores; no assembly, \
foreign functions, atomics or printing.
- No state: nothing is kept from call to call, no attribute is set, no `global` or `nonlocal`.
- No classes, `try`, `with` or `yield`, no autotuning, threads, files or clocks.
- The result is a new plain tensor on the input's device, contiguous, of its shape and type.
- The source has at most {{ experiment.limits.source_bytes }} bytes.""",
)


def sections(context: Context) -> list[Section]:
    return [TASK, RULES, MACHINE, SCORES, CHAMPION, SPECIALISTS, MEMORY, PARENT, INSTRUCTIONS, ANSWER]

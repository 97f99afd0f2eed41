"""What a model is told about `linear`, and in what order."""

from harness.ask.prompt import (
    ANSWER,
    CHAMPION,
    FAILURE,
    INSTRUCTIONS,
    MACHINE,
    MEMORY,
    PARENT,
    REMARKS,
    RULES,
    SCORES,
    SPECIALISTS,
    TASK,
    Context,
    Section,
)

ADVICE = Section(
    name="ADVICE",
    priority=75,
    template="""\
## What makes such a kernel fast

- Both operands are contiguous along `in_features`: vectorise the sum over it, and reduce each vector once, at the end.
- Without -ffast-math the compiler does not reorder a float sum. Write the independent partial sums yourself: a fused \
multiply-add takes about four cycles, so one running sum uses an eighth of the unit.
- Many rows: a register tile (for instance 4 rows of x against 4 of weight) uses each load several times; one \
multiply-add for each load is the wall of a plain dot product. Leave registers for the loads.
- One row: every weight is read once, so bandwidth decides. Walk several rows of weight at a time, x in registers.
- The tails matter: `in_features` of 129 is not a multiple of anything. Masked loads, or a short scalar loop.
- The check of `bias` belongs outside of the inner loops; a NULL bias is timed as well.
- Sizes may be 0 or 1, and loads may be unaligned by a `float`.""",
)


def sections(context: Context) -> list[Section]:
    known = [SCORES, CHAMPION, SPECIALISTS, MEMORY, FAILURE]
    return [TASK, RULES, MACHINE, ADVICE, *known, PARENT, REMARKS, INSTRUCTIONS, ANSWER]

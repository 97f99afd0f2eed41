"""What a model is told about `attention`, and in what order."""

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

- Nearly all arithmetic is two matrix products, q · kᵀ and weights · v. Give both a register tile (for instance 6 \
queries against 2 to 4 vectors), so that each load is used several times and enough sums are in flight.
- q · kᵀ along `head_dim` needs a horizontal sum for every score. Transposing the keys of a head once, into panels on \
the stack, makes vectors of keys instead, and heads that share keys share the work.
- The values need no packing: their rows are vectors as they are; broadcast one weight at a time.
- `expf` is a call for every score. A polynomial of degree 5 on [-ln 2 / 2, ln 2 / 2], or on [-1/2, 1/2] for powers of \
two with the factor folded into the scale, is exact enough and vectorises. It must give 0 for -inf and keep NaN.
- Causal: keys beyond the last query of a tile are never touched; only the last few before it need care, row by row.
- Hidden keys have no part: their weight times NaN would be NaN. Listing the visible keys once a sequence leaves no \
mask in any loop.
- Whole rows of scores fit the cache: two passes over them are cheap. An online softmax is right as well; its first \
greatest score must not be -inf.
- `tokens` and `head_dim` may be anything up to their limits: masked tails, or short loops.""",
)


def sections(context: Context) -> list[Section]:
    known = [SCORES, CHAMPION, SPECIALISTS, MEMORY, FAILURE]
    return [TASK, RULES, MACHINE, ADVICE, *known, PARENT, REMARKS, INSTRUCTIONS, ANSWER]

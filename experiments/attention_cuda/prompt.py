"""What a model is told about `attention_cuda`, and in what order."""

from harness.ask.cuda_prompt import ANSWER, REMARKS, RULES, TASK
from harness.ask.prompt import (
    CHAMPION,
    FAILURE,
    INSTRUCTIONS,
    MACHINE,
    MEMORY,
    PARENT,
    SCORES,
    SPECIALISTS,
    Context,
    Section,
)

ADVICE = Section(
    name="ADVICE",
    priority=75,
    template="""\
## What makes such a kernel fast

- The scores need not exist: one kernel with an online softmax (a running greatest score and sum, old sums shrunk when \
the greatest grows) reads q, k and v once a tile and writes only the output.
- A block takes a tile of queries of one head; tiles of keys and values pass through shared memory, so that each is \
read once for all its queries. A register tile (for instance 4 queries against 4 keys in a thread) uses each load \
several times.
- Causal: a tile of keys beyond the last query is never touched; only the tile on the diagonal needs a mask. Blocks \
with the most keys first keep the end from waiting for one of them.
- `float4` where `head_dim` is a multiple of four; rows in shared memory padded against bank conflicts; the next tile \
fetched while this one is used.
- `exp2f` with the factor folded into the scale of q. Single precision throughout: products of tensor cores in TF32 or \
half precision exceed the bound, unless they are split and summed again.
- Where blocks are few (one sequence), smaller tiles, or keys split among the warps of a block, fill the device.
- `tokens` and `head_dim` may be anything up to their limits: guard the edges, or choose a kernel by the shape.""",
)


def sections(context: Context) -> list[Section]:
    known = [SCORES, CHAMPION, SPECIALISTS, MEMORY, FAILURE]
    return [TASK, RULES, MACHINE, ADVICE, *known, PARENT, REMARKS, INSTRUCTIONS, ANSWER]

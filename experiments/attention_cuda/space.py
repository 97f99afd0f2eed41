"""The search space of the built-in proposer: named choices, and the CUDA C++ source that each point prints.

A block takes `rows` groups of `lanes` threads; a group has `queries` queries, and its threads share their dimensions.
Keys pass one by one, from memory or from a tile in shared memory. The text is in space.cu.jinja. Knows what can be
written, not what is fast.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

CHOICES: dict[str, tuple[str | int, ...]] = {
    "softmax": ("online", "two_pass"),
    "memory": ("shared", "direct"),
    "exp": ("expf", "fast", "exp2f"),
    "first": ("shortest", "longest"),  # which rows get their blocks first: the last ones see the most keys
    "vector": (1, 4),
    "unroll": (1, 2, 4),
    "keys": (8, 16, 32),
    "queries": (1, 2, 4),
    "lanes": (4, 8, 16, 32),
    "rows": (4, 8, 16, 32, 64),
}

_WIDEST = 128  # head_dim, as EXPERIMENT.md limits it
_MOST_IN_REGISTERS = 64  # of queries and keys in one thread; sums and values are as many again

_TEMPLATE = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    (Path(__file__).parent / "space.cu.jinja").read_text(encoding="utf-8")
)


def _whole(choices: Mapping[str, str | int], name: str) -> int:
    return int(choices[name])


def valid(choices: Mapping[str, str | int]) -> bool:
    """Whether no choice in the point is without effect, and a block is neither too small nor too large."""
    lanes, queries = _whole(choices, "lanes"), _whole(choices, "queries")
    threads = lanes * _whole(choices, "rows")
    fits = _WIDEST // lanes * (queries + 1) <= _MOST_IN_REGISTERS
    is_read = choices["memory"] == "shared" or choices["keys"] == CHOICES["keys"][0]
    return 64 <= threads <= 512 and fits and is_read


def render(choices: Mapping[str, str | int]) -> str:
    """The complete source of a valid point."""
    lanes, vector = _whole(choices, "lanes"), _whole(choices, "vector")
    sizes = {"threads": lanes * _whole(choices, "rows"), "pieces": _WIDEST // (lanes * vector), "widest": _WIDEST}
    return _TEMPLATE.render(choices, **sizes).lstrip()

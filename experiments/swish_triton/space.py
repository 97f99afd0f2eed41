"""The search space of the built-in proposer: named choices, and the Triton source that each point prints.

Knows what can be written, not what is fast.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

CHOICES: dict[str, tuple[str | int, ...]] = {
    "block": (256, 512, 1024, 2048, 4096, 8192),
    "warps": (1, 2, 4, 8, 16),
    "blocks_a_program": (1, 2, 4, 8),
    "formula": ("divide", "sigmoid", "exp2"),
    "grid": ("flat", "rows"),
    "keep": ("as_usual", "not_at_all"),  # in the caches, of what is read and written once
}

_TEMPLATE = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    (Path(__file__).parent / "space.py.jinja").read_text(encoding="utf-8")
)


def valid(choices: Mapping[str, str | int]) -> bool:
    """Whether a warp has something to do, and a thread not more than its registers hold."""
    threads = 32 * int(choices["warps"])
    return threads <= int(choices["block"]) <= 64 * threads


def render(choices: Mapping[str, str | int]) -> str:
    """The complete source of a valid point."""
    return _TEMPLATE.render(choices).lstrip()

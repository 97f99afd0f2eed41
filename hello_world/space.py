"""The search space of the built-in proposer: named choices, and the Python source that each point prints.

Knows what can be written, not what is fast.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, StrictUndefined

CHOICES: dict[str, tuple[str | int, ...]] = {
    "first": ("product", "sum_of_weight"),  # the sum of products, or the product with a sum: the same in exact numbers
    "sum": ("sum", "mean", "einsum", "ones"),
    "product": ("matmul", "linear", "einsum", "mv"),
    "scale": ("twice", "once", "in_place", "on_the_vector"),
}

_TEMPLATE = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
    (Path(__file__).parent / "space.py.jinja").read_text(encoding="utf-8")
)


def valid(choices: Mapping[str, str | int]) -> bool:
    """Whether no choice in the point is without effect or without sense."""
    is_short = choices["first"] == "sum_of_weight"
    return is_short or (choices["product"] != "mv" and choices["scale"] != "on_the_vector")


def render(choices: Mapping[str, str | int]) -> str:
    """The complete source of a valid point."""
    return _TEMPLATE.render(choices).lstrip()

"""The search space of the built-in proposer: named choices, and the Python source that each point prints."""

from collections.abc import Mapping
from string import Template

CHOICES: dict[str, tuple[str | int, ...]] = {
    "order": ("given", "falling", "rising"),
    "bin": ("last", "first", "fullest", "emptiest"),
}

_ORDERS = {
    "given": "range(len(sizes))",
    "falling": "sorted(range(len(sizes)), key=lambda place: -sizes[place])",
    "rising": "sorted(range(len(sizes)), key=lambda place: sizes[place])",
}
_BINS = {
    "last": "fitting[-1]",
    "first": "fitting[0]",
    "fullest": "min(fitting, key=lambda one: rooms[one])",
    "emptiest": "max(fitting, key=lambda one: rooms[one])",
}
_SOURCE = Template("""\
def pack(sizes: list[int], capacity: int) -> list[list[int]]:
    bins: list[list[int]] = []
    rooms: list[int] = []
    for place in $order:
        size = sizes[place]
        fitting = [one for one, room in enumerate(rooms) if size <= room]
        if fitting:
            chosen = $bin
        else:
            chosen = len(bins)
            bins.append([])
            rooms.append(capacity)
        bins[chosen].append(place)
        rooms[chosen] -= size
    return bins
""")


def render(choices: Mapping[str, str | int]) -> str:
    """The complete source of a point."""
    return _SOURCE.substitute(order=_ORDERS[str(choices["order"])], bin=_BINS[str(choices["bin"])])

"""How prompts that are in flight at once differ: by parent, and by a direction that memory calls unexplored.

Chooses among what it is given; asks nothing and remembers nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

from harness.keep.memory import Unexplored
from harness.keep.scores import Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Angle:
    """What one prompt starts from, and where it is told to look; nowhere in particular where `direction` is empty."""

    parent: str
    direction: str = ""


def choose(parents: Sequence[str], directions: Sequence[str], taken: Sequence[Angle]) -> Angle:
    """The first angle that no other request has: each parent as it is, then each direction, parents in turns."""
    return next(angle for angle in _angles(parents, directions) if angle not in taken)


def parents_of(scores: Scores, best: str) -> Sequence[str]:
    """The best, then the specialists: each beats it somewhere."""
    return tuple(dict.fromkeys((best, *map(str, scores.specialist_attempts.values()))))


def directions_of(unexplored: Unexplored) -> Sequence[str]:
    """What memory knows to be unexplored, as a request each."""
    together = (
        f"combine {pair.one} with {pair.other}: each has proved good, and they were never tried together."
        for pair in unexplored.never_together
    )
    untried = (f"try {name}, which has not been tried." for name in unexplored.untried)
    failed = (f"make {name} work: it has only failed so far." for name in unexplored.only_failed)
    apart = (
        f"make {pair.one} work with {pair.other}: each works alone, and together they have only failed so far."
        for pair in unexplored.failed_together
    )
    return (*together, *untried, *failed, *apart)


def _angles(parents: Sequence[str], directions: Sequence[str]) -> Iterator[Angle]:
    yield from (Angle(parent=parent) for parent in parents)
    unnamed = (f"of all that could be changed, take the idea that you would try as number {n}." for n in count(2))
    for place, direction in enumerate(chain(directions, unnamed)):
        yield Angle(parent=parents[place % len(parents)], direction=direction)

"""How prompts differ, of those in flight at once and from one to the next: by parent, and by a direction that memory
calls unexplored. And what is said where a search stands still.

Chooses among what it is given; asks nothing and remembers nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count

from harness.keep.memory import Memory, Unexplored
from harness.keep.pairs import kind_of, said
from harness.keep.scores import Scores
from harness.records import Status
from harness.show.words import quote

AUTO = "auto"
PLATEAU = 12
_DIRECTIONS_TOLD = 6
_REPEATED = 2


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


def mixed_parents(scores: Scores, best: str, number: int) -> Sequence[str]:
    """`--parent auto`: every other attempt starts from the best, those between from the specialists in turns and, after
    a plateau, from an earlier winner. The parent of this number comes first."""
    parents = [*parents_of(scores, best)]
    earlier = [] if since_winner(scores) < PLATEAU else _earlier(scores, {*parents})
    if earlier:
        parents.append(earlier[number // 2 // len(parents) % len(earlier)])
    if number % 2 and len(parents) > 1:
        first = 1 + number // 2 % (len(parents) - 1)
        parents.insert(0, parents.pop(first))
    return parents


def _earlier(scores: Scores, taken: set[str]) -> Sequence[str]:
    """Winners of this machine that hold no title, the newest first."""
    usable = (one for one in reversed(scores.winners) if one.is_of(scores.machine) and not one.fails_on(scores.machine))
    return [str(one.attempt) for one in usable if str(one.attempt) not in taken]


def since_winner(scores: Scores) -> int:
    """How many attempts have changed nothing; those that could not be timed might have."""
    last = max((winner.attempt for winner in scores.winners), default=0)
    untimed = scores.counts.get(Status.UNMEASURED, 0)
    if untimed:
        untimed = sum(step.status is Status.UNMEASURED and step.number > last for step in scores.steps())
    return scores.last_attempt - last - untimed


def standstill(scores: Scores, memory: Memory) -> str:
    """What a prompt says where the search has come to a plateau or repeats itself; nothing where it does neither."""
    told = []
    idle = since_winner(scores)
    if idle >= PLATEAU:
        directions = directions_of(memory.unexplored())
        start = idle % len(directions) if directions else 0
        listed = [*directions[start:], *directions[:start]][:_DIRECTIONS_TOLD]
        choose_one = "choose an unexplored direction from the list, and leave the usual one:" if listed else ""
        lines = "".join(f"\n- {direction}" for direction in listed)
        told.append(f"The last {idle} attempts changed nothing; {choose_one or 'change more than they did.'}{lines}")
    repeated = sum(one.status is Status.DUPLICATE for one in memory.recent)
    if repeated >= _REPEATED:
        told.append(f"{repeated} of the last {len(memory.recent)} answers were code that had been tried before.")
    return "\n\n".join(told)


def directions_of(unexplored: Unexplored) -> Sequence[str]:
    """What memory knows to be unexplored, as a request each."""
    together = (
        f"combine {quote(said(pair.one))} with {quote(said(pair.other))}: each has proved good, never both in one."
        for pair in unexplored.never_together
    )
    kinds: dict[str, list[str]] = {}
    for name in unexplored.untried:
        kinds.setdefault(kind_of(name), []).extend(name.split("=")[1:])
    untried = (
        f"try {kind}{' ' if values else ''}{' or '.join(values)}, which no attempt has tried."
        for kind, values in kinds.items()
    )
    failed = (f"make {quote(said(name))} work: it has only failed so far." for name in unexplored.only_failed)
    apart = (
        f"make {quote(said(pair.one))} work with {quote(said(pair.other))}: together they have only failed."
        for pair in unexplored.failed_together
    )
    return (*together, *untried, *failed, *apart)


def _angles(parents: Sequence[str], directions: Sequence[str]) -> Iterator[Angle]:
    yield from (Angle(parent=parent) for parent in parents)
    unnamed = (f"of all that could be changed, take the idea that you would try as number {n}." for n in count(2))
    for place, direction in enumerate(chain(directions, unnamed)):
        yield Angle(parent=parents[place % len(parents)], direction=direction)

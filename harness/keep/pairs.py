"""Which values were tried together, and which of these could be measured: exactly, in little room, at a constant cost.

A value is a bit; beside each stands the set of those that it met, as one whole number. Which could be together at all,
a space is asked. It ranks nothing.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TypeAlias

_NAMES = 128
_DRAWS = 1000  # five milliseconds, for a pair that no point can have


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two values of different kinds that were never measured together; `failed` if they were tried."""

    one: str
    other: str
    failed: bool


Possible: TypeAlias = Callable[[Pair], bool]


class Pairs:
    """The first 128 values that it hears of; more would be too many to tell of anyway."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._kinds: dict[str, int] = {}  # kind -> its values
        self._tried: list[int] = []
        self._measured: list[int] = []

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def add(self, names: Iterable[str], *, measured: bool) -> None:
        """One attempt that had all these values."""
        places = [place for place in map(self._place, names) if place is not None]
        met = sum({1 << place for place in places})
        for place in places:
            self._tried[place] |= met
            if measured:
                self._measured[place] |= met

    def unmeasured(self, names: Sequence[str]) -> Iterator[Pair]:
        """Pairs of these values, those that stand first in the list before others."""
        known = [name for name in names if name in self._places]
        open_to = sum(1 << self._places[name] for name in known)
        for turn, one in enumerate(known):
            place = self._places[one]
            open_to &= ~(1 << place)
            left = open_to & ~self._measured[place] & ~self._kinds[kind_of(one)]
            if left:
                others = (other for other in known[turn + 1 :] if left >> self._places[other] & 1)
                for other in others:
                    failed = bool(self._tried[place] >> self._places[other] & 1)
                    yield Pair(one=one, other=other, failed=failed)

    def to_json(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Measured together, and tried: beside the i-th value a hexadecimal number of those before it that it met."""
        return self._rows(self._measured), self._rows(self._tried)

    @classmethod
    def from_json(cls, measured: Mapping[str, str], tried: Mapping[str, str]) -> "Pairs":
        """ValueError says what is wrong."""
        pairs = cls()
        for name in measured:
            pairs._place(name)
        for name, place in pairs._places.items():
            for rows, row in ((pairs._measured, measured[name]), (pairs._tried, tried.get(name, measured[name]))):
                bits = int(row, 16) & ((1 << place) - 1)
                rows[place] |= bits | 1 << place
                for early in range(place):
                    rows[early] |= (bits >> early & 1) << place
        return pairs

    def _rows(self, met: Sequence[int]) -> Mapping[str, str]:
        return {name: f"{met[place] & ((1 << place) - 1):x}" for name, place in self._places.items()}

    def _place(self, name: str) -> int | None:
        if name not in self._places:
            if len(self._places) >= _NAMES:
                return None
            place = self._places[name] = len(self._places)
            self._kinds[kind_of(name)] = self._kinds.get(kind_of(name), 0) | 1 << place
            self._tried.append(0)
            self._measured.append(0)
        return self._places[name]


def possible_in(space: ModuleType | None) -> Possible:
    """Whether a pair of choices can stand in one point, by a space's own `valid`: whether one that has both is found
    among random points, the same each time. A pair that hardly any point can have is not worth telling of either."""
    valid = getattr(space, "valid", None)
    if space is None or valid is None:
        return lambda pair: True
    offered = {kind: {f"{kind}={value}": value for value in values} for kind, values in space.CHOICES.items()}

    @cache
    def is_possible(pair: Pair) -> bool:
        names = (pair.one, pair.other)
        both = {kind: values[name] for name in names for kind, values in offered.items() if name in values}
        rng = random.Random(f"{pair.one} {pair.other}")
        points = ({kind: rng.choice(list(values.values())) for kind, values in offered.items()} for _ in range(_DRAWS))
        return any(valid(point | both) for point in points)

    return is_possible


def kind_of(name: str) -> str:
    """The kind of a value that is named `kind=value`; a name alone is a kind of its own."""
    return name.partition("=")[0]


def said(name: str) -> str:
    """A value as it is told: a phrase needs no kind beside it."""
    value = name.partition("=")[2]
    return value if " " in value else name

"""Attempts -> MEMORY.json: what has worked, what keeps failing, what looks unexplored, what is exhausted.

Folds attempts in the order of their numbers. Its size does not grow with the search: each list has a cap, and what is
least telling goes first. It words nothing for people; show/remembered.py does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from harness.keep.files import lines, read_json, unreadable
from harness.keep.pairs import Pair, Pairs, Possible, kind_of
from harness.keep.tallies import Tally, drop_least, open_tallies
from harness.keep.winners import worth
from harness.points import is_crossing
from harness.records import Attempt, Choices, Estimate, Status, from_json, to_json

EXHAUSTED_AFTER = 8
RULE_AFTER = 3
_WORKED = 10
_FAILING = 12
_RECENT = 8
_TALLIES = 96
_COMBINATIONS = 32
_PAIRS_SHOWN, _FAILED_PAIRS_SHOWN, _PAIRS_SEEN = 6, 3, 64
_NEWEST_FAILURES = 3
_LINE_CHARS = 200

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|‘[^’]*’")
_PATH = re.compile(r"(?:[\w.+-]*/)+[\w.+-]+|\b[\w+-]+\.(?:c|h|cu|cuh|py|s|o|so)\b")
_NUMBER = re.compile(r"[-+]?(?:0x[0-9a-f]+|\d+(?:\.\d*)?(?:e[-+]?\d+)?|\b(?:nan|inf)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Win:
    """A winner, its gain over the seed, what its source was found to say and what it was chosen to be."""

    attempt: int
    status: Status
    speedup: Estimate | None
    tags: tuple[str, ...]
    choices: Choices = field(default_factory=dict)
    commit: str | None = None
    gain: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Failure:
    """One way of failing, however its numbers and names differ; `line` is how it read last."""

    status: Status
    count: int
    last_attempt: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recent:
    """One of the last attempts."""

    number: int
    status: Status
    reason: str
    tags: tuple[str, ...]
    choices: Choices = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unexplored:
    """What was not measured yet: known values, and kinds that no source showed; values that only ever failed; pairs of
    values that won apart (before the first winner: were measured), and of these the pairs that only ever failed."""

    untried: tuple[str, ...]
    only_failed: tuple[str, ...]
    never_together: tuple[Pair, ...]
    failed_together: tuple[Pair, ...] = ()


@dataclass(slots=True, kw_only=True)
class Memory:
    """Everything MEMORY.json says. `known` is what could be tried, kind by kind, with no values of a kind that only
    sources show; `possible` says whether two values can stand in one point. Both belong to the experiment. `points`
    counts the attempts at points of its space.

    A value is named `kind=value` where its kind is known, and as it stands where it is not.
    """

    search: str
    known: Mapping[str, Sequence[str]] = field(default_factory=dict)
    possible: Possible = field(default=lambda pair: True)
    last_attempt: int = 0
    points: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    worked: tuple[Win, ...] = ()
    failing: dict[str, Failure] = field(default_factory=dict)
    recent: tuple[Recent, ...] = ()
    tallies: dict[str, Tally] = field(default_factory=dict)
    combinations: dict[str, Tally] = field(default_factory=dict)
    pairs: Pairs = field(default_factory=Pairs)

    def fold(self, attempt: Attempt) -> None:
        """Take in the next attempt; one that was folded before changes nothing, so a journal may be folded again."""
        if attempt.number <= self.last_attempt:
            return
        self.last_attempt = attempt.number
        self.counts[attempt.status] = self.counts.get(attempt.status, 0) + 1
        verdict = attempt.verdict
        line = _one_line(verdict.reason)
        tags, choices = attempt.candidate.tags if attempt.candidate else (), attempt.choices or {}
        recent = Recent(number=attempt.number, status=attempt.status, reason=line, tags=tags, choices=choices)
        self.recent = (*self.recent, recent)[-_RECENT:]
        if attempt.status.is_failure:
            self._fold_failure(attempt, line)
        if attempt.status.is_winner:
            win = Win(
                attempt=attempt.number,
                status=attempt.status,
                speedup=verdict.speedup,
                tags=tags,
                choices=choices,
                gain=worth(verdict),
            )
            self.worked = tuple(sorted((*self.worked, win), key=_rank, reverse=True)[:_WORKED])
        # What was never timed says nothing of what its values are worth: they are as untried as before.
        if attempt.candidate is not None and attempt.status not in (Status.DUPLICATE, Status.UNMEASURED):
            self._fold_tried(attempt, tags)

    def committed(self, number: int, commit: str) -> None:
        self.worked = tuple(replace(win, commit=commit) if win.attempt == number else win for win in self.worked)

    def failing_most(self) -> tuple[Failure, ...]:
        return tuple(sorted(self.failing.values(), key=lambda failure: (-failure.count, -failure.last_attempt)))

    def rules(self) -> tuple[Failure, ...]:
        """What failed so often that it is forbidden from now on, most often first."""
        return tuple(failure for failure in self.failing_most() if failure.count >= RULE_AFTER)

    def unexplored(self) -> Unexplored:
        """Where points of a space were tried, in the words of the space alone: only there is it known what a source
        has, and what it could have."""
        seen = {kind_of(name) for name in self.tallies}
        named = {kind: [f"{kind}={value}" for value in values] for kind, values in self.known.items()}
        # Where sources come from a model, the values that a space knows are no news but for kinds that both speak of.
        spoken = [names for names in named.values() if not seen or not self.tallies.keys().isdisjoint(names)]
        kinds = (kind for kind, names in named.items() if not names and kind not in seen and not self.points)
        sayable = {name for names in named.values() for name in names} if self.points else self.tallies.keys()
        found = self.pairs.unmeasured([name for name in self._most_successful() if name in sayable])
        apart = tuple(islice((pair for pair in found if pair.failed or self.possible(pair)), _PAIRS_SEEN))
        return Unexplored(
            untried=(*(name for names in spoken for name in names if name not in self.tallies), *kinds),
            only_failed=tuple(name for name, tally in self.tallies.items() if not tally.measured),
            never_together=tuple(pair for pair in apart if not pair.failed)[:_PAIRS_SHOWN],
            failed_together=tuple(pair for pair in apart if pair.failed)[:_FAILED_PAIRS_SHOWN],
        )

    def exhausted(self) -> tuple[tuple[str, Tally], ...]:
        """Values and combinations that were measured, tried often and never won, most often first."""
        found = [
            (name, tally)
            for name, tally in (*self.tallies.items(), *self.combinations.items())
            if tally.tried >= EXHAUSTED_AFTER and tally.measured and not tally.won
        ]
        return tuple(sorted(found, key=lambda pair: -pair[1].tried))

    def to_json(self) -> dict[str, Any]:
        return {key: json.loads(text) for key, text in self._texts().items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> "Memory":
        """ValueError says what is wrong."""
        opened = {key: open_tallies(value) if key in _TALLIED else value for key, value in data.items()}
        for name in ("known", "pairs", "possible"):
            opened.pop(name, None)
        rows = (from_json(_Rows, {"rows": data.get(name, {})}).rows for name in _PAIRED)
        return replace(from_json(cls, opened), known=known, pairs=Pairs.from_json(*rows))

    def text(self) -> str:
        """MEMORY.json: what `to_json` says."""
        return lines(self._texts())

    @classmethod
    def read(cls, path: Path, known: Mapping[str, Sequence[str]]) -> "Memory | None":
        """The snapshot in a file, None where there is none."""
        data = read_json(path)
        try:
            return None if data is None else cls.from_json(data, known)
        except ValueError as fault:
            raise unreadable(path, str(fault)) from None

    def _texts(self) -> dict[str, str]:
        failing = ",\n".join(f"{json.dumps(key)}: {_record_text(item)}" for key, item in self.failing.items())
        return {
            "schema": "1",
            "search": json.dumps(self.search),
            "last_attempt": json.dumps(self.last_attempt),
            "points": json.dumps(self.points),
            "counts": json.dumps(self.counts),
            "worked": "[" + ",\n".join(map(_record_text, self.worked)) + "]",
            "failing": "{" + failing + "}",
            "recent": "[" + ",\n".join(map(_record_text, self.recent)) + "]",
            "tallies": json.dumps({name: tally.counts() for name, tally in self.tallies.items()}),
            "combinations": json.dumps({name: tally.counts() for name, tally in self.combinations.items()}),
            **dict(zip(_PAIRED, map(json.dumps, self.pairs.to_json()), strict=True)),
        }

    def _fold_failure(self, attempt: Attempt, line: str) -> None:
        signature = f"{attempt.status}: {_signature(line)}"
        before = self.failing.get(signature)
        self.failing[signature] = Failure(
            status=attempt.status,
            count=before.count + 1 if before else 1,
            last_attempt=attempt.number,
            line=line,
        )
        if len(self.failing) > _FAILING:
            newest = sorted(item.last_attempt for item in self.failing.values())[-_NEWEST_FAILURES]
            old = [(item.count, item.last_attempt, key) for key, item in self.failing.items()]
            del self.failing[min(item for item in old if item[1] < newest)[2]]

    def _fold_tried(self, attempt: Attempt, tags: tuple[str, ...]) -> None:
        """A crossing has no part in it: what its halves chose was never together in one of them."""
        if attempt.choices and is_crossing(attempt.choices):
            return
        names, spared = _names(attempt, self.known), {f"{k}={v}" for k, values in self.known.items() for v in values}
        for name in names:
            self.tallies[name] = self.tallies.get(name, Tally()).add(attempt)
        drop_least(self.tallies, _TALLIES, {*names, *spared})
        self.points += bool(attempt.choices)
        if len(tags) > 1 and not attempt.choices:
            key = " + ".join(sorted(tags))
            self.combinations[key] = self.combinations.get(key, Tally()).add(attempt)
            drop_least(self.combinations, _COMBINATIONS, {key})
        self.pairs.add(names, measured=not attempt.status.is_failure)

    def _most_successful(self) -> list[str]:
        """Values that have won, the most often first; while none has, those that were measured."""
        won = [(-tally.won, name) for name, tally in self.tallies.items() if tally.won]
        measured = [(-tally.measured, name) for name, tally in self.tallies.items() if tally.measured]
        return [name for _, name in sorted(won or measured)]


_rank = attrgetter("gain", "attempt")
_TALLIED = ("tallies", "combinations")
_PAIRED = ("together", "tried_together")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    rows: Mapping[str, str]


def _names(attempt: Attempt, known: Mapping[str, Sequence[str]]) -> list[str]:
    """What an attempt is made of: the point that it was drawn from, else what its source says."""
    if attempt.choices or attempt.candidate is None:
        return [f"{kind}={value}" for kind, value in (attempt.choices or {}).items()]
    tags, kinds = attempt.candidate.tags, attempt.candidate.kinds
    if len(kinds) == len(tags):
        return [f"{kind}={tag}" for kind, tag in zip(kinds, tags, strict=True)]
    named = {str(value): f"{kind}={value}" for kind, values in known.items() for value in values}
    return [named.get(tag, tag) for tag in tags]


def _one_line(text: str) -> str:
    line = " ".join(text[: 4 * _LINE_CHARS].split())
    return line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…"


def _signature(line: str) -> str:
    """A reason without what differs from one occurrence to the next."""
    return _NUMBER.sub("N", _PATH.sub("PATH", _QUOTED.sub("NAME", line)))


@lru_cache(maxsize=4 * (_WORKED + _FAILING + _RECENT))
def _record_text(record: Win | Failure | Recent) -> str:
    """These never change, so each is written out once for all the times it is saved."""
    return json.dumps(to_json(record))

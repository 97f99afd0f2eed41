"""Attempts -> SCORES.json: the standings of a search, its baseline, its winners and what it has cost.

Folds attempts in the order of their numbers, a constant amount of work each; decides nothing and draws nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.keep.files import lines, read_json, unreadable
from harness.records import SEED, Attempt, CaseResult, Estimate, Status, Usage, from_json, to_json

MAX_WINNERS = 40
_MODELS = 20
_OTHER_MODELS = "others"

# One letter an attempt in `trail`; a winner's is a capital.
_LETTERS = {
    Status.UNREADABLE: "u",
    Status.DUPLICATE: "d",
    Status.FORBIDDEN: "f",
    Status.BUILD_FAILED: "b",
    Status.CRASHED: "c",
    Status.TIMED_OUT: "o",
    Status.WRONG: "w",
    Status.SLOWER: "s",
    Status.TIE: "t",
    Status.ACCEPTED: "A",
    Status.SPECIALIST: "S",
    Status.BEST: "B",
}
_STATUSES = {letter: status for status, letter in _LETTERS.items()}
_MISSING = "?"
_STEP = re.compile(r"([A-Za-z?])([0-9.]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One attempt as the trail tells it; `status` is None for a number that no attempt was recorded under."""

    number: int
    status: Status | None
    speedup: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRow:
    """The baseline as the newest measurement found it."""

    attempt: int
    at: str
    median_s: float | None
    cases: Mapping[str, float]
    machine: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Winner:
    """An accepted candidate. Compared by identity: what is made of a row is then remembered with the row."""

    attempt: int
    at: str
    model: str
    status: Status
    speedup: Estimate | None
    median_s: float | None
    seed_s: float | None
    tags: tuple[str, ...]
    cases: Mapping[str, CaseResult]
    machine: str
    specialist_of: tuple[str, ...] = ()
    commit: str | None = None


@dataclass(slots=True, kw_only=True)
class Scores:
    """Everything SCORES.json says. `winners` is in the order of attempts: the newest, and all that hold a title.

    `start` is what the search began from, `seed` or a commit; `suffix` is that of the files under winners/.
    """

    search: str
    experiment: str
    start: str = SEED
    suffix: str = ".c"
    last_attempt: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    usage_by_model: dict[str, Usage] = field(default_factory=dict)
    seed: SeedRow | None = None
    champion_attempt: int | None = None
    specialist_attempts: dict[str, int] = field(default_factory=dict)
    winners: tuple[Winner, ...] = ()
    winners_left_out: int = 0
    trail: str = ""

    def fold(self, attempt: Attempt) -> None:
        """Take in the next attempt; one that was folded before changes nothing, so a journal may be folded again."""
        if attempt.number <= self.last_attempt:
            return
        self.trail += _MISSING * (attempt.number - self.last_attempt - 1) + _token(attempt)
        self.last_attempt = attempt.number
        self.counts[attempt.status] = self.counts.get(attempt.status, 0) + 1
        self._add_usage(attempt.model, attempt.usage)
        if attempt.verdict.seed_s is not None or attempt.verdict.cases:
            self.seed = _seed_row(attempt)
        if attempt.status.is_winner:
            self._add_winner(_winner(attempt))

    def committed(self, number: int, commit: str) -> None:
        self.winners = tuple(
            replace(winner, commit=commit) if winner.attempt == number else winner for winner in self.winners
        )

    @property
    def machine(self) -> str:
        """The machine of the newest measurement, against which winners are ranked."""
        return self.seed.machine if self.seed else ""

    @property
    def champion(self) -> Winner | None:
        return self._winner_of(self.champion_attempt)

    @property
    def specialists(self) -> Mapping[str, Winner]:
        """The best winner of each case: the one that won there, else the champion."""
        best = {} if self.champion is None else dict.fromkeys(self.champion.cases, self.champion)
        for case, number in self.specialist_attempts.items():
            winner = self._winner_of(number)
            if winner is not None:
                best[case] = winner
        return best

    def steps(self) -> Iterator[Step]:
        """The whole search, attempt by attempt, as far as the trail remembers it."""
        for number, (letter, speedup) in enumerate(_STEP.findall(self.trail), start=1):
            yield Step(number=number, status=_STATUSES.get(letter), speedup=float(speedup) if speedup else None)

    def to_json(self) -> dict[str, Any]:
        return {"schema": 1, **{item.name: to_json(getattr(self, item.name)) for item in fields(self)}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Scores":
        """ValueError says what is wrong."""
        return from_json(cls, data)

    def text(self) -> str:
        """SCORES.json: what `to_json` says, a winner a line, each written out once for all the times it is saved."""
        names = [item.name for item in fields(self) if item.name not in ("winners", "trail")]
        parts = {name: json.dumps(to_json(getattr(self, name))) for name in names}
        rows = ",\n".join(_winner_text(winner) for winner in self.winners)
        # The trail is as long as the search, and none of its characters is one that JSON escapes.
        return lines({"schema": "1", **parts, "winners": f"[{rows}]", "trail": f'"{self.trail}"'})

    @classmethod
    def read(cls, path: Path) -> "Scores | None":
        """The snapshot in a file, None where there is none."""
        data = read_json(path)
        try:
            return None if data is None else cls.from_json(data)
        except ValueError as fault:
            raise unreadable(path, str(fault)) from None

    def _add_usage(self, model: str, usage: Usage) -> None:
        self.usage += usage
        known = model in self.usage_by_model or len(self.usage_by_model) < _MODELS
        name = model if known else _OTHER_MODELS
        self.usage_by_model[name] = self.usage_by_model.get(name, Usage()) + usage

    def _add_winner(self, winner: Winner) -> None:
        self.winners += (winner,)
        if winner.status is Status.BEST:
            self.champion_attempt = winner.attempt
            self.specialist_attempts = {
                case: number
                for case, number in self.specialist_attempts.items()
                if not _is_ahead(winner, self._winner_of(number), case)
            }
        self.specialist_attempts |= dict.fromkeys(winner.specialist_of, winner.attempt)
        if len(self.winners) > MAX_WINNERS:
            self._leave_one_out()

    def _leave_one_out(self) -> None:
        """The oldest winner that holds no title makes room; its commit and its file under winners/ remain."""
        titles = {self.champion_attempt, *self.specialist_attempts.values()}
        oldest = next((winner for winner in self.winners if winner.attempt not in titles), None)
        if oldest is not None:
            self.winners = tuple(winner for winner in self.winners if winner is not oldest)
            self.winners_left_out += 1

    def _winner_of(self, number: int | None) -> Winner | None:
        return next((winner for winner in reversed(self.winners) if winner.attempt == number), None)


def _is_ahead(champion: Winner, specialist: Winner | None, case: str) -> bool:
    """Whether a new champion takes a case over from its specialist: by what each has gained there over the seed."""
    if specialist is None or case not in specialist.cases:
        return True
    return case in champion.cases and champion.cases[case].speedup.ratio >= specialist.cases[case].speedup.ratio


def _token(attempt: Attempt) -> str:
    speedup = attempt.verdict.speedup
    return _LETTERS[attempt.status] + (f"{speedup.ratio:.3f}" if speedup else "")


def _winner(attempt: Attempt) -> Winner:
    verdict = attempt.verdict
    return Winner(
        attempt=attempt.number,
        at=attempt.at,
        model=attempt.model,
        status=verdict.status,
        speedup=verdict.speedup,
        median_s=verdict.median_s,
        seed_s=verdict.seed_s,
        tags=traits(attempt),
        cases=verdict.cases,
        machine=verdict.machine,
        specialist_of=verdict.specialist_of,
    )


def traits(attempt: Attempt) -> tuple[str, ...]:
    """What sets an attempt apart: what its source was found to say, else the choices it was made from."""
    if attempt.candidate and attempt.candidate.tags:
        return attempt.candidate.tags
    return tuple(f"{kind}={value}" for kind, value in (attempt.choices or {}).items())


def _seed_row(attempt: Attempt) -> SeedRow:
    return SeedRow(
        attempt=attempt.number,
        at=attempt.at,
        median_s=attempt.verdict.seed_s,
        cases={name: result.seed_s for name, result in attempt.verdict.cases.items()},
        machine=attempt.verdict.machine,
    )


@lru_cache(maxsize=2 * MAX_WINNERS)
def _winner_text(winner: Winner) -> str:
    return json.dumps(to_json(winner), separators=(",", ":"))

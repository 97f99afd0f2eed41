"""Attempts -> SCORES.json: the standings of a search, its baseline, its winners and what it has cost.

Folds attempts in the order of their numbers, a constant amount of work each, and winners that were measured again in
the order of theirs. Titles are held by rows of one machine, that of the newest measurement (docs/adr/0010). Draws
nothing.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from harness.contract import Experiment
from harness.keep.files import lines, read_json, unreadable
from harness.keep.winners import (
    SeedRow,
    Winner,
    award,
    combination,
    is_ahead,
    is_same_machine,
    measured_again,
    rebased,
    seed_row,
    takes_from,
    winner_of,
    worth,
)
from harness.records import SEED, Attempt, Status, Usage, Verdict, from_json, to_json

MAX_WINNERS = 40
START = 0  # in place of an attempt's number: what the search started from
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
    Status.UNMEASURED: "n",
    Status.SLOWER: "s",
    Status.TIE: "t",
    Status.ACCEPTED: "A",
    Status.SPECIALIST: "S",
    Status.BEST: "B",
}
_STATUSES = {letter: status for status, letter in _LETTERS.items()}
_MISSING = "?"
# Behind an attempt, `=` and the champion's speed-up as it was measured again before the next one.
_STEP = re.compile(r"([A-Za-z?])([0-9.]*)(?:=([0-9.]+))?")
_LEVEL = re.compile(r"=[0-9.]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One attempt as the trail tells it; `status` is None for a number that no attempt was recorded under."""

    number: int
    status: Status | None
    speedup: float | None
    champion_again: float | None = None


@dataclass(slots=True, kw_only=True)
class Scores:
    """Everything SCORES.json says. `winners` is in the order of attempts: the newest, and all that hold a title.

    `start` is what the search began from, `seed` or a commit; `suffix` is that of the files under winners/,
    `unit` that of what was measured, a time or a metric of the experiment's own. `machine`
    is that of the newest measurement, `verified` the last of the repeated ones; `unmeasured` are the attempts that held
    a title on the machine before and were not measured on this one yet. `combinations` are those of winners left out.
    """

    search: str
    experiment: str
    start: str = SEED
    suffix: str = ".c"
    unit: str = "s"
    last_attempt: int = 0
    machine: str = ""
    verified: int = 0
    unmeasured: tuple[int, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    usage_by_model: dict[str, Usage] = field(default_factory=dict)
    seed: SeedRow | None = None
    champion_attempt: int | None = None
    specialist_attempts: dict[str, int] = field(default_factory=dict)
    winners: tuple[Winner, ...] = ()
    winners_left_out: int = 0
    combinations: tuple[str, ...] = ()
    trail: str = ""

    @classmethod
    def fresh(cls, experiment: Experiment, search: str = "", start: str = SEED) -> Self:
        return cls(
            search=search, experiment=experiment.name, start=start, suffix=experiment.suffix, unit=experiment.unit
        )

    def fold(self, attempt: Attempt) -> None:
        """Take in the next attempt; one that was folded before changes nothing, so a journal may be folded again."""
        if attempt.number <= self.last_attempt:
            return
        self.trail += _MISSING * (attempt.number - self.last_attempt - 1) + _token(attempt)
        self.last_attempt = attempt.number
        self.counts[attempt.status] = self.counts.get(attempt.status, 0) + 1
        self._add_usage(attempt.model, attempt.usage)
        if attempt.verdict.seed_s is not None or attempt.verdict.cases:
            self._move_to(attempt.verdict.machine)
            # A loser's seed was timed in one block, and where it lay there it may be far from its usual.
            if attempt.status.is_winner or self.seed is None or not is_same_machine(self.seed.machine, self.machine):
                self.seed = seed_row(attempt.number, attempt.at, attempt.verdict)
        if attempt.status.is_winner:
            self._add_winner(winner_of(attempt))

    def fold_verified(self, number: int, attempt: int, at: str, verdict: Verdict) -> None:
        """Take in what a winner was measured to be now; a number that was folded before changes nothing."""
        if number <= self.verified:
            return
        self.verified = number
        self._move_to(verdict.machine)
        self.unmeasured = tuple(other for other in self.unmeasured if other != attempt)
        if verdict.cases:
            self.seed = seed_row(self.last_attempt, at, verdict)
        if attempt == START and not verdict.status.is_winner:
            self.start = SEED
        before = self.winner(attempt)
        self.winners = tuple(measured_again(one, verdict) if one.attempt == attempt else one for one in self.winners)
        now = self.winner(attempt)
        if before and now and verdict.cases and attempt == self.champion_attempt:
            self.winners = tuple(rebased(one, before, now) for one in self.winners)
        self._give_titles(attempt, verdict)
        if self.trail:
            champion = self.champion
            level = worth(champion) if champion else 1.0
            self.trail = _LEVEL.sub("", self.trail) + f"={level:.3f}"

    def committed(self, number: int, commit: str) -> None:
        self.winners = tuple(
            replace(winner, commit=commit) if winner.attempt == number else winner for winner in self.winners
        )

    @property
    def champion(self) -> Winner | None:
        return self.winner(self.champion_attempt)

    @property
    def title_holders(self) -> tuple[int, ...]:
        """The champion's attempt, or what the search started from where that is an older winner; the specialists'."""
        first = START if self.champion_attempt is None and self.start != SEED else self.champion_attempt
        return tuple(dict.fromkeys(one for one in (first, *self.specialist_attempts.values()) if one is not None))

    def due(self, machine: str) -> tuple[int, ...]:
        """What has to be measured on a machine before anything else is measured against it there."""
        if not self.machine or is_same_machine(self.machine, machine):
            return self.unmeasured
        # Whoever was the best there once comes first, so that the others are measured beside it.
        once, _ = award(self.winners, machine)
        return tuple(dict.fromkeys((*(() if once is None else (once,)), *self.title_holders, *self.unmeasured)))

    def has_seen(self, tags: Sequence[str]) -> bool:
        """Whether a winner has had just these traits."""
        one = combination(tags)
        return one in self.combinations or any(one == combination(winner.tags) for winner in self.winners)

    def held_by(self, winner: Winner) -> tuple[str, ...]:
        """The cases that a winner is the specialist of."""
        return tuple(case for case, number in self.specialist_attempts.items() if number == winner.attempt)

    def winner(self, attempt: int | None) -> Winner | None:
        return next((winner for winner in reversed(self.winners) if winner.attempt == attempt), None)

    @property
    def specialists(self) -> Mapping[str, Winner]:
        """The best winner of each case: the one that won there, else the champion."""
        best = {} if self.champion is None else dict.fromkeys(self.champion.cases, self.champion)
        holders = {case: self.winner(number) for case, number in self.specialist_attempts.items()}
        return best | {case: winner for case, winner in holders.items() if winner is not None}

    @property
    def ahead_of_champion(self) -> Mapping[str, Winner]:
        """Who is best where the champion is not."""
        return {case: winner for case, winner in self.specialists.items() if winner is not self.champion}

    def steps(self) -> Iterator[Step]:
        """The whole search, attempt by attempt, as far as the trail remembers it."""
        for number, (letter, speedup, again) in enumerate(_STEP.findall(self.trail), start=1):
            yield Step(
                number=number,
                status=_STATUSES.get(letter),
                speedup=float(speedup) if speedup else None,
                champion_again=float(again) if again else None,
            )

    @property
    def has_times(self) -> bool:
        """Whether any attempt got as far as being timed; before, there is nothing to draw."""
        return re.search("[0-9]", self.trail) is not None  # asked after every attempt, so not by steps()

    def to_json(self) -> dict[str, Any]:
        return {"schema": 1, **{item.name: to_json(getattr(self, item.name)) for item in fields(self)}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Scores":
        """ValueError says what is wrong."""
        scores = from_json(cls, data)
        if not scores.machine and scores.seed:
            scores.machine = scores.seed.machine  # a file from before the machine was named by itself
        return scores

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
            self._crown(winner)
        self.specialist_attempts |= dict.fromkeys(winner.specialist_of, winner.attempt)
        if len(self.winners) > MAX_WINNERS:
            self._leave_one_out()

    def _give_titles(self, attempt: int, verdict: Verdict) -> None:
        """After a winner was measured again: what it held may be lost, what it proved beside the champion is won."""
        champion, winner = self.champion, self.winner(attempt)
        if champion is None or champion.fails_on(self.machine) or not champion.is_of(self.machine):
            self._award_titles()
        elif winner is not None and winner is not champion:
            kept = {case: number for case, number in self.specialist_attempts.items() if number != attempt}
            self.specialist_attempts = kept
            if verdict.status is Status.BEST:
                self._crown(winner)
            won = (case for case in verdict.specialist_of if takes_from(winner, self.winner(kept.get(case)), case))
            self.specialist_attempts |= dict.fromkeys(won, attempt)

    def _crown(self, winner: Winner) -> None:
        """A new champion takes over the cases on which it is ahead."""
        self.champion_attempt = winner.attempt
        self.specialist_attempts = {
            case: number
            for case, number in self.specialist_attempts.items()
            if not is_ahead(winner, self.winner(number), case)
        }

    def _leave_one_out(self) -> None:
        """The oldest winner that holds no title makes room; its commit and its file under winners/ remain."""
        titles = {*self.title_holders, *self.unmeasured}
        oldest = next((winner for winner in self.winners if winner.attempt not in titles), None)
        if oldest is not None:
            self.winners = tuple(winner for winner in self.winners if winner is not oldest)
            self.winners_left_out += 1
            self.combinations = tuple(dict.fromkeys((*self.combinations, combination(oldest.tags))))

    def _move_to(self, machine: str) -> None:
        """Titles of another machine are void here; who held them is remembered until measured here, too."""
        before, self.machine = self.machine, machine
        if before and not is_same_machine(before, machine):
            self.unmeasured = tuple(dict.fromkeys((*self.title_holders, *self.unmeasured)))
            self._award_titles()

    def _award_titles(self) -> None:
        self.champion_attempt, self.specialist_attempts = award(self.winners, self.machine)


def _token(attempt: Attempt) -> str:
    return _LETTERS[attempt.status] + (f"{worth(attempt.verdict):.3f}" if attempt.verdict.speedup else "")


@lru_cache(maxsize=2 * MAX_WINNERS)
def _winner_text(winner: Winner) -> str:
    return json.dumps(to_json(winner), separators=(",", ":"))

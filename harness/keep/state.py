"""Everything a search knows, folded from its journal on top of the last snapshots.

SCORES.json and MEMORY.json suffice to go on alone: a fresh clone has no `runs/`. Where both are there and belong to
the same search, the journal is the truth; where they belong to different ones, the younger search is (a reset was cut
short, or a newer search was pulled).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Self

from harness.contract import Experiment
from harness.keep.journal import JOURNAL, Committed, Event, Judged, Proposed, Seeded, Verified, read_events
from harness.keep.memory import Memory
from harness.keep.pairs import possible_in
from harness.keep.scores import Scores
from harness.keep.winners import worth
from harness.records import SEED, Attempt, Proposal, Status, Trial

SCORES, MEMORY, PICTURE = "SCORES.json", "MEMORY.json", "SCORES.svg"


@dataclass(slots=True, kw_only=True)
class State:
    """`seen` and `objects` map digests of sources and of compiled code to where they were first seen; `pending`
    were answered but not judged, in the order of their numbers, which is that of their arrival (docs/adr/0011);
    `answered` counts the replies to each way of asking. `last_failed` is the last that failed and left more than a
    line; a fresh clone knows none."""

    scores: Scores
    memory: Memory
    seen: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    pending: dict[int, Proposal] = field(default_factory=dict)
    uncommitted: dict[int, Attempt] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    last_failed: Attempt | None = None

    @property
    def next_number(self) -> int:
        """Of the next reply that arrives."""
        return max(self.scores.last_attempt, *self.pending, 0) + 1

    def fold(self, event: Event) -> None:
        """Take in one event; those that the snapshots hold already only fill what snapshots do not keep."""
        match event:
            case Proposed(proposal=proposal):
                self.pending[proposal.number] = proposal
                self.answered[proposal.request] += 1
            case Judged(attempt=attempt):
                self._fold_attempt(attempt)
            case Committed(number=number, commit=commit):
                self.uncommitted.pop(number, None)
                self.scores.committed(number, commit)
                self.memory.committed(number, commit)
            case Verified(number=number, at=at, attempt=winner, verdict=verdict):
                self.scores.fold_verified(number, winner, at, verdict)
            case Seeded():
                pass

    def _fold_attempt(self, attempt: Attempt) -> None:
        self.pending.pop(attempt.number, None)
        is_timed = attempt.status is not Status.UNMEASURED  # what is not may come again, where it can be
        if attempt.candidate and is_timed:
            self.seen.setdefault(attempt.candidate.digest, f"attempt {attempt.number}")
        if attempt.verdict.object_digest and is_timed:
            self.objects.setdefault(attempt.verdict.object_digest, f"attempt {attempt.number}")
        if attempt.choices is not None and is_timed:
            gain = worth(attempt.verdict) or None
            trial = Trial(choices=attempt.choices, status=attempt.status, speedup=gain, number=attempt.number)
            self.trials.append(trial)
        if attempt.status.is_failure and attempt.verdict.detail:
            self.last_failed = attempt
        if attempt.status.is_winner:
            self.uncommitted[attempt.number] = attempt
        if attempt.number > self.scores.last_attempt:
            self.scores.fold(attempt)
        if attempt.number > self.memory.last_attempt:
            self.memory.fold(attempt)

    @classmethod
    def load(cls, experiment: Experiment, known: Mapping[str, Sequence[str]], new: Seeded) -> Self:
        """The state of the search at hand, or of one that begins with `new` where there is none yet."""
        begun, events = _events(experiment.runs / JOURNAL)
        scores = Scores.read(experiment.folder / SCORES)
        if begun and (scores is None or begun.search != scores.search):
            if scores is None or begun.search > scores.search:
                scores = Scores.fresh(experiment, begun.search, begun.start)
            else:
                events = ()  # of an older search
        if scores is None:
            scores = Scores.fresh(experiment, new.search, new.start)
        memory = Memory.read(experiment.folder / MEMORY, known)
        if memory is None or memory.search != scores.search or memory.last_attempt > scores.last_attempt:
            memory = Memory(search=scores.search, known=known)
        memory.possible = possible_in(experiment.space)
        state = cls(scores=scores, memory=memory, seen={new.seed_digest: f"the {SEED}"})
        snapshot = scores.last_attempt
        for event in events:
            state.fold(event)
        state._leave_to_others(snapshot)
        state._recall()
        return state

    def _recall(self) -> None:
        """A fresh clone has no journal, but the choices of the best winners: where to begin to look."""
        known = {trial.number for trial in self.trials}
        for win in sorted(self.memory.worked, key=attrgetter("attempt"), reverse=True):
            if win.choices and win.attempt not in known:
                row = self.scores.winner(win.attempt)
                gain = worth(row) if row else win.gain
                trial = Trial(choices=win.choices, status=win.status, speedup=gain or None, number=win.attempt)
                self.trials.insert(0, trial)

    def _leave_to_others(self, snapshot: int) -> None:
        """Another clone of this search gave these numbers to something else, and its scores, up to the attempt
        `snapshot`, were pulled: a commit or a verdict under them would be taken for theirs."""
        self.pending = {number: one for number, one in self.pending.items() if number > snapshot}
        rows = {number: self.scores.winner(number) for number in self.uncommitted}
        for number, row in rows.items():
            if row and row.at != self.uncommitted[number].at:
                del self.uncommitted[number]


def _events(path: Path) -> tuple[Seeded | None, Iterable[Event]]:
    events = read_events(path)
    first = next(events, None)
    return (first, events) if isinstance(first, Seeded) else (None, ())

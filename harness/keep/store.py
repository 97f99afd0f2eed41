"""All that lasts of one experiment, behind one lock: the journal first, then files, snapshots and commits made from it.

Whatever a crash leaves undone after the journal's line is done when the store is opened again.
"""

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.archive import NAME_CHARS, Archive, WinnerFiles
from harness.keep.artifacts import Artifacts, shortened
from harness.keep.behind import Behind
from harness.keep.files import cannot, read_text, write_whole
from harness.keep.journal import Committed, Journal, Judged, Proposed, Seeded, Verified, read_events
from harness.keep.lock import ExperimentLock
from harness.keep.memory import Memory
from harness.keep.scores import START, Scores
from harness.keep.state import JOURNAL, MEMORY, SCORES, State
from harness.languages import READERS
from harness.records import SEED, Attempt, Parent, Proposal, Verdict

BEST, SPECIALIST = "best", "specialist:"
PICTURE = "SCORES.svg"
_SOURCES_HELD = 16
_SHORTEST_COMMIT = 7  # digits alone, fewer than these, are an attempt's number


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How the snapshots read to people; the store writes what these return and never reads it back."""

    scores: Callable[[Scores], str]
    memory: Callable[[Memory, Scores], str]
    picture: Callable[[Scores], str]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Store:
    """One experiment's state, open for one writer."""

    def __init__(self, experiment: Experiment, pages: Pages, *, commit: bool) -> None:
        self.experiment, self.pages = experiment, pages
        self.artifacts = Artifacts(experiment.runs, experiment.suffix)
        self._wants_commits = commit
        self._exit = ExitStack()
        self._sources: dict[str, str] = {}
        self.memory_page = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(ExperimentLock(self.experiment.runs, self.experiment.name))
            self._archive = Archive.open(self.experiment.folder) if self._wants_commits else None
            new = Seeded(
                search=search_id(),
                at=now(),
                seed_digest=READERS[self.experiment.language].digest(read_text(self.experiment.seed_path)),
            )
            self.state = State.load(self.experiment, known_values(self.experiment), new)
            self.memory_page = self.pages.memory(self.state.memory, self.state.scores)
            self._drawn = self.state.scores.last_attempt if (self.experiment.folder / PICTURE).is_file() else -1
            self._journal = stack.enter_context(self._journal_of(new))
            self._behind = stack.enter_context(Behind(self._write, self._journal.flush))
            unfinished = list(self.state.uncommitted.values())
            for attempt in unfinished:
                self.artifacts.restore(attempt)
            for attempt in unfinished if self._archive else ():
                self._commit(attempt)
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._exit:
            self._behind.settle()
            self._write(self._snapshots(with_picture=self._drawn != self.state.scores.last_attempt))

    def _journal_of(self, new: Seeded) -> Journal:
        """The journal of the search at hand; that of another one is set aside, not mixed with it."""
        path, scores = self.experiment.runs / JOURNAL, self.state.scores
        first = next(read_events(path), None)
        if first is not None and (not isinstance(first, Seeded) or first.search != scores.search):
            path.replace(path.with_name(f"{path.stem}-{search_id()}{path.suffix}"))
            first = None
        journal = Journal(path)
        if first is None:
            journal.append(replace(new, search=scores.search, start=scores.start))
        return journal

    def proposed(self, proposal: Proposal, prompt: str) -> None:
        """Write ahead: from here on this reply is never asked for again. The disk is not waited for: what comes next
        only reads, and `keep` waits."""
        self.artifacts.asked(proposal.number, prompt)
        self._journal.append(Proposed(proposal=proposal), flush=False)
        self._behind.flush()
        self.state.fold(Proposed(proposal=proposal))

    def keep(self, attempt: Attempt) -> None:
        """Everything that lasts of one attempt: files, journal, the commit of a winner, snapshots."""
        self.artifacts.write(self.state.pending[attempt.number], attempt)
        attempt = replace(attempt, verdict=shortened(attempt.verdict))
        self._journal.append(Judged(attempt=attempt))
        self.state.fold(Judged(attempt=attempt))
        if not attempt.status.is_winner:
            self._behind.refresh(self._snapshots(with_picture=False))
            return
        self._behind.settle()
        if self._archive:
            self._commit(attempt)
        else:
            write_whole(self.experiment.candidate_path, self.champion_source())
            self._write(self._snapshots(with_picture=True))

    def verified(self, attempt: int, verdict: Verdict) -> None:
        """What a winner was measured to be now. Where the title went to another one, the candidate file follows."""
        before = self.state.scores.champion_attempt, self.state.scores.start
        event = Verified(number=self.state.scores.verified + 1, at=now(), attempt=attempt, verdict=verdict)
        self._journal.append(event)
        self.state.fold(event)
        self._behind.settle()
        if before != (self.state.scores.champion_attempt, self.state.scores.start):
            champion = self.winner_source(self.state.scores.champion_attempt or START)
            if champion is not None:
                write_whole(self.experiment.candidate_path, champion)
        self._write(self._snapshots(with_picture=False))
        self._drawn = -1

    def _commit(self, attempt: Attempt) -> None:
        assert self._archive is not None

        def records(commit: str) -> Mapping[str, str]:
            # Into the state only: the journal says "committed" once both commits are there, so that a crash between
            # them is made good when the store is opened again.
            self.state.fold(Committed(number=attempt.number, commit=commit))
            return self._snapshots(with_picture=True)

        files = WinnerFiles(
            search=self.state.scores.search,
            experiment=self.experiment.name,
            candidate_path=self.experiment.candidate_path,
            champion_source=self.champion_source(),
            records=records,
        )
        commit = self._archive.commit_winner(attempt, files)
        self._journal.append(Committed(number=attempt.number, commit=commit))

    def _snapshots(self, *, with_picture: bool) -> Mapping[str, str]:
        """The files made from the state. Drawing takes most of a second and grows: not for every attempt."""
        scores, memory = self.state.scores, self.state.memory
        self.memory_page = self.pages.memory(memory, scores)  # the next prompt holds it too
        texts = {
            MEMORY: memory.text(),
            "MEMORY.md": self.memory_page,
            SCORES: scores.text(),
            "SCORES.md": self.pages.scores(scores),
        }
        if not with_picture:
            return texts
        self._drawn = scores.last_attempt
        return texts | {PICTURE: self.pages.picture(scores)}

    def _write(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            # The pages are made from the JSON beside them, so they need not survive a power cut.
            write_whole(self.experiment.folder / name, text, flush=name.endswith(".json"))

    def champion_source(self) -> str:
        champion = self.state.scores.champion
        return self.source(self.state.scores.start if champion is None else str(champion.attempt))

    def winner_source(self, attempt: int) -> str | None:
        """The source of a listed winner, or of what the search started from; None where no file of it is left."""
        winner = self.state.scores.winner(attempt)
        ref = self.state.scores.start if attempt == START else (winner and winner.commit) or str(attempt)
        try:
            return self.source(ref)
        except KeepError:
            return None

    def best_sources(self) -> Mapping[str, str]:
        """Who is best on each case."""
        return {case: self.source(str(winner.attempt)) for case, winner in self.state.scores.specialists.items()}

    def specialist_sources(self) -> Mapping[str, str]:
        """Where a case has a better one than the champion."""
        scores = self.state.scores
        others = {case: winner for case, winner in scores.specialists.items() if winner is not scores.champion}
        return {case: self.source(str(winner.attempt)) for case, winner in others.items()}

    def parent(self, ref: str) -> Parent:
        """What `--parent` names: best, seed, specialist:CASE, an attempt's number or a winner's commit."""
        scores = self.state.scores
        holder = scores.champion
        if ref.startswith(SPECIALIST):
            case = ref.removeprefix(SPECIALIST)
            cases = [one.name for one in self.experiment.evaluation.cases]
            if case not in cases:
                raise KeepError(f"{self.experiment.name} has no case {case!r}.", f"its cases: {', '.join(cases)}.")
            holder, ref = scores.specialists.get(case), BEST
        if ref == BEST:
            ref = scores.start if holder is None else str(holder.attempt)
        return Parent(ref=ref, source=self.source(ref))

    def source(self, ref: str) -> str:
        """The source of `seed`, of an attempt's number or of a winner's commit; none of them ever changes."""
        if ref not in self._sources:
            self._sources = dict(list(self._sources.items())[-_SOURCES_HELD:])
            self._sources[ref] = find_source(self.experiment, self.state.scores, ref)
        return self._sources[ref]

    def is_new_combination(self, tags: Sequence[str]) -> bool:
        return all(set(winner.tags) != set(tags) for winner in self.state.scores.winners)


def find_source(experiment: Experiment, scores: Scores, ref: str) -> str:
    """The source behind a name; needs no lock, so that views may ask while a search runs."""
    if ref == SEED:
        return read_text(experiment.seed_path)
    if ref == BEST:
        return find_source(experiment, scores, str(scores.champion.attempt) if scores.champion else scores.start)
    commit = ref
    if ref.isdecimal() and len(ref) < _SHORTEST_COMMIT:
        source = Artifacts(experiment.runs, experiment.suffix).source(int(ref))
        if source is not None:
            return source
        commit = next((w.commit for w in scores.winners if w.attempt == int(ref) and w.commit), "")
    found = sorted(experiment.winners.glob(f"{commit[:NAME_CHARS]}*{experiment.suffix}")) if commit.isalnum() else []
    if len(found) == 1:
        return read_text(found[0])
    raise KeepError(
        f"{experiment.name} has {'no' if not found else len(found)} source called {ref!r}.",
        "best, seed, an attempt's number or the commit of a winner (the files in winners/) can be named.",
    )


def start_over(experiment: Experiment, pages: Pages, commit: str | None) -> str:
    """A fresh search, from the seed or from an archived winner; git history and winners/ stay. Returns its start."""
    with ExperimentLock(experiment.runs, experiment.name):
        scores = Scores(search=search_id(), experiment=experiment.name, suffix=experiment.suffix, unit=experiment.unit)
        if commit is not None:
            find_source(experiment, scores, commit)
            scores.start = next(experiment.winners.glob(f"{commit[:NAME_CHARS]}*")).stem
        memory = Memory(search=scores.search, known=known_values(experiment))
        _clear(experiment.runs)
        seeded = Seeded(
            search=scores.search,
            at=now(),
            seed_digest=READERS[experiment.language].digest(read_text(experiment.seed_path)),
            start=scores.start,
        )
        with Journal(experiment.runs / JOURNAL) as journal:
            journal.append(seeded)
        write_whole(experiment.candidate_path, find_source(experiment, scores, scores.start))
        texts = {MEMORY: memory.text(), "MEMORY.md": pages.memory(memory, scores), SCORES: scores.text()}
        texts |= {"SCORES.md": pages.scores(scores), PICTURE: pages.picture(scores)}
        for name, text in texts.items():
            write_whole(experiment.folder / name, text)
        return scores.start


def _clear(runs: Path) -> None:
    """Empty `runs/` but for the lock that is being held."""
    try:
        for path in runs.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()
    except OSError as fault:
        raise cannot("remove", runs, fault) from None


def known_values(experiment: Experiment) -> Mapping[str, Sequence[str]]:
    """What could be tried, kind by kind, which is what memory calls unexplored until it is: the tags of sources, whose
    values nobody knows beforehand, and what the built-in proposer could choose."""
    choices = experiment.space.CHOICES if experiment.space else {}
    kinds: dict[str, Sequence[str]] = dict.fromkeys(experiment.tags, ())
    return kinds | {kind: [str(value) for value in values] for kind, values in choices.items()}


def search_id() -> str:
    """Later searches sort higher."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"

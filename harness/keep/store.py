"""All that lasts of one experiment, behind one lock: the journal first, then files, snapshots and commits made from it.

Whatever a crash leaves undone after the journal's line is done when the store is opened again.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from harness.contract import Experiment
from harness.errors import IndexLocked, KeepError
from harness.keep.archive import Archive, WinnerFiles
from harness.keep.artifacts import Artifacts, shortened
from harness.keep.beginning import Pages, known_values, now, search_id, seeded, set_aside
from harness.keep.behind import Behind
from harness.keep.files import write_whole
from harness.keep.journal import JOURNAL, Committed, Journal, Judged, Proposed, Seeded, Verified, read_events
from harness.keep.lock import ExperimentLock
from harness.keep.scores import START
from harness.keep.sources import BEST, find_source, kept_path
from harness.keep.state import MEMORY, PICTURE, SCORES, State
from harness.keep.winners import SHORTEST_COMMIT, placed
from harness.languages import READERS
from harness.records import SEED, Attempt, Parent, Proposal, Verdict

SPECIALIST = "specialist:"
_SOURCES_HELD = 16


class Store:
    """One experiment's state, open for one writer."""

    def __init__(self, experiment: Experiment, pages: Pages, *, commit: bool) -> None:
        self.experiment, self.pages = experiment, pages
        self.artifacts = Artifacts(experiment.runs, experiment.suffix)
        self._wants_commits = commit
        self._exit = ExitStack()
        self._sources: dict[str, str] = {}
        self.memory_page = self.waiting = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(ExperimentLock(self.experiment.runs, self.experiment.name))
            self._archive = Archive.open(self.experiment.folder) if self._wants_commits else None
            new = seeded(self.experiment, search_id(), SEED)
            self.state = State.load(self.experiment, known_values(self.experiment), new)
            if (start := self.state.scores.start) != SEED and (source := self.winner_source(START)) is not None:
                digest = READERS[self.experiment.language].digest(source)
                self.state.seen.setdefault(digest, f"{start}, which this search began from")
            self.memory_page = self.pages.memory(self.state.memory, self.state.scores)
            self._drawn = self.state.scores.last_attempt if (self.experiment.folder / PICTURE).is_file() else -1
            self._journal = stack.enter_context(self._journal_of(new))
            self._behind = stack.enter_context(Behind(self._write, self._journal.flush))
            for attempt in self.state.uncommitted.values():
                self.artifacts.restore(attempt)
            self.commit_waiting()
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._exit:
            self._behind.settle()
            scores = self.state.scores
            self._write(self._snapshots(with_picture=scores.has_times and self._drawn != scores.last_attempt))

    def _journal_of(self, new: Seeded) -> Journal:
        """The journal of the search at hand; what runs/ holds of another one is set aside, not mixed with it."""
        path, scores = self.experiment.runs / JOURNAL, self.state.scores
        first = next(read_events(path), None)
        if not isinstance(first, Seeded) or first.search != scores.search:
            set_aside(self.experiment.runs)
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
        attempt = replace(attempt, verdict=placed(shortened(attempt.verdict), self.state.scores.champion))
        self._journal.append(Judged(attempt=attempt))
        self.state.fold(Judged(attempt=attempt))
        if not attempt.status.is_winner:
            self._behind.refresh(self._snapshots(with_picture=False))
            return
        self._behind.settle()
        self.commit_waiting()
        if not self._archive:
            self._keep_without_commits()

    def verified(self, attempt: int, verdict: Verdict) -> None:
        """What a winner was measured to be now. Where the title went to another one, the candidate file follows."""
        before = self.state.scores.champion_attempt, self.state.scores.start
        number, verdict = self.state.scores.verified + 1, placed(shortened(verdict), self.state.scores.champion)
        event = Verified(number=number, at=now(), attempt=attempt, verdict=verdict)
        self._journal.append(event)
        self.state.fold(event)
        self._behind.settle()
        if before != (self.state.scores.champion_attempt, self.state.scores.start):
            champion = self.winner_source(self.state.scores.champion_attempt or START)
            if champion is not None:
                write_whole(self.experiment.candidate_path, champion)
        self._write(self._snapshots(with_picture=False))
        self._drawn = -1

    def commit_waiting(self) -> None:
        """Every winner without a commit gets one; where another git holds the index, later: `waiting` says so."""
        self.waiting = ""
        if self._archive and self.state.uncommitted:
            self._behind.settle()  # which writes the same files
        for number, attempt in sorted(self.state.uncommitted.items()) if self._archive else ():
            try:
                self._commit(attempt)
            except IndexLocked as fault:
                self.state.uncommitted[number] = attempt  # also where the first of its two commits is made
                self.waiting = f"winners to commit later: {len(self.state.uncommitted)}; {fault.message}: {fault.hint}"
                self._keep_without_commits()
                return

    def _keep_without_commits(self) -> None:
        # Where runs/ does not go, a copy of the folder say, the search goes on from these.
        for number, attempt in self.state.uncommitted.items():
            assert attempt.candidate is not None
            if not (path := kept_path(self.experiment, self.state.scores.search, number)).is_file():
                write_whole(path, attempt.candidate.source)
        write_whole(self.experiment.candidate_path, self.champion_source())
        self._write(self._snapshots(with_picture=True))

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
        kept_path(self.experiment, self.state.scores.search, attempt.number).unlink(missing_ok=True)

    def _snapshots(self, *, with_picture: bool) -> Mapping[str, str]:
        """The files made from the state. Drawing takes most of a second and grows: not for every attempt."""
        scores, memory = self.state.scores, self.state.memory
        self.memory_page = self.pages.memory(memory, scores)  # the next prompt holds it too
        # Scores first: a memory that lags behind them is made good from the journal, one that is ahead is not.
        texts = {
            SCORES: scores.text(),
            "SCORES.md": self.pages.scores(scores),
            MEMORY: memory.text(),
            "MEMORY.md": self.memory_page,
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
        ref = self.state.scores.start if attempt == START else str(attempt)
        try:
            return self.source(ref)
        except KeepError:
            return None

    def best_on(self) -> Mapping[str, Parent]:
        """Who is best on each case."""
        return {case: self.parent(str(winner.attempt)) for case, winner in self.state.scores.specialists.items()}

    def specialist_sources(self) -> Mapping[str, str]:
        """Where a case has a better one than the champion."""
        others = self.state.scores.ahead_of_champion
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
        named = [winner for winner in scores.winners if winner.commit and winner.commit.startswith(ref)]
        if len(named) == 1 and not (ref.isdecimal() and len(ref) < SHORTEST_COMMIT):
            ref = str(named[0].attempt)  # what this search made goes by its number everywhere
        return Parent(ref=ref, source=self.source(ref))

    def source(self, ref: str) -> str:
        """The source of `seed`, of an attempt's number or of a winner's commit; none of them ever changes."""
        if ref not in self._sources:
            self._sources = dict(list(self._sources.items())[-_SOURCES_HELD:])
            self._sources[ref] = find_source(self.experiment, self.state.scores, ref)
        return self._sources[ref]

    def is_new_combination(self, tags: Sequence[str]) -> bool:
        return not self.state.scores.has_seen(tags)

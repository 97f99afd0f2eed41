"""Where ask, judge and keep meet: open a search, propose, judge, keep. The only module that knows all three rooms.

Resuming is running again: what the journal holds is folded, and what it left open is finished first.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self

from harness.ask.prompt import Context, Prompt, render
from harness.ask.proposer import Exhausted, Proposer, Request
from harness.ask.reply import Unreadable, read_reply
from harness.ask.tokens import TokenCounter
from harness.contract import Experiment
from harness.hooks import blame
from harness.judge.clock import Stop
from harness.judge.machine import caches, fingerprint, this_machine
from harness.judge.stats import ALPHA
from harness.judge.toolchain import require_compiler
from harness.judge.verdict import Rivals, Standings
from harness.keep.scores import Scores
from harness.keep.store import Store, now
from harness.keep.store import start_over as keep_start_over
from harness.keep.usage import priced
from harness.records import SEED, Attempt, Candidate, Parent, Proposal, Status, Verdict
from harness.show import report
from harness.show.live import Header
from harness.show.pages import called
from harness.show.snapshots import PAGES
from harness.show.verified import progress_text
from harness.verify import Remeasures, again


class Examiner(Remeasures, Protocol):
    """Who decides: the judge, or a stand-in where only the harness itself is measured."""

    def judge(self, source: str, rivals: Rivals, standings: Standings, alpha: float) -> Verdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked for."""

    attempts: int = 1
    parent: str = "best"
    instructions: str = ""
    commit: bool = True


class Search:
    """One run of the loop over one experiment; `async with` holds the experiment's lock."""

    def __init__(
        self,
        experiment: Experiment,
        proposer: Proposer,
        options: Options,
        open_judge: Callable[[Experiment, Stop], Examiner],
    ) -> None:
        self.experiment, self.proposer, self.options = experiment, proposer, options
        self.ending = f"{options.attempts} attempt{'s' * (options.attempts != 1)} made"
        self.is_open = False
        self._open_judge = open_judge
        self._stop = Stop()
        self._exit = ExitStack()
        self._opening: asyncio.Task[Examiner] | None = None
        self._prompt: Prompt | None = None
        self._counter = TokenCounter()

    async def __aenter__(self) -> Self:
        require_compiler()
        self.store = self._exit.enter_context(Store(self.experiment, PAGES, commit=self.options.commit))
        self.is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._exit:
            await self.proposer.close()
            if self._opening:
                await asyncio.gather(self._opening, return_exceptions=True)
        blame(self.experiment.folder, fault)

    def _judge(self) -> "asyncio.Task[Examiner]":
        """The judge, which builds, validates and times the seed while the first request is on its way."""
        if self._opening is None:
            self._opening = asyncio.create_task(asyncio.to_thread(self._open_judge, self.experiment, self._stop))
        return self._opening

    @property
    def scores(self) -> Scores:
        return self.store.state.scores

    @property
    def machine(self) -> str:
        """What times of this run will be said to be measured on."""
        return fingerprint(self.experiment.flags)

    def header(self) -> Header:
        return Header(
            experiment=self.experiment.name,
            proposer=self.proposer.line,
            total=self.options.attempts,
            resumed_from=self.scores.last_attempt,
            machine=self.machine,
        )

    async def arrive(self) -> AsyncIterator[str]:
        """On another machine than that of the scores: their title holders once more, before anything is asked, so that
        no prompt and no rival rests on what was measured elsewhere. Yields what to tell the user."""
        due = self.scores.due(self.machine)
        if not due:
            return
        yield "another machine: measuring the champion here first"
        async for one in again(self.store, await self._judge(), due):
            yield progress_text(one)
        if self.scores.champion is None:
            yield f"no champion here: going on from {self.scores.start}"

    async def proposals(self, asking: Callable[[int], None]) -> AsyncIterator[Proposal]:
        """One proposal an attempt: first the one that an earlier run paid for and did not get to judge."""
        for _ in range(self.options.attempts):
            number = self.store.state.next_number
            proposal = self.store.state.pending
            if proposal is None:
                asking(number)
                try:
                    proposal = await self._ask(number)
                except Exhausted as end:
                    self.ending = str(end)
                    return
            yield proposal

    async def _ask(self, number: int) -> Proposal:
        parent = self.store.parent(self.options.parent)
        self._prompt = render(self.experiment, self._context(number, parent), self._counter)
        trials = self.store.state.trials
        request = Request(number=number, parent=parent, prompt=self._prompt, experiment=self.experiment, trials=trials)
        is_judge_ready = self._opening is not None and self._opening.done()
        answer = self.proposer.propose(request)
        proposal = await (answer if is_judge_ready else self._while_opening(answer))
        proposal = replace(proposal, usage=priced(proposal.usage, proposal.model))
        self.store.proposed(proposal)
        return proposal

    async def _while_opening(self, answer: Coroutine[Any, Any, Proposal]) -> Proposal:
        asked = asyncio.create_task(answer)
        try:
            # A judge that cannot work on this machine ends the search at once, not after the answer.
            await asyncio.wait({asked, self._judge()}, return_when=asyncio.FIRST_COMPLETED)
            if self._judge().done():
                self._judge().result()
            return await asked
        finally:
            asked.cancel()

    def _context(self, number: int, parent: Parent) -> Context:
        scores = self.store.state.scores
        return Context(
            experiment=self.experiment,
            number=number,
            parent=parent,
            parent_note=report.parent_note(scores, parent.ref),
            memory=self.store.memory_page,
            scores=report.standings(scores, self.machine),
            machine=asdict(this_machine()) | dict(caches()),
            instructions=self.options.instructions,
        )

    async def judge(self, proposal: Proposal) -> Attempt:
        """The attempt that a proposal becomes. Reading and remembering come before building and measuring."""
        parent = self.store.parent(proposal.parent)
        answer = read_reply(proposal.reply, proposal.finish_reason, self.experiment, parent.source)
        if isinstance(answer, Unreadable):
            return self._attempt(proposal, None, Verdict(status=Status.UNREADABLE, reason=answer.reason))
        known = self.store.state.seen.get(answer.digest)
        if known:
            return self._attempt(proposal, answer, Verdict(status=Status.DUPLICATE, reason=f"the same code as {known}"))
        judge = await self._judge()
        rivals = Rivals(champion=self.store.champion_source(), specialists=self.store.specialist_sources())
        standings = Standings(
            is_new_combination=self.store.is_new_combination(answer.tags), objects=self.store.state.objects
        )
        alpha = ALPHA / self.options.attempts
        verdict = await asyncio.to_thread(judge.judge, answer.source, rivals, standings, alpha)
        return self._attempt(proposal, answer, verdict)

    def _attempt(self, proposal: Proposal, candidate: Candidate | None, verdict: Verdict) -> Attempt:
        return Attempt(
            number=proposal.number,
            parent=proposal.parent,
            model=proposal.model,
            at=now(),
            candidate=candidate,
            verdict=verdict,
            usage=proposal.usage,
            choices=proposal.choices,
        )

    def keep(self, attempt: Attempt) -> None:
        self.store.keep(attempt, self._prompt.text if self._prompt else "")
        self._prompt = None


def start_over(experiment: Experiment, commit: str | None) -> str:
    """A fresh search; returns what to tell the user."""
    start = keep_start_over(experiment, PAGES, commit)
    archived = len(list(experiment.winners.glob(f"*{experiment.suffix}")))
    origin = experiment.seed_file if start == SEED else f"the winner {start}"
    return (
        f"{experiment.name}: a fresh search from {origin}; {archived} winners stay archived.\n"
        f"next: python loop.py {called(experiment)} --loop 10"
    )

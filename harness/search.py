"""Where ask, judge and keep meet: open a search, propose, judge, keep. The only module that knows all three rooms.

Resuming is running again: what the journal holds is folded, and what it left open is finished first.
"""

import asyncio
from collections import ChainMap
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from harness.ask.proposer import Exhausted, Proposer, Request
from harness.ask.reply import Unreadable, described, read_reply
from harness.contract import Experiment
from harness.docket import Docket, Ready, Threads, cancel
from harness.hooks import blame
from harness.judge.clock import Stop
from harness.judge.device import lacks
from harness.judge.machine import fingerprint
from harness.judge.stats import ALPHA
from harness.judge.toolchain import require_compiler
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.beginning import now
from harness.keep.budget import Budget, Ledger, require_price
from harness.keep.scores import START, Scores
from harness.keep.sources import BEST
from harness.keep.store import Store
from harness.keep.usage import priced
from harness.pipeline import Pipeline
from harness.prompting import Asked, Prompter
from harness.records import SEED, Attempt, Proposal, Status, Verdict
from harness.show.snapshots import PAGES
from harness.show.verified import progress_text
from harness.show.views import Header
from harness.verify import Remeasures, again

_GRACE_S = 0.7  # of the two seconds within which an interrupt has to end a run; the pages take their part
_HEAD_START_S = 0.05  # of the first request: loading a judge keeps the interpreter from sending it


class Examiner(Remeasures, Protocol):
    """Who decides: the judge, or a stand-in where only the harness itself is measured."""

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared: ...
    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run is asked for."""

    budget: Budget = field(default_factory=Budget)
    jobs: int = 1
    parent: str = BEST
    instructions: str = ""
    commit: bool = True


class Tells(Protocol):
    """Whoever watches is told of a request, of its reply, and of what holds one up."""

    def asking(self, number: int) -> None: ...
    def replied(self, proposal: Proposal) -> None: ...
    def note(self, text: str) -> None: ...


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
        self.ending = ""
        self.is_open = False
        self._open_judge = open_judge
        self._stop = Stop()
        self._exit = ExitStack()
        self._threads = Threads()
        self._docket = Docket(self._prepare)
        self._opening: asyncio.Task[Examiner] | None = None
        self._judging: asyncio.Task[Attempt] | None = None
        self._pipeline: Pipeline | None = None
        self._view: Tells | None = None
        self._unanswered: list[Asked] = []
        self._unjudged: dict[int, Asked] = {}
        self._is_interrupted = False
        self._ledger = Ledger(options.budget)
        self._prompter = Prompter(experiment, options.parent, options.instructions)

    async def __aenter__(self) -> Self:
        require_compiler()
        require_price(self.options.budget, self.proposer.name)
        self._lacks = lacks(self.experiment)
        self.store = self._exit.enter_context(Store(self.experiment, PAGES, commit=self.options.commit))
        self.is_open = True
        began = None if self.scores.start == SEED else self.store.winner_source(START)
        self._began_with = described(began, self.experiment).tags if began else None
        # A search is everything since the seed: ten runs of ten attempts are no ten chances at the price of one.
        self._alpha = ALPHA / (self.scores.last_attempt + self.options.budget.attempts)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        with self._exit:
            if self._pipeline:
                await self._pipeline.close()
            await self.proposer.close()
            await self._docket.close()
            await cancel(*(task for task in (self._judging, self._opening) if task))
            await self._threads.close()
        blame(self.experiment.folder, fault)

    def _judge(self) -> "asyncio.Task[Examiner]":
        """The judge, which builds, validates and times the seed while the first request is on its way."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._opened())
        return self._opening

    async def _opened(self) -> Examiner:
        await asyncio.sleep(_HEAD_START_S)
        # The first picture takes ten times as long as those to come: not at the end, nor beside a timed visit.
        await self._threads.run(partial(PAGES.picture, Scores.fresh(self.experiment)))
        return await self._threads.run(partial(self._open_judge, self.experiment, self._stop))

    @property
    def scores(self) -> Scores:
        return self.store.state.scores

    @property
    def machine(self) -> str:
        """What times of this run will be said to be measured on."""
        return fingerprint(self.experiment)

    def header(self) -> Header:
        return Header(
            experiment=self.experiment.name,
            proposer=self.proposer.line,
            total=self.options.budget.attempts,
            resumed_from=self.scores.last_attempt,
            machine=self.machine,
        )

    async def arrive(self) -> AsyncIterator[str]:
        """On another machine than that of the scores: their title holders once more, before anything is asked, so that
        no prompt and no rival rests on what was measured elsewhere. Yields what to tell the user."""
        if self.store.waiting:
            yield self.store.waiting
        if self._lacks:
            yield f"{self._lacks} here: attempts are built and checked, not timed"
            return
        if not (due := self.scores.due(self.machine)):
            return
        yield "another machine: measuring the champion here first"
        async for one in again(self.store, await self._judge(), due):
            yield progress_text(one)
        if self.scores.champion is None:
            yield f"no champion here: going on from {self.scores.start}"

    async def proposals(self, view: Tells) -> AsyncIterator[Proposal]:
        """One proposal an attempt: first those that an earlier run paid for and did not get to judge."""
        arrived = list(self.store.state.pending.values())[: self.options.budget.attempts]
        pipeline = Pipeline(self.options.jobs, partial(self._send, view), self._ledger.hold, view.note, arrived)
        self._pipeline, self._view = pipeline, view
        for proposal in arrived:
            self._docket.add(proposal)
        async for proposal in pipeline.replies():
            yield proposal
            if self._is_interrupted:
                raise asyncio.CancelledError
        self.store.commit_waiting()
        if self.store.waiting:
            view.note(self.store.waiting)
        self.ending = pipeline.ending

    def _send(self, view: Tells, flying: int) -> Callable[[], Awaitable[Proposal]]:
        """The next request, from what is known at this moment, ready to go."""
        state = self.store.state
        number = state.next_number + flying
        underway = (*self._unanswered, *self._unjudged.values())
        asked = self._prompter.next(self.store, number, [one.angle for one in underway])
        request = Request(
            number=number,
            parent=self.store.parent(asked.angle.parent),
            prompt=asked.prompt,
            experiment=self.experiment,
            trials=state.trials,
            untold=[proposal.choices for proposal in state.pending.values() if proposal.choices is not None],
            champion=self.store.parent(BEST),
            best_on=self.store.best_on(),
            known=state.seen,
            answered=state.answered,
            tell=view.note,
            lost=partial(self._ledger.lost, asked.prompt.tokens, self.proposer.name),
            pause=self._pause,
        )
        # A judge that cannot work on this machine ends the search at once, not after the answer.
        if self._pipeline and not self._judge().done():
            self._pipeline.beside.add(self._judge())
        view.asking(number)
        self._unanswered.append(asked)
        return partial(self._answer, view, request, asked)

    async def _answer(self, view: Tells, request: Request, asked: Asked) -> Proposal:
        """What comes back, with the next number, and on its way to the disk: nothing is awaited in between."""
        try:
            async with asyncio.timeout(self._ledger.answer_s):
                proposal = await self.proposer.propose(request)
        except TimeoutError:
            raise Exhausted(self._ledger.time_is_up) from None
        finally:
            self._unanswered.remove(asked)
        proposal = replace(proposal, usage=priced(proposal.usage, proposal.model), number=self.store.state.next_number)
        self._ledger.replied(proposal)
        self._unjudged[proposal.number] = asked
        self.store.proposed(proposal, asked.prompt.text)
        self._docket.add(proposal)
        view.replied(proposal)
        return proposal

    async def _pause(self, wait_s: float) -> None:
        """A wait, and the request that is sent again after it, keep to the limits of the run."""
        await asyncio.sleep(min(wait_s, self._ledger.left_s))
        flying = len(self._unanswered) - 1
        if reason := self._ledger.hold(flying, flying):
            raise Exhausted(reason)

    async def _prepare(self, proposal: Proposal) -> Ready:
        """Reading and remembering come before building, and all of it needs no champion."""
        parent = self.store.parent(proposal.parent)
        answer = read_reply(proposal.reply, proposal.finish_reason, self.experiment, parent.source)
        if isinstance(answer, Unreadable):
            return Ready(candidate=None, found=Verdict(status=Status.UNREADABLE, reason=answer.reason))
        known = ChainMap(self.store.state.seen, self._docket.sources).get(answer.digest)
        if known:
            return Ready(candidate=answer, found=Verdict(status=Status.DUPLICATE, reason=f"the same code as {known}"))
        judge = await self._judge()
        objects = ChainMap(self.store.state.objects, self._docket.objects)
        return Ready(candidate=answer, found=await self._threads.run(partial(judge.prepare, answer.source, objects)))

    async def judge(self, proposal: Proposal) -> Attempt:
        """The attempt that a proposal becomes. An interrupt hangs up on the requests in flight at once. The judgement
        at hand may end by itself if it does so in a moment; what takes longer, or is interrupted again, is left to the
        next run."""
        self._judging = asyncio.create_task(self._attempt(proposal))
        try:
            return await asyncio.shield(self._judging)
        except asyncio.CancelledError:
            self._is_interrupted = True
            if self._pipeline:
                await self._pipeline.close()
            await self._docket.close()
            if self._opening is None or self._opening.done():  # before the judge is open, nothing ends in a moment
                await asyncio.wait({self._judging}, timeout=_GRACE_S)
            if not self._judging.done():
                raise
            return self._judging.result()

    async def _attempt(self, proposal: Proposal) -> Attempt:
        ready = await self._docket.take(proposal.number)
        verdict = await self._verdict(ready)
        return Attempt(
            number=proposal.number,
            parent=proposal.parent,
            model=proposal.model,
            at=now(),
            candidate=ready.candidate,
            verdict=verdict,
            usage=proposal.usage,
            choices=proposal.choices,
        )

    async def _verdict(self, ready: Ready) -> Verdict:
        """Measured where that is needed, against whoever is the champion now."""
        if isinstance(ready.found, Verdict):
            return ready.found
        assert ready.candidate is not None
        judge = await self._judge()
        rivals = Rivals(champion=self.store.champion_source(), specialists=self.store.specialist_sources())
        is_new = self.store.is_new_combination(ready.candidate.tags) and ready.candidate.tags != self._began_with
        standings = Standings(is_new_combination=is_new)
        return await self._threads.run(partial(judge.measure, ready.found, rivals, standings, self._alpha))

    def keep(self, attempt: Attempt) -> None:
        self._unjudged.pop(attempt.number, None)
        self.store.keep(attempt)
        if attempt.status.is_winner and self._view and self.store.waiting:
            self._view.note(self.store.waiting)
        self._docket.judged(attempt.number)
        self._ledger.judged(attempt)

"""Winners measured again on this machine, and what of their titles is left. Nobody is asked and nothing is committed.

A search that moved to another machine does the same with its title holders, before it goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Protocol

from harness.contract import Experiment
from harness.errors import JudgeError, KeepError
from harness.hooks import blaming
from harness.judge.clock import Stop
from harness.judge.device import lacks
from harness.judge.machine import fingerprint
from harness.judge.toolchain import require_compiler
from harness.keep.files import read_text
from harness.keep.journal import JOURNAL
from harness.keep.sources import without_a_row
from harness.keep.state import SCORES
from harness.keep.store import Store
from harness.records import Verdict
from harness.show.pages import called
from harness.show.snapshots import PAGES
from harness.show.verified import Outcome, Remeasured


class Remeasures(Protocol):
    """Who measures: the judge, or a stand-in where only the harness itself is measured."""

    def remeasure(self, source: str, champion: str | None) -> Verdict: ...


async def again(store: Store, judge: Remeasures, due: Iterable[int]) -> AsyncIterator[Remeasured]:
    """These winners, and whoever gets a title by it, until every title is held by what was measured just now: the
    champion first, and the others beside it."""
    here, done = fingerprint(store.experiment), set[int]()
    while True:
        scores = store.state.scores
        champion = scores.champion if scores.champion and scores.champion.is_of(here) else None
        left = [*([champion.attempt] if champion else []), *due, *(scores.title_holders if done else ())]
        attempt = next((one for one in left if one not in done), None)
        if attempt is None:
            return
        done.add(attempt)
        before, source, verdict = scores.winner(attempt), store.winner_source(attempt), None
        if source is not None:
            rival = store.winner_source(champion.attempt) if champion and champion.attempt != attempt else None
            verdict = await asyncio.to_thread(judge.remeasure, source, rival)
            store.verified(attempt, verdict)
        yield Remeasured(attempt=attempt, before=before, verdict=verdict)


async def verify(
    experiment: Experiment,
    open_judge: Callable[[Experiment, Stop], Remeasures],
    tell: Callable[[Remeasured | str], None],
    *,
    every: bool,
) -> Outcome:
    """The title holders once more, or every winner under winners/; `tell` hears of each as it comes, and before them
    how many there are."""
    nothing = KeepError(
        f"{experiment.name} has no winner to verify.",
        f"a search makes them: python loop.py {called(experiment)} --loop 10; --all adds those of earlier ones.",
    )
    known = [experiment.folder / SCORES, experiment.runs / JOURNAL]
    if not any(path.is_file() for path in known) and not (every and experiment.winners.is_dir()):
        raise nothing
    require_compiler()
    if lacking := lacks(experiment):
        raise JudgeError(
            f"{experiment.name}: {lacking} here, so no winner can be timed again.",
            "verify it where there is one; its scores stay as they are.",
        )
    stop = Stop()
    with blaming(experiment.folder) as stack:
        store = stack.enter_context(Store(experiment, PAGES, commit=False))
        stack.callback(stop.set)  # Ctrl-C reaches the main thread; the judge works in another
        scores = store.state.scores
        due = dict.fromkeys(scores.title_holders)
        if every or not due:  # no title may be left where everything failed, and is then worth another look
            due |= dict.fromkeys(winner.attempt for winner in scores.winners)
        others = without_a_row(experiment, scores) if every else []
        if not due and not others:
            raise nothing
        if every:
            tell(f"to be measured: {len(due)} of this search, {len(others)} archived without a row in its scores")
        champion, seed = scores.champion, scores.seed
        held = {winner.attempt: scores.held_by(winner) for winner in scores.winners}
        judge = await asyncio.to_thread(open_judge, experiment, stop)
        measured = []
        async for one in again(store, judge, due):
            tell(one)
            measured.append(one)
        for path in others:
            verdict = await asyncio.to_thread(judge.remeasure, read_text(path), None)
            tell(one := Remeasured(before=None, verdict=verdict, archived=path.stem))
            measured.append(one)
        return Outcome(measured=measured, scores=scores, champion_before=champion, held_before=held, seed_before=seed)

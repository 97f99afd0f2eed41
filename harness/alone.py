"""One source judged by itself: no model is asked, and nothing is written down."""

import asyncio
from dataclasses import replace
from pathlib import Path

from harness.contract import Experiment
from harness.errors import KeepError, Unfit
from harness.hooks import blaming
from harness.judge.clock import Stop
from harness.judge.opening import open_judge
from harness.judge.stats import ALPHA
from harness.judge.verdict import Rivals, Standings
from harness.keep.files import read_text
from harness.keep.scores import Scores
from harness.keep.sources import BEST, find_source
from harness.keep.state import SCORES
from harness.records import Verdict


async def judge_file(
    experiment: Experiment, file: str | None, against: str | None, *, require_sandbox: bool = False
) -> Verdict:
    """One source against the seed and a champion, with no model and nothing written down."""
    scores = Scores.read(experiment.folder / SCORES) or Scores.fresh(experiment)
    if file is None and not experiment.candidate_path.is_file():
        raise KeepError(
            f"{experiment.name} has no {experiment.candidate_file} yet.",
            "name a source with --file, or begin a search: `python loop.py --help` says how.",
        )
    source = read_text(Path(file) if file else experiment.candidate_path)
    rivals = Rivals(champion=read_text(Path(against))) if against else _holders(experiment, scores)
    seed, standings = read_text(experiment.seed_path), Standings(is_new_combination=False)
    stop = Stop()

    def verdict() -> Verdict:
        judge = open_judge(experiment, stop, require_sandbox=require_sandbox)
        try:
            return judge.judge(source, rivals, standings, ALPHA)
        except Unfit as fault:
            if against or rivals.champion == seed:
                raise
            found = judge.judge(source, Rivals(champion=seed), standings, ALPHA)
            return _without_champion(found, fault)

    with blaming(experiment.folder) as stack:
        stack.callback(stop.set)  # Ctrl-C reaches the main thread; the judge works in another
        return await asyncio.to_thread(verdict)


def _holders(experiment: Experiment, scores: Scores) -> Rivals:
    """Who is best over all cases, and on those where somebody else is."""
    others = {case: str(winner.attempt) for case, winner in scores.ahead_of_champion.items()}
    return Rivals(
        champion=find_source(experiment, scores, BEST),
        specialists={case: find_source(experiment, scores, attempt) for case, attempt in others.items()},
    )


def _without_champion(found: Verdict, fault: Unfit) -> Verdict:
    """A champion of another machine may need what this one lacks: the seed stood in, and the verdict says so."""
    cases = {name: replace(one, vs_champion=None) for name, one in found.cases.items()}
    reason = f"{found.reason}; the seed stood in for the champion ({fault.message})"
    return replace(found, reason=reason, vs_champion=None, cases=cases)

"""Known differences of speed, judged: how many true gains are accepted, and whether any loss is.

One arm does extra work in a chain of multiplications whose length is set, case by case, so that a call takes a stated
part longer, once it was tried out what a step costs; the other is the same source without it. A trial is a whole
verdict of the judge, re-verification included, at the error rate that one candidate of a search of a hundred gets. What
the extra work really costs is measured before, in a fixed number of blocks: the verdicts' own estimates hang on when
they stopped. Prints JSON lines, one a trial and one an effect, then a table.

    python benchmarks/power.py
    python benchmarks/power.py --trials 5 --effects 2 5
"""

import argparse
import json
import math
import os
import statistics
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np
from neighbour import neighbour

from harness import contract
from harness.judge import stats
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.measure import CANDIDATE, RIVAL, VISITS, Bench, Effort
from harness.judge.verdict import Rivals, Standings
from harness.records import Status

ALPHA = stats.ALPHA / 100
TRIED, STEP_S = 0.1, 1.1e-9  # of a call's time; roughly
CHAIN = """__attribute__((noinline)) float chain(float v, int steps) {
    for (int i = 0; i < steps; i++) v = v * 0.999f + 0.001f;
    return v;
}
"""
WON = (Status.BEST,)
COST_BLOCKS = 24


def slowed(source: str, shapes: Mapping[str, str], steps: Mapping[str, int]) -> str:
    """The source with so many steps of extra work in every call of each case; where its input lies hangs on the
    outcome, so that no part of it can be done beside the rest of the call."""
    chosen = " : ".join(f"{shapes[name]} ? {count}" for name, count in steps.items())
    head, body = source.rsplit("void linear(", 1)
    arguments, rest = body.split("{", 1)
    return f"{head}\nstatic {CHAIN}void linear({arguments}{{\n    x += chain(1.5f, {chosen} : 0) == 77.0f;\n{rest}"


def logs(judge: Judge, pair: tuple[str, str]) -> Mapping[str, float]:
    """log(candidate / champion), case by case: the middle of many blocks."""
    candidate, champion = pair
    probe = judge.probe(champion)
    efforts = {name: Effort(VISITS, {CANDIDATE: call_s, RIVAL: call_s}) for name, call_s in probe.call_s.items()}
    arms = {CANDIDATE: judge.trusted(candidate), RIVAL: judge.trusted(champion)}
    rng = np.random.default_rng()
    with Bench(judge.experiment, judge.kind, efforts, probe.visit_s, rng, judge.stop) as bench:
        blocks = [bench.block(arms) for _ in range(COST_BLOCKS)]
    return {name: statistics.median(block.ratios[name] for block in blocks) for name in efforts}


def burdens(judge: Judge, source: str) -> Callable[[float], str]:
    """Percent -> the source with about so much extra work in every case; what it costs is tried out."""
    shapes = {
        case.name: f"rows == {case.dims['rows']} && out_features == {case.dims['out_features']}"
        for case in judge.experiment.evaluation.cases
    }
    tried = {name: max(1, round(TRIED * call_s / STEP_S)) for name, call_s in judge.probe(source).call_s.items()}
    cost = logs(judge, (source, slowed(source, shapes, tried)))
    each = {name: (math.exp(-cost[name]) - 1) / steps for name, steps in tried.items()}  # of a call's time

    def burdened(percent: float) -> str:
        return slowed(source, shapes, {name: max(1, round(percent / 100 / one)) for name, one in each.items()})

    return burdened


def row(judge: Judge, pair: tuple[str, str], percent: float, trials: int, noisy: bool) -> Mapping[str, object]:
    """`pair`: candidate and champion. `percent` above 0: the candidate is faster by so much; below 0: slower."""
    candidate, champion = pair
    won, seconds = 0, []
    measured = 100 * (math.exp(-statistics.fmean(logs(judge, pair).values())) - 1)
    for number in range(trials):
        with neighbour() if noisy else nullcontext():
            marked = f"enum {{ trial_{number} = {number} }};\n{candidate}"
            verdict = judge.judge(marked, Rivals(champion=champion), Standings(is_new_combination=False), ALPHA)
        won += verdict.status in WON
        seconds.append(verdict.seconds)
        found = {"status": verdict.status, "reason": verdict.reason, "noise": verdict.noise, "seconds": verdict.seconds}
        print(json.dumps({"trial": number, "percent": percent} | found), flush=True)
    return {
        "schema": 1,
        "benchmark": "power",
        "percent": percent,
        "neighbour": noisy,
        "trials": trials,
        "accepted": won,
        "measured_percent": measured,
        "median_s": statistics.median(seconds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20, help="of each effect; twice as many at 2 percent (20)")
    parser.add_argument("--effects", type=float, nargs="+", default=[0.5, 1, 2, 5], help="percent (0.5 1 2 5)")
    parser.add_argument("--neighbour", action="store_true", help="with a neighbour that works in bursts")
    args = parser.parse_args()
    judge = Judge(contract.load(ROOT / "linear"), Stop())
    source = (ROOT / "linear" / "candidate.c").read_text(encoding="utf-8")
    burdened = burdens(judge, source)
    rows = []
    for effect in args.effects:
        other = burdened(effect)
        for percent, pair in ((effect, (source, other)), (-effect, (other, source))):
            trials = args.trials * (2 if effect == 2 else 1)
            rows.append(row(judge, pair, percent, trials, args.neighbour))
            print(json.dumps(rows[-1]), flush=True)
    print(f"\n{'candidate is':<18}{'measured':>10}{'accepted':>12}{'seconds':>10}")
    for one in rows:
        what = f"{abs(float(str(one['percent']))):g} % {'faster' if float(str(one['percent'])) > 0 else 'slower'}"
        accepted = f"{one['accepted']} of {one['trials']}"
        print(f"{what:<18}{one['measured_percent']:>9.2f}%{accepted:>12}{one['median_s']:>10.2f}")
    print("targets: at least 95 % of the gains of 2 % accepted, none of the losses")
    return 0


if __name__ == "__main__":
    sys.exit(main())

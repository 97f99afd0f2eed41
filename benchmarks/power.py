"""Known differences of speed, judged: how many true gains are accepted, and whether any loss is.

One arm does extra work in a chain of multiplications whose length is set, case by case, so that a call takes a stated
part longer; the other is the same source without it. A trial is a whole verdict of the judge, re-verification
included, at the error rate that one candidate of a search of a hundred gets. What the extra work really costs is
measured before, in a fixed number of blocks: the verdicts' own estimates hang on when they stopped. Prints JSON lines,
one a trial and one an effect, then a table.

    python benchmarks/power.py
    python benchmarks/power.py --trials 5 --effects 2 5
"""

import argparse
import ctypes
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
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
RUNS, STEPS = 200, 100_000
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


def step_s(flags: Sequence[str]) -> float:
    """What a step of the chain takes: of many runs of a long one the fastest, as calls are timed by their fastest."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "chain.c", Path(folder) / "chain.so"
        source.write_text(CHAIN, encoding="utf-8")
        subprocess.run(["gcc", *flags, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
        chain = ctypes.CDLL(str(library)).chain
        chain.argtypes, chain.restype = [ctypes.c_float, ctypes.c_int], ctypes.c_float
        times_s = []
        for _ in range(RUNS):
            began_s = time.perf_counter()
            chain(1.5, STEPS)
            times_s.append(time.perf_counter() - began_s)
    return min(times_s) / STEPS


def burdens(judge: Judge, source: str) -> Callable[[float], str]:
    """Percent -> the source with about so much extra work in every case."""
    shapes = {
        case.name: f"rows == {case.dims['rows']} && out_features == {case.dims['out_features']}"
        for case in judge.experiment.evaluation.cases
    }
    call_s = {name: case.median_s for name, case in judge.remeasure(source).cases.items()}
    cost_s = step_s(judge.experiment.flags)

    def burdened(percent: float) -> str:
        steps = {name: max(1, round(seconds * percent / 100 / cost_s)) for name, seconds in call_s.items()}
        return slowed(source, shapes, steps)

    return burdened


def really(judge: Judge, pair: tuple[str, str]) -> float:
    """By how many percent the candidate is faster than the champion."""
    candidate, champion = pair
    probe = judge.probe(champion)
    efforts = {name: Effort(VISITS, {CANDIDATE: call_s, RIVAL: call_s}) for name, call_s in probe.call_s.items()}
    arms = {CANDIDATE: judge.trusted(candidate), RIVAL: judge.trusted(champion)}
    rng = np.random.default_rng()
    with Bench(judge.experiment, judge.kind, efforts, probe.visit_s, rng, judge.stop) as bench:
        logs = [bench.block(arms).overall for _ in range(COST_BLOCKS)]
    return 100 * (math.exp(-statistics.median(logs)) - 1)


def row(judge: Judge, pair: tuple[str, str], percent: float, trials: int, noisy: bool) -> Mapping[str, object]:
    """`pair`: candidate and champion. `percent` above 0: the candidate is faster by so much; below 0: slower."""
    candidate, champion = pair
    won, seconds = 0, []
    measured = really(judge, pair)
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

"""Seconds to a verdict on `linear`, by kind of candidate, and what the handshake costs of a visit.

Each run judges another source, so that nothing is found in a cache. `winner` is many times as fast as the seed that it
meets; `close winner` is the experiment's champion, beside the same with 3 % of extra work, and the seed as a third.
Prints JSON lines, then a table.

    python benchmarks/verdict_time.py
    python benchmarks/verdict_time.py --runs 20
"""

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np
from power import burdens

from harness import contract
from harness.judge import measure
from harness.judge.clock import Stop
from harness.judge.inputs import Arena, Placement, lay_out
from harness.judge.judge import Judge
from harness.judge.quiet import alone
from harness.judge.verdict import Rivals, Standings

ALPHA = 0.05 / 10
LIMITS_S = {
    "forbidden": 0.25,
    "build failed": 0.25,
    "wrong": 0.5,
    "clear loser": 0.8,
    "tie": 4.0,
    "winner": 10.0,
    "close winner": math.inf,
}
CLOSE_PERCENT = 3
FAST = """\
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            const float *a = x + (long)r * in_features, *b = weight + (long)o * in_features;
            float lane[16] = {0}, sum = bias ? bias[o] : 0.0f;
            int i = 0;
            for (; i + 16 <= in_features; i += 16)
                for (int k = 0; k < 16; k++) lane[k] += a[i + k] * b[i + k];
            for (; i < in_features; i++) sum += a[i] * b[i];
            for (int k = 0; k < 16; k++) sum += lane[k];
            out[(long)r * out_features + o] = sum;
        }
}
"""


def sources(naive: str, close: tuple[str, str], run: int) -> dict[str, tuple[str, str]]:
    """Kind -> a candidate and the champion that it meets; another text for every run."""
    mark = f"enum {{ run_{run} = {run} }};\n"
    return {
        "forbidden": (mark + "static int calls;\n" + naive, FAST),
        "build failed": (mark + naive.replace("float sum", "flaot sum"), FAST),
        "wrong": (mark + naive.replace("sum +=", "sum -="), FAST),
        "clear loser": (mark + naive, FAST),
        "tie": (mark + FAST, FAST),
        "winner": (mark + FAST, naive),
        "close winner": (mark + close[0], close[1]),
    }


def handshake(experiment: contract.Experiment, judge: Judge) -> tuple[float, float]:
    """Median seconds of a visit without a call, and its share of the shortest visit that is timed."""
    arena = Arena()
    case = experiment.evaluation.cases[0]
    workload = lay_out(experiment, case, np.random.default_rng(1), 1, Placement.LEFT, arena)
    arena.open()
    artifact = judge.trusted(judge.seed)
    with alone(Stop()) as cpu, judge.kind.arm(artifact, arena, 0, cpu, Stop()) as arm:
        empty_s = statistics.median(arm.visit(workload, 0, 0).seconds for _ in range(300))
    arena.close()
    return empty_s, empty_s / measure.VISIT_S


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    args = parser.parse_args()
    experiment = contract.load(ROOT / "linear")
    judge = Judge(experiment, Stop())
    naive, champion_now = judge.seed, experiment.candidate_path.read_text(encoding="utf-8")
    close = champion_now, burdens(judge, champion_now)(CLOSE_PERCENT)
    seconds: dict[str, list[float]] = {kind: [] for kind in LIMITS_S}
    statuses: dict[str, list[str]] = {kind: [] for kind in LIMITS_S}
    for run in range(args.runs):
        for kind, (source, champion) in sources(naive, close, run).items():
            verdict = judge.judge(source, Rivals(champion=champion), Standings(is_new_combination=False), ALPHA)
            seconds[kind].append(verdict.seconds)
            statuses[kind].append(verdict.status.value)
    for kind, runs in seconds.items():
        row = {
            "schema": 1,
            "benchmark": "verdict_time",
            "kind": kind,
            "median_s": statistics.median(runs),
            "runs": runs,
        }
        print(json.dumps(row | {"statuses": sorted(set(statuses[kind]))}))
    empty_s, share = handshake(experiment, judge)
    print(json.dumps({"schema": 1, "benchmark": "handshake", "empty_visit_s": empty_s, "share_of_a_visit": share}))
    print(f"\n{'kind':<14}{'median s':>10}{'worst s':>10}{'limit s':>10}  statuses")
    for kind, runs in seconds.items():
        found = ", ".join(f"{statuses[kind].count(one)} {one}" for one in sorted(set(statuses[kind])))
        print(f"{kind:<14}{statistics.median(runs):>10.2f}{max(runs):>10.2f}{LIMITS_S[kind]:>10.2f}  {found}")
    print(f"handshake: {empty_s * 1e9:.0f} ns, {share:.2%} of the shortest visit")
    return 0


if __name__ == "__main__":
    sys.exit(main())

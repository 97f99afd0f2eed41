"""How much a block of identical code varies: by how many visits it has, and by the rule that makes one number of them.

Candidate and rival are the same source as two builds, so that every block should say nothing. Blocks that are cut in
different ways take turns, and each of the rules gets the same visits. `error x sqrt(s)` is what a second of measuring
comes to: half of it is the same certainty in a quarter of the time. Prints JSON lines, then a table.

    python benchmarks/blocks.py
    python benchmarks/blocks.py --blocks 16 --cuts 4x6 12x2 --experiment attention
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np
from aa import MARKS

from harness import catalog, contract
from harness.judge.arm import Arm
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.measure import CANDIDATE, RIVAL, Bench, Effort, Plan, Timed, log_ratio
from harness.judge.toolchain import Artifact

BLOCKS_OF_A_BENCH = 12
Visits = Mapping[str, Sequence[Sequence[Timed]]]


class Recorder(Bench):
    """A bench that keeps every batch of the block at hand, case by case."""

    seen: dict[str, Visits]

    def timed(self, arms: Mapping[str, Arm], plan: Plan) -> Mapping[str, list[list[Timed]]]:
        timed = super().timed(arms, plan)
        self.seen[plan.workload.case.name] = timed
        return timed


def fastest(timed: Visits) -> float:
    ours, theirs = (min(batch for visit in timed[arm] for batch in visit)[1] for arm in (CANDIDATE, RIVAL))
    return math.log(ours / theirs)


def usual(timed: Visits) -> float:
    ours, theirs = (statistics.median(s for visit in timed[arm] for _, s in visit) for arm in (CANDIDATE, RIVAL))
    return math.log(ours / theirs)


def paired(timed: Visits) -> float:
    return log_ratio(zip(map(min, timed[CANDIDATE]), map(min, timed[RIVAL]), strict=True))


RULES: Mapping[str, Callable[[Visits], float]] = {
    "fastest batch": fastest,
    "middle batch": usual,
    "middle of pairs": paired,
}


def blocks(judge: Judge, cuts: Sequence[str], count: int) -> Iterator[tuple[str, float, Mapping[str, Visits]]]:
    """Cut, seconds and visits of every block, one cut after the other."""
    source = judge.experiment.candidate_path.read_text(encoding="utf-8")
    probe = judge.probe(source)
    twin = judge.prepare(MARKS[judge.experiment.language].format(1) + source).admitted
    rng = np.random.default_rng()
    arms: Mapping[str, Artifact] = {CANDIDATE: twin, RIVAL: judge.trusted(source)}
    for start in range(0, count, BLOCKS_OF_A_BENCH):
        with ExitStack() as stack:
            benches = {}
            for cut in cuts:
                visits, batches = map(int, cut.split("x"))
                efforts = {name: Effort(visits, batches, dict.fromkeys(arms, s)) for name, s in probe.call_s.items()}
                bench = Recorder(judge.experiment, judge.kind, efforts, probe.batch_s, rng, judge.stop)
                benches[cut] = stack.enter_context(bench)
            for _ in range(min(BLOCKS_OF_A_BENCH, count - start)):
                for cut, bench in benches.items():
                    bench.seen = {}
                    started_s = time.perf_counter()
                    bench.block(arms)
                    yield cut, time.perf_counter() - started_s, bench.seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=48, help="of each cut (48)")
    parser.add_argument("--cuts", nargs="+", default=["4x6", "8x2", "12x2", "16x2", "24x2"], help="visits x batches")
    parser.add_argument("--experiment", default="linear", help="its name or its folder (linear)")
    args = parser.parse_args()
    judge = Judge(contract.load(catalog.locate(args.experiment)), Stop())
    values: dict[tuple[str, str], list[float]] = {(cut, rule): [] for cut in args.cuts for rule in RULES}
    seconds: dict[str, list[float]] = {cut: [] for cut in args.cuts}
    for cut, block_s, seen in blocks(judge, args.cuts, args.blocks):
        found = {rule: statistics.fmean(of(timed) for timed in seen.values()) for rule, of in RULES.items()}
        for rule, value in found.items():
            values[cut, rule].append(value)
        seconds[cut].append(block_s)
        row = {"schema": 1, "benchmark": "blocks", "cut": cut, "seconds": block_s, "values": found}
        print(json.dumps(row), flush=True)
    print(f"\n{'visits x batches':<18}{'rule':<18}{'s a block':>10}{'error':>9}{'error x sqrt(s)':>17}")
    for (cut, rule), logs in values.items():
        block_s = statistics.median(seconds[cut])
        error = math.sqrt(statistics.fmean(value**2 for value in logs))  # about zero, where identical code lies
        print(f"{cut:<18}{rule:<18}{block_s:>10.3f}{error:>9.2%}{error * math.sqrt(block_s):>17.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How much a block of identical code varies: by how many visits it has, and by the rule that makes one number of them.

Candidate and rival are the same source as two builds, so that every block should say nothing. Blocks of few and of many
visits take turns, and each of the rules gets the same visits. `error x sqrt(s)` is what a second of measuring
comes to: half of it is the same certainty in a quarter of the time. Prints JSON lines, then a table.

    python benchmarks/blocks.py
    python benchmarks/blocks.py --blocks 16 --visits 8 16 --experiment attention
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
from harness.judge.measure import CANDIDATE, RIVAL, Bench, Effort, Plan, Timed, log_ratio, middle
from harness.judge.toolchain import Artifact

BLOCKS_OF_A_BENCH = 12
Visits = Mapping[str, Sequence[Timed]]


class Recorder(Bench):
    """A bench that keeps every visit of the block at hand, case by case."""

    seen: dict[str, Visits]

    def timed(self, arms: Mapping[str, Arm], plan: Plan) -> Mapping[str, list[Timed]]:
        timed = super().timed(arms, plan)
        self.seen[plan.workload.case.name] = timed
        return timed


def by(of: Callable[[Sequence[float]], float]) -> Callable[[Visits], float]:
    """A rule that makes one time of each arm's visits, whenever they were."""
    return lambda timed: math.log(
        of([one.seconds for one in timed[CANDIDATE]]) / of([one.seconds for one in timed[RIVAL]])
    )


RULES: Mapping[str, Callable[[Visits], float]] = {
    "fastest visit": by(min),
    "middle visit": by(statistics.median),
    "middle of pairs": lambda timed: middle(map(log_ratio, timed[CANDIDATE], timed[RIVAL])),
    "mean of pairs": lambda timed: statistics.fmean(log for _, log in map(log_ratio, timed[CANDIDATE], timed[RIVAL])),
}


def blocks(judge: Judge, cuts: Sequence[int], count: int) -> Iterator[tuple[int, float, Mapping[str, Visits]]]:
    """Number of visits, seconds and the visits of every block, one number after the other."""
    source = judge.experiment.candidate_path.read_text(encoding="utf-8")
    probe = judge.probe(source)
    twin = judge.prepare(MARKS[judge.experiment.language].format(1) + source).admitted
    rng = np.random.default_rng()
    arms: Mapping[str, Artifact] = {CANDIDATE: twin, RIVAL: judge.trusted(source)}
    for start in range(0, count, BLOCKS_OF_A_BENCH):
        with ExitStack() as stack:
            benches = {}
            for visits in cuts:
                efforts = {name: Effort(visits, dict.fromkeys(arms, s)) for name, s in probe.call_s.items()}
                bench = Recorder(judge.experiment, judge.kind, efforts, probe.visit_s, rng, judge.stop)
                benches[visits] = stack.enter_context(bench)
            for _ in range(min(BLOCKS_OF_A_BENCH, count - start)):
                for visits, bench in benches.items():
                    bench.seen = {}
                    started_s = time.perf_counter()
                    bench.block(arms)
                    yield visits, time.perf_counter() - started_s, bench.seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=48, help="of each cut (48)")
    parser.add_argument("--visits", type=int, nargs="+", default=[8, 16, 24, 32], help="of each arm (8 16 24 32)")
    parser.add_argument("--experiment", default="linear", help="its name or its folder (linear)")
    args = parser.parse_args()
    judge = Judge(contract.load(catalog.locate(args.experiment)), Stop())
    values: dict[tuple[int, str], list[float]] = {(visits, rule): [] for visits in args.visits for rule in RULES}
    seconds: dict[int, list[float]] = {visits: [] for visits in args.visits}
    for visits, block_s, seen in blocks(judge, args.visits, args.blocks):
        found = {rule: statistics.fmean(of(timed) for timed in seen.values()) for rule, of in RULES.items()}
        for rule, value in found.items():
            values[visits, rule].append(value)
        seconds[visits].append(block_s)
        row = {"schema": 1, "benchmark": "blocks", "visits": visits, "seconds": block_s, "values": found}
        print(json.dumps(row), flush=True)
    print(f"\n{'visits':<8}{'rule':<18}{'s a block':>10}{'error':>9}{'error x sqrt(s)':>17}")
    for (visits, rule), logs in values.items():
        block_s = statistics.median(seconds[visits])
        error = math.sqrt(statistics.fmean(value**2 for value in logs))  # about zero, where identical code lies
        print(f"{visits:<8}{rule:<18}{block_s:>10.3f}{error:>9.2%}{error * math.sqrt(block_s):>17.2%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

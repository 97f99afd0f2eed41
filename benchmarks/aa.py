"""Identical code judged as candidate against champion: how often it wins, here and by the rules of the field.

Each trial builds the same source under another name of one of its constants and judges it at the error rate that one
candidate of a search of a hundred gets; every other trial has a neighbour on the other core that works in bursts. In
the same trial each arm is also timed ten times on its own, one arm after the other, and the usual rules look at that.
Prints JSON lines, then a table.

    python benchmarks/aa.py
    python benchmarks/aa.py --trials 20 --source linear/naive.c
    python benchmarks/aa.py --trials 20 --experiment hello_world
    python benchmarks/aa.py --trials 100 --after earlier.jsonl        what an earlier run printed counts, too
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import numpy as np
from neighbour import neighbour

from harness import catalog, contract
from harness.judge import stats
from harness.judge.clock import Stop
from harness.judge.comparison import Comparison
from harness.judge.inputs import Arena, Placement, lay_out
from harness.judge.judge import Judge
from harness.judge.measure import VISIT_S, checked_visit
from harness.judge.quiet import alone
from harness.judge.toolchain import Artifact

ALPHA = stats.ALPHA / 100
SCHEMA = 3
TIMES = 10
# Student's t for two samples of ten, 95 %, two-sided.
T_CRITICAL = 2.101
# A constant of another value for every trial, so that no two are the same source.
MARKS = {"c": "enum {{ trial = {} }};\n", "python": "TRIAL = {}\n", "cuda": "enum {{ trial = {} }};\n"}

Times = Sequence[float]


def smaller_median(candidate: Times, champion: Times) -> bool:
    return statistics.median(candidate) < statistics.median(champion)


def one_percent(candidate: Times, champion: Times) -> bool:
    return statistics.fmean(candidate) < 0.99 * statistics.fmean(champion)


def significant(candidate: Times, champion: Times) -> bool:
    """pyperf's rule: the two samples differ by Student's t at 95 %, and the candidate's mean is the smaller one."""
    pooled = (statistics.variance(candidate) + statistics.variance(champion)) / 2
    gain = statistics.fmean(champion) - statistics.fmean(candidate)
    return gain > T_CRITICAL * math.sqrt(2 * pooled / TIMES)


RULES: Mapping[str, Callable[[Times, Times], bool]] = {
    "any smaller median of 10": smaller_median,
    "1 % better in one run of 10": one_percent,
    "Student's t of 10 against 10 (pyperf)": significant,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one trial; `evidence` is E, the final value of the test martingale. `by_middle` and `by_mean`
    are the blocks' values, by the middle of the pairs of visits, as the judge takes them, and by their mean."""

    noisy: bool
    ratio: float
    best: bool
    specialist_of: tuple[str, ...]
    evidence: float
    by_middle: tuple[float, ...]
    by_mean: tuple[float, ...]
    seconds: float
    rules: Mapping[str, bool]


def stopwatch(judge: Judge, call_s: Mapping[str, float]) -> Callable[[Artifact], list[float]]:
    """Of an arm by itself, ten timings, each the geometric mean over the cases; on the same inputs for all."""
    experiment, rng, arena, stop = judge.experiment, np.random.default_rng(), Arena(), Stop()
    calls = {case.name: math.ceil(VISIT_S / call_s[case.name]) for case in experiment.evaluation.cases}
    workloads = [
        lay_out(experiment, case, rng, calls[case.name] * (TIMES + 1), Placement.LEFT, arena)
        for case in experiment.evaluation.cases
    ]
    arena.open()

    def times(artifact: Artifact) -> list[float]:
        logs = np.zeros(TIMES)
        with alone(stop) as cpu, judge.kind.arm(artifact, arena, 0, cpu, stop) as arm:
            for workload in workloads:
                timed = checked_visit(arm, workload, calls[workload.case.name], TIMES + 1)[1:]  # the first one warms up
                logs += [math.log(one.seconds) / len(workloads) for one in timed]
        return [math.exp(value) for value in logs]

    return times


def trial(judge: Judge, times: Callable[[Artifact], Times], source: str, number: int) -> Trial:
    candidate = judge.prepare(MARKS[judge.experiment.language].format(number) + source).admitted
    noisy = number % 2 == 1
    with neighbour() if noisy else nullcontext():
        started_s = time.monotonic()
        comparison = judge.compare(candidate, source, ALPHA)
        assert isinstance(comparison, Comparison)  # of times, not of a metric
        seconds = time.monotonic() - started_s
        champion_s, candidate_s = times(judge.trusted(source)), times(candidate)
    return Trial(
        noisy=noisy,
        ratio=comparison.finding().vs_champion.ratio,
        best=comparison.beats_champion,
        specialist_of=comparison.beats_on,
        evidence=math.exp(comparison.overall.log_e),
        by_middle=tuple(round(block.overall, 5) for block in comparison.blocks),
        by_mean=tuple(round(statistics.fmean(block.means.values()), 5) for block in comparison.blocks),
        seconds=seconds,
        rules={name: rule(candidate_s, champion_s) for name, rule in RULES.items()},
    )


def spread(values: Iterable[float]) -> str:
    """About zero, where identical code lies; in standard deviations of a normal distribution."""
    return f"{stats.SIGMAS * statistics.median(map(abs, values)):.2%}"


def table(trials: Sequence[Trial]) -> str:
    lines = [f"{'':<40}{'quiet':>12}{'neighbour':>12}"]
    halves = [[one for one in trials if one.noisy is noisy] for noisy in (False, True)]

    def row(name: str, of: Callable[[Sequence[Trial]], str]) -> None:
        lines.append(f"{name:<40}" + "".join(f"{of(half) if half else '':>12}" for half in halves))

    row("trials", lambda half: str(len(half)))
    row("false bests of this judge", lambda half: str(sum(one.best for one in half)))
    row("false specialists of this judge", lambda half: str(sum(bool(one.specialist_of) for one in half)))
    row("mean final E", lambda half: f"{statistics.fmean(one.evidence for one in half):.3f}")
    row("largest E", lambda half: f"{max(one.evidence for one in half):.2f}")
    row("spread of a block, middle of pairs", lambda half: spread(value for one in half for value in one.by_middle))
    row("spread of a block, mean of pairs", lambda half: spread(value for one in half for value in one.by_mean))
    row("blocks, median", lambda half: f"{statistics.median(len(one.by_middle) for one in half):g}")
    row("seconds, median", lambda half: f"{statistics.median(one.seconds for one in half):.2f}")
    row("ratios, 5 % to 95 %", lambda half: "{:.3f}-{:.3f}".format(*np.quantile([t.ratio for t in half], (0.05, 0.95))))
    for rule in RULES:
        row(rule, lambda half, rule=rule: f"{sum(one.rules[rule] for one in half) / len(half):.1%}")  # type: ignore[misc]
    return "\n".join(lines)


def earlier(path: Path) -> Iterable[Trial]:
    names = {item.name for item in fields(Trial)}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            if row["schema"] != SCHEMA:
                sys.exit(f"{path}: a trial of schema {row['schema']}, must be {SCHEMA}: another judge made it.")
            print(line)
            yield Trial(**{name: value for name, value in row.items() if name in names})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=300, help="of each kind, quiet and with a neighbour (300)")
    parser.add_argument("--experiment", default="linear", help="its name or its folder (linear)")
    parser.add_argument("--source", type=Path, help="the experiment's current candidate")
    parser.add_argument("--after", type=Path, help="the JSON lines of an earlier run of the same source")
    args = parser.parse_args()
    experiment = contract.load(catalog.locate(args.experiment))
    judge = Judge(experiment, Stop())
    source = (args.source or experiment.candidate_path).read_text(encoding="utf-8")
    times = stopwatch(judge, judge.probe(source).call_s)
    trials = list(earlier(args.after)) if args.after else []
    for number in range(len(trials), len(trials) + 2 * args.trials):
        trials.append(trial(judge, times, source, number))
        print(json.dumps({"schema": SCHEMA, "benchmark": "aa", "alpha": ALPHA, **asdict(trials[-1])}), flush=True)
    print(f"\n{table(trials)}")
    print(f"error rate of one candidate in a search of a hundred: {ALPHA}; targets: no false best, mean E at most 1")
    return 0


if __name__ == "__main__":
    sys.exit(main())

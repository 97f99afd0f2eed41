"""The harness's own time per attempt: a model on loopback and an evaluator that cost nothing, everything recorded.

Each attempt is the whole loop: prompt, request through the real SDK, reply read, journal, artifacts, MEMORY, SCORES.
The model's server is a process of its own. Prints JSON lines, then a table.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --attempts 1000
"""

import argparse
import asyncio
import gc
import itertools
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from harness import contract
from harness.ask.proposer import Choice, choose
from harness.judge.clock import Stop
from harness.judge.machine import this_machine
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Attempt, CaseResult, Estimate, Proposal, Status, Verdict
from harness.search import Options, Search
from loop import search
from loopback import Loopback, Received

WINDOW = 100
LIMIT_MS, GROWTH, MEMORY_MB = 4.0, 1.5, 150


class FreeJudge:
    """An evaluator that costs nothing: verdicts in a fixed rotation, as full as real ones."""

    def __init__(self, experiment: contract.Experiment) -> None:
        self.names = [case.name for case in experiment.evaluation.cases]
        self.calls = 0

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        self.calls += 1
        kind = self.calls % 10
        if kind in (3, 6):
            return Verdict(status=Status.WRONG, reason=f"case in-7: out[0][{self.calls % 7}] is 1.5, must be 2.25")
        if kind == 9:
            return Verdict(
                status=Status.BUILD_FAILED, reason=f"candidate.c:{kind}:5: error: expected ';'", detail="x" * 400
            )
        ratio = 0.8 + 0.001 * (self.calls % 97)
        speedup = Estimate(ratio=ratio, low=ratio * 0.99, high=ratio * 1.01)
        result = CaseResult(
            median_s=1e-5, low_s=0.9e-5, high_s=1.1e-5, seed_s=8e-6, speedup=speedup, vs_champion=speedup
        )
        return Verdict(
            status=Status.SLOWER,
            reason=f"{1 - ratio:.1%} more time than the champion",
            speedup=speedup,
            vs_champion=speedup,
            median_s=1e-5,
            seed_s=8e-6,
            cases=dict.fromkeys(self.names, result),
            machine=str(this_machine()),
        )

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError("the search of this benchmark never moves to another machine")


class Watch:
    """A view that shows nothing and notes when each attempt was done, and how much memory the process then held."""

    def __init__(self) -> None:
        self.done_s: list[float] = []
        self.memory_mb: list[float] = []

    def open(self, header: object) -> None:
        self.done_s.append(time.perf_counter())

    def note(self, text: str) -> None: ...

    def asking(self, number: int) -> None: ...

    def replied(self, proposal: Proposal) -> None: ...

    def judging(self, number: int) -> None: ...

    def attempt(self, attempt: Attempt, scores: object) -> None:
        self.done_s.append(time.perf_counter())
        self.memory_mb.append(resident_mb())

    def close(self, reason: str, scores: object) -> None: ...

    def window(self, end: int) -> tuple[float, float]:
        """Median milliseconds per attempt over the hundred attempts that end there, and the memory there."""
        steps = [
            1e3 * (b - a)
            for a, b in zip(self.done_s[end - WINDOW : end], self.done_s[end - WINDOW + 1 : end + 1], strict=True)
        ]
        return statistics.median(steps), self.memory_mb[end - 1]


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(attempts: int) -> Watch:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "linear"
        shutil.copytree(ROOT / "linear", folder, ignore=shutil.ignore_patterns("runs", "winners", "__pycache__"))
        for name in ("SCORES.json", "MEMORY.json"):
            (folder / name).unlink(missing_ok=True)
        experiment = contract.load(folder)
        with subprocess.Popen(
            [sys.executable, str(Path(__file__)), "--serve"], stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            try:
                return run(experiment, url, attempts)
            finally:
                server.terminate()


def run(experiment: contract.Experiment, url: str, attempts: int) -> Watch:
    proposer = choose(experiment, Choice(model="loopback", base_url=url), os.environ)

    def free(given: contract.Experiment, stop: Stop) -> FreeJudge:
        return FreeJudge(given)

    watch = Watch()
    options = Options(budget=Budget(attempts=attempts), commit=False)
    gc.freeze()  # as loop.py does before it searches
    asyncio.run(search(Search(experiment, proposer, options, free), watch))
    return watch


def serve() -> None:
    """A model that answers at once, each time with another correct function."""
    naive = (ROOT / "linear" / "naive.c").read_text()
    numbers = itertools.count(1)

    def reply(request: Received) -> str:
        changed = naive.replace("int r = 0;", f"int r = 0 * {next(numbers)};")
        return f"Another order.\n\n```c\n{changed}```\n"

    with Loopback(reply) as server:
        print(server.base_url, flush=True)
        signal.pause()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve()
        return 0
    watch = measure(args.attempts)
    ends = [end for end in (100, 1000, 10_000) if end <= args.attempts]
    rows = [(end, *watch.window(end)) for end in ends]
    for end, ms, mb in rows:
        print(json.dumps({"schema": 1, "benchmark": "overhead", "attempt": end, "median_ms": ms, "resident_mb": mb}))
    first_ms = rows[0][1]
    print(f"\n{'attempt':>8} {'ms':>8} {'of the first':>14} {'resident MB':>12}")
    for end, ms, mb in rows:
        print(f"{end:>8} {ms:>8.2f} {ms / first_ms:>14.2f} {mb:>12.0f}")
    print(f"targets: {LIMIT_MS} ms at attempt 100, at most {GROWTH} times that at 10,000, {MEMORY_MB} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

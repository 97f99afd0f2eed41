"""How close many requests in flight come to the ideal: a model on loopback with a scripted latency, an evaluator of
0.2 s that stands in for the judge, everything recorded.

The ideal asks the next the moment a reply arrives, or with one job the moment it is judged, and evaluates one at a
time. Each run is a process of its own, and so is the model. The evaluator also does a fixed piece of work on the CPU,
alone on the core that is measured on, and times it: what the pipeline does beside it should not show there. Where the
latency is `build`, it is fixed and every reply is also built by gcc, for about 0.3 s; its ideal builds and
evaluates one after the other, so that more than 1 is what preparing ahead gains. `resident_mb` is the loop with all
processes that it starts, gcc and git too, without the model's server. Prints JSON lines, then a table.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --jobs 1 8 --latency build --attempts 16
"""

import argparse
import asyncio
import gc
import hashlib
import heapq
import itertools
import json
import math
import os
import random
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
gc.disable()  # as loop.py loads its modules

from overhead import FreeJudge

from harness import contract
from harness.ask.proposer import Choice, choose
from harness.judge.clock import Stop
from harness.judge.quiet import alone, aside
from harness.judge.toolchain import Artifact, build
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Attempt, Proposal, Verdict
from harness.search import Options, Search
from loop import search
from loopback import Answer, Loopback, Received

MEAN_S, SIGMA, EVALUATION_S = 2.0, 0.7, 0.2
WORK_BYTES = 4 << 20
BRANCHES = 4000  # of the source that is built: they keep gcc busy for about 0.3 s
BUILT = "void total(float *x, int n) {{\n    float s = 0;\n{branches}    *x = s;\n}}\n"
BUILD = "build"
TARGETS = {
    "fixed": "at least 0.99 from the first request, 0.95 for the process",
    "heavy": "at least 1 / 1.15 at 4 and 8",
    BUILD: "work_ms at 8 within 2 % of that at 1",
}
MEMORY_MB = 200
LOOK_S = 0.05  # between two looks at the memory


def latencies(kind: str, attempts: int) -> list[float]:
    """Of each request in the order in which they come; the same for every run."""
    if kind != "heavy":
        return [MEAN_S] * attempts
    draw = random.Random(attempts)
    return [draw.lognormvariate(math.log(MEAN_S) - SIGMA**2 / 2, SIGMA) for _ in range(attempts)]


def ideal_s(waits_s: Sequence[float], jobs: int, judging_s: float) -> float:
    """From the first request to the last verdict, where nothing else takes time."""
    if jobs == 1:
        return sum(waits_s) + judging_s * len(waits_s)
    flying = sorted(waits_s[:jobs])
    rest, judged_s = list(waits_s[jobs:]), 0.0
    while flying:
        arrived_s = heapq.heappop(flying)
        if rest:
            heapq.heappush(flying, arrived_s + rest.pop(0))
        judged_s = max(judged_s, arrived_s) + judging_s
    return judged_s


class Evaluator(FreeJudge):
    """Takes 0.2 s for a verdict, part of it a fixed piece of work; builds before it where `builds` says so."""

    def __init__(self, experiment: contract.Experiment, stop: Stop, *, builds: bool) -> None:
        super().__init__(experiment)
        self.build_s: list[float] = []
        self.work_s: list[float] = []
        self._stop, self._builds = stop, builds
        self._work = bytes(WORK_BYTES)

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        began_s = time.perf_counter()
        if self._builds:
            branches = "".join(f"    if (s > {n}) s += x[{n % 7}] * s;\n" for n in range(BRANCHES))
            with aside(self._stop):
                began_s = time.perf_counter()
                built = build(BUILT.format(branches=branches), "void total(float *x, int n)", ("-O2",), 60, self._stop)
            assert isinstance(built, Artifact)
        self.build_s.append(time.perf_counter() - began_s)
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        with alone(self._stop) as cpu:
            if cpu >= 0:
                os.sched_setaffinity(0, {cpu})  # where a candidate would be
            began_s = time.perf_counter()
            hashlib.sha256(self._work).digest()
            self.work_s.append(time.perf_counter() - began_s)
            time.sleep(max(0.0, began_s + EVALUATION_S - time.perf_counter()))
        return super().measure(prepared, rivals, standings, alpha)


class Watch:
    """A view that shows nothing and notes when the first was asked for and the last recorded."""

    def __init__(self) -> None:
        self.first_s = self.last_s = 0.0

    def open(self, header: object) -> None: ...

    def note(self, text: str) -> None: ...

    def asking(self, number: int) -> None:
        self.first_s = self.first_s or time.perf_counter()

    def replied(self, proposal: Proposal) -> None: ...

    def judging(self, number: int) -> None: ...

    def attempt(self, attempt: Attempt, scores: object) -> None:
        self.last_s = time.perf_counter()

    def close(self, reason: str, scores: object) -> None: ...


def run(folder: Path, url: str, jobs: int, attempts: int, *, builds: bool) -> None:
    """One search, in the process that is measured; says how it went on standard output."""
    experiment = contract.load(folder)
    evaluators: list[Evaluator] = []

    def open_judge(given: contract.Experiment, stop: Stop) -> Evaluator:
        evaluators.append(Evaluator(given, stop, builds=builds))
        return evaluators[0]

    options = Options(budget=Budget(attempts=attempts), jobs=jobs, commit=False)
    proposer = choose(experiment, Choice(model="loopback", base_url=url), os.environ)
    watch = Watch()
    gc.freeze()
    gc.enable()
    asyncio.run(search(Search(experiment, proposer, options, open_judge), watch))
    found = {
        "search_s": watch.last_s - watch.first_s,
        "build_s": statistics.median(evaluators[0].build_s),
        "work_ms": 1e3 * statistics.median(evaluators[0].work_s),
    }
    print(json.dumps(found))


def serve(kind: str, attempts: int) -> None:
    """A model that takes its time, each time with another correct function."""
    naive = (ROOT / "linear" / "naive.c").read_text()
    waits_s, numbers, lock = latencies(kind, attempts), itertools.count(), threading.Lock()

    def reply(request: Received) -> Answer:
        with lock:
            number = next(numbers)
        changed = naive.replace("int r = 0;", f"int r = 0 * {number + 1};")
        return Answer(text=f"Another order.\n\n```c\n{changed}```\n", delay_s=waits_s[number % attempts])

    with Loopback(reply) as server:
        print(server.base_url, flush=True)
        signal.pause()


def most_resident_mb(pid: int, is_over: threading.Event) -> float:
    """Of a process and all that it starts, at once, at the worst of many looks. Pages that two of them share count
    twice, so it is never too little but for what came and went between two looks."""
    most_bytes = 0
    while not is_over.wait(LOOK_S):
        most_bytes = max(most_bytes, sum(map(resident_bytes, family(pid))))
    return most_bytes / 2**20


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = {int(child) for task in tasks for child in (task / "children").read_text().split()}
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return []
    return [pid, *(one for child in children for one in family(child))]


def resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (FileNotFoundError, ProcessLookupError):
        return 0


def searched(command: Sequence[str]) -> dict[str, float]:
    """What a search in a process of its own says of itself, and what is seen of it from outside."""
    began_s, is_over = time.perf_counter(), threading.Event()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, ThreadPoolExecutor() as pool:
        looking = pool.submit(most_resident_mb, process.pid, is_over)
        try:
            said, _ = process.communicate()
        finally:
            is_over.set()
        process_s = time.perf_counter() - began_s
    assert process.returncode == 0
    return {**json.loads(said), "resident_mb": looking.result(), "process_s": process_s}


def measure(kind: str, jobs: int, attempts: int) -> dict[str, Any]:
    me = [sys.executable, str(Path(__file__))]
    shape = ["--attempts", str(attempts)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "linear"
        shutil.copytree(ROOT / "linear", folder, ignore=shutil.ignore_patterns("runs", "winners", "__pycache__"))
        for name in ("SCORES.json", "MEMORY.json"):
            (folder / name).unlink(missing_ok=True)
        with subprocess.Popen([*me, "--serve", kind, *shape], stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            try:
                command = [*me, "--run", str(folder), "--url", url, "--jobs", str(jobs), "--latency", kind, *shape]
                found = searched(command)
            finally:
                server.terminate()
    best_s = ideal_s(latencies(kind, attempts), jobs, EVALUATION_S + found["build_s"])
    about = {"schema": 1, "benchmark": "pipeline", "latency": kind, "jobs": jobs, "attempts": attempts}
    shares = {"of_ideal": best_s / found["search_s"], "process_of_ideal": best_s / found["process_s"]}
    return {**about, "ideal_s": best_s, **found, **shares}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--latency", choices=list(TARGETS), nargs="+", default=list(TARGETS))
    parser.add_argument("--attempts", type=int, default=40)
    for hidden in ("--serve", "--run", "--url"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.attempts)
        return 0
    if args.run:
        run(Path(args.run), args.url, args.jobs[0], args.attempts, builds=args.latency == [BUILD])
        return 0
    rows = []
    for kind, jobs in itertools.product(args.latency, args.jobs):
        rows.append(measure(kind, jobs, args.attempts))
        print(json.dumps(rows[-1]), flush=True)
    columns = "latency jobs ideal_s search_s of_ideal process_s process_of_ideal build_s work_ms resident_mb".split()
    print("\n" + "".join(f"{name:>17}" for name in columns))
    for row in rows:
        cells = (row[name] for name in columns)
        print("".join(f"{cell:>17.3f}" if isinstance(cell, float) else f"{cell:>17}" for cell in cells))
    print("targets: " + "; ".join(f"{kind}: {target}" for kind, target in TARGETS.items()) + f"; {MEMORY_MB} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

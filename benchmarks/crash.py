"""Whether a search survives `kill -9` at any moment: it is killed so many times, and resumed each time.

A real search with commits, of the small experiment `total` and recorded replies, in a repository of its own that also
holds somebody's staged and unstaged work. Three runs of four get scripted verdicts, so that most moments are those of
writing and committing; the fourth has the real judge, with gcc and candidates' processes to leave behind. Half of
the kills take every process of the run at once, as the end of a container does, git and gcc in sessions of their own
included; a third of these wait for a git that may hold a lock of the repository. Each run is a fork of this process,
which has imported everything before. After every kill the journal is looked at, at the end everything. Prints JSON
lines, then a table.

    python benchmarks/crash.py
    python benchmarks/crash.py --kills 20 --longest-s 0.6
"""

import argparse
import asyncio
import ctypes
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import loop
import scratch
from harness import contract
from harness.ask.models.replay import Replay
from harness.judge.clock import Stop
from harness.judge.judge import Judge  # noqa: F401 - imported once, here, and not in every run
from harness.judge.machine import fingerprint
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.keep.scores import Scores
from harness.records import CaseResult, Estimate, Status, Verdict
from harness.search import Options, Search
from harness.show import plots
from harness.show.views import Json
from whole import faults_at_the_end, faults_of_the_journal

PR_SET_CHILD_SUBREAPER = 36
ORPHANS_END_S = 5.0
AIMED_S, GIT_TAKES_S = 3.0, 0.01
RUN, TREE, GIT = "run", "all", "git"
KINDS = (Status.BEST, Status.SLOWER, Status.ACCEPTED, Status.WRONG)
SCRIPTED, REAL = "scripted", "real"


class Scripted:
    """In place of the judge: a verdict at once, by the candidate's own words, so that it is the same after a kill."""

    def __init__(self, experiment: contract.Experiment) -> None:
        self._machine = fingerprint(experiment)

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        number = int(prepared.source.partition(".0f / ")[2].partition(".")[0])
        status = KINDS[number % len(KINDS)]
        if status is Status.WRONG:
            return Verdict(status=status, reason="out[0] is 1.5, must be 2.25", machine=self._machine)
        ratio = 1 + number / 1000 if status.is_winner else 0.9
        speedup = Estimate(ratio=ratio, low=ratio * 0.99, high=ratio * 1.01)
        case = CaseResult(median_s=1e-6, low_s=1e-6, high_s=1e-6, seed_s=1e-6, speedup=speedup, vs_champion=speedup)
        return Verdict(
            status=status,
            reason="by the script",
            speedup=speedup,
            vs_champion=speedup,
            median_s=1e-6,
            seed_s=1e-6,
            cases={"long": case},
            machine=self._machine,
        )

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError("this search never moves to another machine")


@dataclass(frozen=True, slots=True)
class Place:
    """Where it all happens."""

    experiment: Path
    replies: Path


def make(folder: Path, attempts: int) -> Place:
    """The experiment in a repository with work of somebody else's in it, and the replies of the model."""
    experiment = scratch.write_total(folder / "repository" / "total")
    repository = scratch.make_repository(experiment.parent)
    (repository / "staged.txt").write_text("staged\n")
    scratch.git(repository, "add", "staged.txt")
    (repository / "staged.txt").write_text("changed since\n")
    replies = [scratch.PROSE + f" {n}" if n % 5 == 0 else scratch.fenced(_another(n)) for n in range(1, attempts + 1)]
    scratch.write_replies(folder / "replies", *replies)
    return Place(experiment, folder / "replies")


def _another(number: int) -> str:
    """The seed again, as code that was not seen before."""
    return scratch.SEED.replace("sum += x[i];", f"sum = (sum + x[i]) * {number}.0f / {number}.0f;")


def search(place: Place, how: str, jobs: int, attempts: int) -> int:
    """One run, in a process of its own; ends with the exit code."""
    if how == REAL:
        model = f"replay:{place.replies}"
        return loop.main(
            [str(place.experiment), "--json", "--loop", str(attempts), "--jobs", str(jobs), "--model", model]
        )
    options = Options(budget=Budget(attempts=attempts), jobs=jobs)

    def scripted(given: contract.Experiment, stop: Stop) -> Scripted:
        return Scripted(given)

    looking = Search(contract.load(place.experiment), Replay(place.replies), options, scripted)
    asyncio.run(loop.search(looking, Json(io.StringIO())))
    return 0


def fork(place: Place, how: str, jobs: int, attempts: int, said: Path) -> int:
    """`search` in a child; returns its id. What it prints goes into a file."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.setpgid(0, 0)
        descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        code = search(place, how, jobs, attempts)
        sys.stdout.flush()
    finally:
        os._exit(code)


def kill_all(pid: int) -> None:
    """The process and every one below it, as at one moment: they are stopped first, so that none sees another end."""
    stopped: set[int] = set()
    while new := {pid, *scratch.descendants(pid)} - stopped:
        for one in new:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGSTOP)
        stopped |= new
    for one in stopped:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def wait_for_git(experiment: Path) -> None:
    """Until a git is about to take a lock, if one is before long."""
    note, deadline_s = experiment / "runs" / "committing", time.monotonic() + AIMED_S
    while not note.exists() and time.monotonic() < deadline_s:
        time.sleep(0.0002)


def orphans() -> list[int]:
    """What a killed run left running: its children become this process's, and have a moment to end."""
    deadline_s = time.monotonic() + ORPHANS_END_S
    while time.monotonic() < deadline_s:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.005)
        except ChildProcessError:
            return []
    return scratch.descendants(os.getpid())


def crash(place: Place, kills: int, longest_s: float, draw: random.Random) -> list[dict[str, Any]]:
    """Every kill as a row, with what was found after it."""
    rows, before = [], b""
    journal, said = place.experiment / "runs" / "journal.jsonl", place.replies.parent / "said"
    for number in range(1, kills + 1):
        how, after_s = (SCRIPTED if number % 4 else REAL), draw.uniform(0, longest_s)
        aim, jobs = draw.choice((RUN, RUN, RUN, TREE, TREE, GIT)), draw.choice((1, 3))
        pid = fork(place, how, jobs, len(list(place.replies.iterdir())), said)
        time.sleep(after_s)
        if aim == GIT:
            wait_for_git(place.experiment)
            time.sleep(draw.uniform(0, GIT_TAKES_S))
        if aim != RUN:
            kill_all(pid)
        else:
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        locks = len(list((place.experiment.parent / ".git").rglob("*.lock")))
        faults = [f"process {orphan} was left behind" for orphan in orphans()]
        if not os.WIFSIGNALED(status):
            faults.append(f"the run ended by itself: {said.read_text()[-300:]}")
        now = journal.read_bytes() if journal.is_file() else b""
        faults += faults_of_the_journal(place.experiment, place.replies, before)
        before = now
        kinds = Counter(event["kind"] for event in scratch.journal_lines(now))
        row = {
            "schema": 1,
            "benchmark": "crash",
            "kill": number,
            "judge": how,
            "jobs": jobs,
            "aim": aim,
            "locks": locks,
        }
        rows.append(row | {"after_s": round(after_s, 3), "attempts": kinds["judged"], "committed": kinds["committed"]})
        rows[-1]["faults"] = faults
        print(json.dumps(rows[-1]), flush=True)
    return rows


def finish(place: Place) -> dict[str, Any]:
    """One run more, to its end, and then everything has to agree."""
    began_s = time.monotonic()
    said = place.replies.parent / "said"
    code = os.waitstatus_to_exitcode(os.waitpid(fork(place, SCRIPTED, 1, 12, said), 0)[1])
    faults = [f"the last run ended with {code}: {said.read_text()[-300:]}"] if code else []
    faults += faults_of_the_journal(place.experiment, place.replies, b"")
    faults += faults_at_the_end(place.experiment)
    return {"schema": 1, "benchmark": "crash", "end_s": round(time.monotonic() - began_s, 3), "faults": faults}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--longest-s", type=float, default=1.0, help="a run is killed at a moment up to this (1.0)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    args = parser.parse_args()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this kernel gives no orphans to this process")
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place = make(Path(folder), args.kills * 30)
        plots.search_svg(Scores(search="", experiment=""))  # imports matplotlib
        rows = crash(place, args.kills, args.longest_s, random.Random(args.seed))
        end = finish(place)
    print(json.dumps(end))
    print(f"\n{'judge':<10}{'kills':>7}{'faults':>8}")
    for how in (SCRIPTED, REAL):
        mine = [row for row in rows if row["judge"] == how]
        print(f"{how:<10}{len(mine):>7}{sum(len(row['faults']) for row in mine):>8}")
    print(f"{'the end':<10}{'':>7}{len(end['faults']):>8}")
    last = rows[-1] if rows else {"attempts": 0, "committed": 0}
    print(f"{sum(row['locks'] > 0 for row in rows)} kills left a lock of git's")
    print(f"{last['attempts']} attempts, {last['committed']} winners committed, {time.monotonic() - began_s:.0f} s")
    return int(bool(end["faults"] or any(row["faults"] for row in rows)))


if __name__ == "__main__":
    sys.exit(main())

"""Killed at any moment, a search goes on as if nothing had been: `benchmarks/crash.py` does it a few hundred times."""

import json
import shutil
import subprocess
from pathlib import Path

import scratch
from harness.contract import load
from harness.keep.store import Store
from harness.records import Attempt, Candidate, Estimate, Proposal, Status, Verdict
from harness.show.snapshots import PAGES

SECOND = Estimate(ratio=2.0, low=1.9, high=2.1)


def test_twenty_kills_lose_nothing_double_nothing_and_leave_nothing_behind() -> None:
    command = [scratch.PYTHON, "benchmarks/crash.py", "--kills", "20", "--longest-s", "0.6"]
    done = subprocess.run(command, cwd=scratch.ROOT, env=scratch.environment(), capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [fault for row in rows for fault in row["faults"]] == [], done.stdout
    assert (done.returncode, len(rows)) == (0, 21), done.stderr
    assert rows[-2]["committed"] >= 3


def test_a_winner_whose_file_a_power_cut_took_is_there_again_when_the_search_goes_on(tmp_path: Path) -> None:
    experiment = load(scratch.write_total(tmp_path / "total"))
    who = {"number": 1, "parent": "seed", "model": "m"}
    answer = Proposal(**who, reply="", asked_at="", seconds=0.0)
    verdict = Verdict(status=Status.BEST, reason="", speedup=SECOND, median_s=1.0, seed_s=2.0)
    with Store(experiment, PAGES, commit=False) as store:
        store.proposed(answer, "the prompt")
        store.keep(Attempt(**who, at="", candidate=Candidate(source=scratch.FASTER, digest="1"), verdict=verdict))
    shutil.rmtree(experiment.runs / "0001")
    with Store(experiment, PAGES, commit=False) as store:
        assert store.champion_source() == scratch.FASTER

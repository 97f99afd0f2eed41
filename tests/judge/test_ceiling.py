"""The ceiling as a bound on verdicts: who is beyond it is refused, and who was judged without it is told so."""

import subprocess
from dataclasses import replace
from pathlib import Path

from harness import contract
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.records import Status
from scratch import FASTER, PYTHON, ROOT, SLOWER, environment, write_total

JUDGED_WITHOUT = f"""
import sys
from pathlib import Path
from harness import contract
from harness.judge import roofline, toolchain
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings

roofline.ceiling(Stop())
program, = (path for path in toolchain.cache_folder().glob("roofline-*") if path.suffix != ".json")
program.write_text("#!/bin/false")
program.with_name(f"{{program.name}}.json").unlink()
judge = Judge(contract.load(Path(sys.argv[1])), Stop())
found = judge.judge({SLOWER!r}, Rivals(champion=judge.seed), Standings(is_new_combination=False), 0.05)
print(found.status, *found.unguarded)
"""


def test_a_winner_beyond_the_ceiling_is_refused_when_measured_again(tmp_path: Path) -> None:
    total = contract.load(write_total(tmp_path / "total"))
    boasts = replace(total, evaluation=replace(total.evaluation, work=lambda case: {"flops": 1e9, "bytes": 0}))
    found = Judge(boasts, Stop()).remeasure(FASTER)
    assert (found.status, "times what this machine can do" in found.reason) == (Status.FORBIDDEN, True), found.reason


def test_a_verdict_without_a_ceiling_names_it(tmp_path: Path) -> None:
    folder = write_total(tmp_path / "total")
    done = subprocess.run(
        [PYTHON, "-c", JUDGED_WITHOUT, str(folder)],
        cwd=ROOT,
        env=environment(XDG_CACHE_HOME=str(tmp_path / "cache")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split()[-1:] == ["ceiling"], done.stderr

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import KeepError
from harness.keep.lock import ExperimentLock

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, time
from pathlib import Path
from harness.keep.lock import ExperimentLock
with ExperimentLock(Path(sys.argv[1]), "linear"):
    print("held", flush=True)
    time.sleep(60)
"""


def _holder(runs: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(runs)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_second_loop_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    holder = _holder(tmp_path / "runs")
    try:
        with pytest.raises(KeepError) as raised, ExperimentLock(tmp_path / "runs", "linear"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    assert raised.value.message == f"another loop (pid {holder.pid}) is searching linear"
    assert raised.value.hint


def test_the_lock_of_a_killed_process_is_no_obstacle(tmp_path: Path) -> None:
    holder = _holder(tmp_path / "runs")
    holder.kill()
    holder.communicate()
    with ExperimentLock(tmp_path / "runs", "linear"):
        assert (tmp_path / "runs" / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_can_be_taken_again_once_it_is_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        with ExperimentLock(tmp_path, "linear"):
            pass


def test_two_in_one_process_exclude_each_other_too(tmp_path: Path) -> None:
    with ExperimentLock(tmp_path, "linear"), pytest.raises(KeepError), ExperimentLock(tmp_path, "linear"):
        pass


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    with ExperimentLock(tmp_path, "linear"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        with ExperimentLock(tmp_path, "linear"):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(KeepError, match="cannot lock"), ExperimentLock(tmp_path / "runs", "linear"):
        pass

"""One measurement at a time on the machine: real processes that want it at once."""

import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from harness.errors import JudgeError
from harness.judge.clock import Interrupted, Stop
from harness.judge.quiet import alone

ROOT = Path(__file__).resolve().parents[2]
HOLD = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from harness.judge.clock import Stop\n"
    "from harness.judge.quiet import alone\n"
    "for _ in range(int(sys.argv[1])):\n"
    "    with alone(Stop(), Path(sys.argv[3]), longest_s=1.0):\n"
    "        began = time.monotonic()\n"
    "        time.sleep(float(sys.argv[2]))\n"
    "        print(began, time.monotonic(), flush=True)\n"
)


def holder(folder: Path, times: int, seconds: float) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(times), str(seconds), str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_never_measure_at_once(tmp_path: Path) -> None:
    both = [holder(tmp_path, 10, 0.01), holder(tmp_path, 10, 0.01)]
    spans = sorted(
        tuple(map(float, line.split())) for process in both for line in process.communicate()[0].splitlines()
    )
    assert len(spans) == 20
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_a_killed_holder_leaves_the_place_free(tmp_path: Path) -> None:
    held = holder(tmp_path, 2, 0.01)
    assert held.stdout is not None
    held.stdout.readline()
    held.kill()
    held.wait()
    assert len(holder(tmp_path, 1, 0.01).communicate(timeout=10)[0].split()) == 2


def test_who_waits_can_be_interrupted() -> None:
    stop = Stop()
    threading.Timer(0.1, stop.set).start()
    with alone(Stop()), pytest.raises(Interrupted), alone(stop):
        pass


def test_a_holder_that_was_stopped_is_named_to_whoever_waits_too_long(tmp_path: Path) -> None:
    held = holder(tmp_path, 1, 60)
    try:
        path = tmp_path / "loop.py-measuring.lock"
        while not (path.is_file() and path.read_text().strip()):
            assert held.poll() is None
        with pytest.raises(JudgeError, match=f"process {held.pid} keeps"), alone(Stop(), tmp_path):
            pass
    finally:
        held.kill()
        held.communicate()


def test_users_with_a_temporary_folder_of_their_own_share_the_place(tmp_path: Path) -> None:
    waits = (
        "from harness.judge.clock import Stop\nfrom harness.judge.quiet import alone\nwith alone(Stop()): print('in')"
    )
    with alone(Stop()):
        other = subprocess.Popen(
            [sys.executable, "-c", waits],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.communicate(timeout=1)
    assert other.communicate(timeout=60)[0] == "in\n"


def test_the_cores_are_given_back(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    with alone(Stop()) as cpu:
        assert cpu == -1 or cpu not in os.sched_getaffinity(0)
    assert os.sched_getaffinity(0) == before


def test_a_place_that_cannot_be_opened_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "loop.py-measuring.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JudgeError, match=r"loop\.py-measuring\.lock"), alone(Stop(), tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()

"""One measurement at a time on the machine: real processes that want it at once."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from harness.errors import JudgeError
from harness.judge.clock import Interrupted, Stop
from harness.judge.quiet import alone, apart, aside, beside, twins

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
        _wait_until_held(tmp_path, held)
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


@pytest.mark.parametrize(
    ("allowed", "cores"), [({9000}, set()), ({9000, 9001, 9002}, set()), ({9000, 9001, 9002, 9003}, {9000, 9001, 9002})]
)
def test_a_core_is_worked_on_beside_a_measurement_only_where_enough_are_left(
    allowed: set[int], cores: set[int]
) -> None:
    assert set(apart(allowed)) == cores


@pytest.fixture
def one_core() -> Iterator[None]:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


def _wait_until_held(folder: Path, held: "subprocess.Popen[str]") -> None:
    path = folder / "loop.py-measuring.lock"
    while not (path.is_file() and path.read_text().strip()):
        assert held.poll() is None


@pytest.mark.usefixtures("one_core")
def test_where_cores_are_few_a_build_waits_while_somebody_measures(tmp_path: Path) -> None:
    held = holder(tmp_path, 1, 0.5)
    _wait_until_held(tmp_path, held)
    with aside(Stop(), tmp_path):
        began_s = time.monotonic()
    assert began_s > float(held.communicate()[0].split()[1])


@pytest.mark.usefixtures("one_core")
def test_where_cores_are_few_nobody_measures_during_a_build(tmp_path: Path) -> None:
    with aside(Stop(), tmp_path):
        held = holder(tmp_path, 1, 0.0)
        with pytest.raises(subprocess.TimeoutExpired):
            held.communicate(timeout=0.7)
    held.communicate(timeout=10)


@pytest.mark.usefixtures("one_core")
def test_a_build_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    stop = Stop()
    threading.Timer(0.1, stop.set).start()
    with alone(Stop(), tmp_path), pytest.raises(Interrupted), aside(stop, tmp_path):
        pass


@pytest.mark.skipif(not apart(os.sched_getaffinity(0)), reason="needs more cores")
def test_where_cores_are_many_a_build_waits_for_nobody_and_keeps_off_the_core_that_is_measured_on(
    tmp_path: Path,
) -> None:
    allowed, held = os.sched_getaffinity(0), holder(tmp_path, 1, 60)
    try:
        _wait_until_held(tmp_path, held)
        with aside(Stop(), tmp_path):
            assert max(allowed) not in os.sched_getaffinity(0)
    finally:
        held.kill()
        held.communicate()


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


def test_the_judge_waits_on_another_core_than_the_runner_s_and_off_its_silicon_where_it_can() -> None:
    every = set(range(os.cpu_count() or 1))
    runner = max(every)
    assert runner not in beside(every) and bool(beside(every)) == (len(every) > 1)
    assert not beside(every) & twins(runner) or every == twins(runner)

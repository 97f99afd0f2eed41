"""A killed process leaves its working folder; the next one takes it away, and none that is in use."""

import os
import subprocess
from pathlib import Path

import scratch

HOLD = (
    "import sys\nfrom harness.workplace import workplace\n"
    "with workplace() as folder:\n    print(folder, flush=True)\n    sys.stdin.read()\n"
)
LONG_AGO_S = 1e9


def _holder(folder: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process in its working folder, which has been there for long."""
    process = subprocess.Popen(
        [scratch.PYTHON, "-c", HOLD],
        cwd=scratch.ROOT,
        env=scratch.environment(TMPDIR=str(folder)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    held = Path(process.stdout.readline().strip())
    os.utime(held, (LONG_AGO_S, LONG_AGO_S))
    return process, held


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_stays(tmp_path: Path) -> None:
    (killed, left), (alive, used) = _holder(tmp_path), _holder(tmp_path)
    killed.kill()
    killed.wait()
    assert left.is_dir()
    third, _ = _holder(tmp_path)
    assert (left.is_dir(), used.is_dir()) == (False, True)
    for process in (alive, third):
        process.communicate("")
    assert list(tmp_path.iterdir()) == []

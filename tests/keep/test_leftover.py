"""Locks that a killed git leaves: ours are removed when a search goes on, another's never."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.keep.archive import Archive
from scratch import ROOT, is_alive, make_repository, write_total

# A loop in the middle of a commit: the note is written, and git holds the index and waits for names that never come.
COMMITS = """\
import subprocess, sys
from pathlib import Path
from harness.keep.leftover import noted
with noted(Path(sys.argv[1]) / "runs" / "committing"):
    git = subprocess.Popen(["git", "update-index", "--stdin"], cwd=sys.argv[1], stdin=subprocess.PIPE)
    print(git.pid, flush=True)
    git.wait()
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = write_total(tmp_path / "repository" / "total")
    make_repository(folder.parent)
    return folder


@pytest.fixture
def lock(experiment: Path) -> Path:
    return experiment.parent / ".git" / "index.lock"


def until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.fixture
def gits(experiment: Path, lock: Path) -> Iterator[list[int]]:
    """A loop that was killed while its git holds the index; the git's id."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMITS, experiment], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as loop:
        assert loop.stdout
        git = int(loop.stdout.readline())
        until(lock.exists)
        yield [loop.pid, git]
        for pid in (git, loop.pid):
            if is_alive(pid):
                os.kill(pid, 9)


def test_a_lock_of_ours_is_removed_and_the_search_commits_again(experiment: Path, lock: Path, gits: list[int]) -> None:
    loop, git = gits
    os.kill(git, signal.SIGSTOP)  # or it would come to its end as soon as nobody can give it names any more
    for pid in (loop, git):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(is_alive, gits)))
    assert lock.exists()
    Archive.open(experiment)
    assert not lock.exists() and not (experiment / "runs" / "committing").exists()


def test_a_lock_whose_git_is_still_at_work_stays(experiment: Path, lock: Path, gits: list[int]) -> None:
    Archive.open(experiment)
    assert lock.exists()


def test_a_lock_that_somebody_else_left_stays(experiment: Path, lock: Path) -> None:
    lock.touch()
    Archive.open(experiment)
    assert lock.exists()


@pytest.mark.parametrize("away_s", [-1, 60])
def test_a_lock_of_another_time_than_the_note_stays(experiment: Path, lock: Path, away_s: float) -> None:
    note = experiment / "runs" / "committing"
    note.parent.mkdir()
    for path in (note, lock):
        path.touch()
    os.utime(lock, (0, note.stat().st_mtime + away_s))
    Archive.open(experiment)
    assert lock.exists() and not note.exists()

import threading
import time
from collections.abc import Mapping

import pytest

from harness.keep.behind import Behind

SOON_S = 10.0


class Disk:
    """Notes what it is given; holds every write up until `free` is set, so that a test decides how slow it is."""

    def __init__(self, fault: OSError | None = None) -> None:
        self.written: list[str] = []
        self.flushes, self.fault = 0, fault
        self.began, self.free = threading.Event(), threading.Event()

    def write(self, texts: Mapping[str, str]) -> None:
        self.began.set()
        assert self.free.wait(SOON_S)
        self.written.append(texts["SCORES.md"])

    def flush(self) -> None:
        self.flushes += 1
        if self.fault:
            raise self.fault

    def holds(self, text: str) -> bool:
        end_s = time.monotonic() + SOON_S
        while text not in self.written and time.monotonic() < end_s:
            time.sleep(0.005)
        return text in self.written


def test_a_version_is_written_without_being_waited_for() -> None:
    disk = Disk()
    with Behind(disk.write, disk.flush) as behind:
        behind.refresh({"SCORES.md": "one"})
        assert not disk.written
        disk.free.set()
        assert disk.holds("one")


def test_of_what_came_while_the_disk_was_busy_only_the_newest_is_written() -> None:
    disk = Disk()
    with Behind(disk.write, disk.flush) as behind:
        behind.refresh({"SCORES.md": "one"})
        assert disk.began.wait(SOON_S)
        behind.refresh({"SCORES.md": "two"})
        behind.refresh({"SCORES.md": "three"})
        disk.free.set()
        assert disk.holds("three")
    assert disk.written == ["one", "three"]


def test_the_last_version_of_a_burst_is_written_though_none_follows() -> None:
    disk = Disk()
    disk.free.set()
    with Behind(disk.write, disk.flush) as behind:
        for number in range(1000):
            behind.refresh({"SCORES.md": str(number)})
        assert disk.holds("999")


def test_after_settling_nothing_older_is_written_over_what_the_caller_writes() -> None:
    disk = Disk()
    with Behind(disk.write, disk.flush) as behind:
        behind.refresh({"SCORES.md": "one"})
        assert disk.began.wait(SOON_S)
        behind.refresh({"SCORES.md": "two"})
        disk.free.set()
        behind.settle()
        disk.written.append("the caller's")
    assert disk.written == ["one", "the caller's"]


def test_a_version_that_follows_a_settling_is_written() -> None:
    disk = Disk()
    disk.free.set()
    with Behind(disk.write, disk.flush) as behind:
        behind.refresh({"SCORES.md": "one"})
        behind.settle()
        behind.refresh({"SCORES.md": "two"})
        assert disk.holds("two")


def test_what_was_appended_is_flushed_though_nothing_follows() -> None:
    disk = Disk()
    with Behind(disk.write, disk.flush) as behind:
        behind.flush()
        behind.settle()
    assert disk.flushes == 1


def test_a_fault_is_raised_where_the_next_write_is_asked_for() -> None:
    disk = Disk(fault=OSError("no space left"))
    with Behind(disk.write, disk.flush) as behind:
        behind.flush()
        end_s = time.monotonic() + SOON_S
        with pytest.raises(OSError, match="no space left"):
            while time.monotonic() < end_s:
                behind.flush()


def test_a_fault_of_the_last_write_is_raised_on_settling() -> None:
    disk = Disk(fault=OSError("no space left"))
    with Behind(disk.write, disk.flush) as behind:
        behind.flush()
        with pytest.raises(OSError, match="no space left"):
            behind.settle()

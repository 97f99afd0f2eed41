"""`status --watch` beside a search: it sees each change, holds nothing up and ends with Ctrl-C."""

import json
import os
import pty
from pathlib import Path

import scratch
from harness import contract
from harness.keep.store import Store
from harness.records import Status
from harness.show.snapshots import PAGES
from keep.samples import attempt, proposal


def test_each_change_is_one_object_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder = scratch.write_total(tmp_path / "total")
    process = scratch.start(scratch.ROOT / "loop.py", "status", folder, "--watch", "--json")
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    with Store(contract.load(folder), PAGES, commit=False) as store:  # its lock is free while somebody watches
        store.proposed(proposal(1), "")
        store.keep(attempt(1, Status.WRONG))
    second = json.loads(process.stdout.readline())
    scratch.interrupt(process)
    done = scratch.finish(process)
    assert (first["attempts"], second["attempts"], second["counts"]) == (0, 1, {"wrong": 1})
    assert (done.code, done.err) == (130, "interrupted.\n")


def test_on_a_terminal_the_page_is_drawn_in_place(tmp_path: Path) -> None:
    folder = scratch.write_total(tmp_path / "total")
    master, terminal = pty.openpty()
    command = [scratch.PYTHON, str(scratch.ROOT / "loop.py"), "status", str(folder), "--watch"]
    environment = scratch.environment(TERM="xterm")
    pid = os.posix_spawn(
        scratch.PYTHON, command, environment, file_actions=[(os.POSIX_SPAWN_DUP2, terminal, fd) for fd in (1, 2)]
    )
    drawn = b""
    while b"go on" not in drawn:
        drawn += os.read(master, 4096)
    os.kill(pid, 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert b"total: 0 attempts" in drawn and b"\x1b[" in drawn

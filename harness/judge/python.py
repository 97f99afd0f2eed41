"""A Python candidate as an arm of a comparison: one source in a process that is split off from a warm interpreter.

What it keeps between calls cannot be found, because an interpreter's memory never stays as it was; it is worth little,
because no two calls are fed alike. Decides nothing: how a process failed leaves here as a `Fault`.
"""

import array
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import metadata
from pathlib import Path

from harness.contract import CPU, Experiment
from harness.errors import JudgeError
from harness.judge import arm, device, toolchain
from harness.judge.clock import Interrupted, Piece, Stop
from harness.judge.fault import Fault
from harness.judge.inputs import ORDERS_BYTES, PAGE_BYTES, Arena, Workload
from harness.judge.signature import read_signature
from harness.judge.toolchain import Artifact
from harness.records import Status
from harness.workplace import workplace

_RAISED, _ANSWERED_WRONG = 6, 7  # python_runner.py's exit codes
_DESCRIBED_AT = ORDERS_BYTES - PAGE_BYTES  # as python_runner.py reads it
_ABSENT = "absent"
_IMPORT_S = 120.0
_POLL_S = 0.02
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}


class Interpreter:
    """A warm interpreter with the experiment's modules, from which every arm is split off. It sees no candidate."""

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        require_modules(experiment)
        self.experiment = experiment
        sources = [toolchain.HERE / name for name in ("door.c", "device_box.h", "sandbox.h", "shared.h")]
        door = toolchain.cached_tool("door.so", sources, "", ("-O2", "-shared", "-fPIC"))
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        runner = (sys.executable, "-I", "-B", str(Path(__file__).with_name("python_runner.py")))
        where = device.called_on(experiment)
        paths = os.pathsep.join(filter(os.path.isabs, sys.path[1:]))  # a user's own packages are there as well
        files = ExitStack()
        # What compilers leave there is found again by the next arm of the same source, and by no other.
        self.scratch = None if where == CPU else files.enter_context(workplace())
        with theirs:
            process = subprocess.Popen(
                [*runner, str(door), str(theirs.fileno()), where, paths, *experiment.flags],
                pass_fds=[theirs.fileno()],
                env={**_ONE_THREAD, **device.environment(experiment)},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.close = weakref.finalize(self, _end, process, self._socket, files)
        self._socket.settimeout(_IMPORT_S)
        answer = self._ready(stop)
        if answer == b"no cuda":
            raise JudgeError(
                f"{experiment.name}: torch {metadata.version('torch')} is built without CUDA.",
                "https://pytorch.org/get-started/locally has the line that installs it with CUDA.",
            )
        if answer != b"ready":
            modules = ", ".join(experiment.flags)
            raise JudgeError(
                f"{experiment.name}: the interpreter does not start, it cannot import {modules}.",
                f"{sys.executable} -c 'import {modules}' shows why.",
            )

    def split(self, order: dict[str, object], files: Sequence[int]) -> int:
        """A new process for an arm; returns its id."""
        given = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
        with suppress(BrokenPipeError, ConnectionResetError):  # it is gone: so is its answer
            self._socket.sendmsg([json.dumps(order).encode()], given)
        pid = int(self._answer() or 0)
        if pid <= 0:
            raise JudgeError("the interpreter cannot split off a process.", "see that there is memory left for it.")
        return pid

    def _ready(self, stop: Stop) -> bytes:
        """Its first answer, once everything is imported; nothing where that takes too long."""
        deadline = time.monotonic() + _IMPORT_S
        while not select.select([self._socket], (), (), _POLL_S)[0]:
            if stop:
                self.close()
                raise Interrupted
            if time.monotonic() > deadline:
                return b""
        return self._answer()

    def _answer(self) -> bytes:
        try:
            return self._socket.recv(64)
        except OSError:
            return b""


def require_modules(experiment: Experiment) -> None:
    """JudgeError where a module of the experiment's is not installed."""
    for name in experiment.flags:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise JudgeError(
                f"{experiment.name} needs {name}, which is not installed.",
                f"pip install -r {os.path.relpath(experiment.folder)}/requirements.txt",
            )


def _end(process: "subprocess.Popen[bytes]", connection: socket.socket, files: ExitStack) -> None:
    connection.close()
    process.kill()
    process.wait()
    files.close()


class Child:
    """A process that was split off, and is ours to wait for all the same."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if ended else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = time.monotonic() + (arm.SETTLE_S if timeout is None else timeout)
        while (code := self.poll()) is None and time.monotonic() < deadline:
            time.sleep(1e-3)
        return -signal.SIGKILL if code is None else code


class Arm(arm.Arm):
    """One process with one source."""

    guards = ("no_new_privs", "landlock", "seccomp")  # libraries read the time-stamp counter

    def __init__(
        self, interpreter: Interpreter, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop
    ) -> None:
        self._interpreter = interpreter
        self.is_staged = interpreter.experiment.device != CPU  # where the device is missing, too: so it is tried out
        self._columns = read_signature(interpreter.experiment).columns
        super().__init__(interpreter.experiment, artifact, arena, slot, cpu, stop)

    def _start(self, artifact: Artifact, base: int) -> Child:
        return self._split(artifact.content.decode(), artifact.digest, base)

    def _split(self, source: str, digest: str, base: int, *libraries: int) -> Child:
        """The arm's process, with this module and a shared object that it may call."""
        order: dict[str, object] = {
            "judge": os.getpid(),
            "base": base,
            "window_bytes": self.arena.window_bytes,
            "target": self.experiment.target,
            "is_staged": self.is_staged,
        }
        if self._interpreter.scratch:
            scratch = self._interpreter.scratch / digest
            scratch.mkdir(exist_ok=True)
            may_build = device.builds_later(self.experiment)
            order |= {"scratch": str(scratch), "readable": device.readable(), "may_build": may_build}
        text = os.memfd_create("loop-source", os.MFD_CLOEXEC)  # a message has less room than a source may take
        try:
            with open(text, "wb", closefd=False) as file:
                file.write(source.encode())
            return Child(self._interpreter.split(order, [self.arena.descriptor, self.arena.reader, text, *libraries]))
        finally:
            os.close(text)

    def _prepare(self, workload: Workload, first: int, count: int) -> tuple[Piece, ...]:
        """Says what the arguments look like, for tensors to be laid over them off the clock. What stands in them comes
        later, and is new at every visit."""
        inputs = {name: _ABSENT if shape is None else shape for name, shape in workload.contents.shapes.items()}
        shapes: dict[str, object] = {**inputs, self._columns[-1]: workload.shape}
        asked = {
            "calls": count,
            "table": workload.table.window_offset,
            "shapes": [shapes.get(name) for name in self._columns],
        }
        text = json.dumps(asked).encode() + b"\0"
        self._orders[_DESCRIBED_AT : _DESCRIBED_AT + len(text)] = bytearray(text)
        return workload.refresh(self.arena, first, count)

    def check_untouched(self) -> None:
        """Nothing can be shown here: see above."""

    def _fault(self, workload: Workload) -> Fault:
        where = f"case {workload.case.name}"
        if not self._has_ended():
            return Fault(Status.CRASHED, f"{where}: said done and went on running")
        said, code = self._said, self.process.returncode or 0
        message = "".join(c if c.isprintable() else " " for c in said["message"].decode("ascii", "replace"))
        if code in (_RAISED, _ANSWERED_WRONG):
            where = where if self._number > 2 else f"{where} or before"
            return Fault(Status.WRONG if code == _ANSWERED_WRONG else Status.CRASHED, f"{where}: {message}")
        number = int(said["signal"]) or -code
        if number <= 0:
            return Fault(Status.CRASHED, f"{where}: the process ended itself with {code}")
        return Fault(Status.CRASHED, f"{where}: {arm.SIGNALS.get(number, f'signal {number}')}")

"""What every arm of a comparison does: one process in a group of its own, asleep but for its visits.

Decides nothing: how a process failed leaves here as a `Fault`, which the judge turns into a verdict. What is loaded,
and how a call is made, is the business of native.py and python.py.
"""

import math
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from harness.contract import Experiment
from harness.errors import ContractError, JudgeError
from harness.judge.clock import Clock, Interrupted, Outcome, Piece, Stop, Task, Tick
from harness.judge.fault import Fault
from harness.judge.inputs import ORDERS_BYTES, PAGE_BYTES, SLOT_BYTES, Arena, Segment, Workload
from harness.judge.signature import read_signature
from harness.judge.toolchain import Artifact
from harness.records import Status

STACK_BYTES = 1 << 20
SETTLE_S = 1.0  # a machine may stand still for a while; a runner that does what it should needs microseconds
_DEVICE_OPENS_WITHIN_S = 60.0  # a context takes a second, on a machine with many devices ten
_ENTERED = 16  # shared.h's
_PROCESSOR_SHARE = 100  # times the limit of one visit: many visits pass through one process
_FUTEX = "202"  # the system call's number on x86-64
# Where shared.h's structs keep what; its LINE is 128 bytes.
_TABLE = 256 // 8
_SEGMENTS = _TABLE + 8
# Four words each; the last page of the orders is for what a Python arm is told of a visit.
MOST_SEGMENTS = ((ORDERS_BYTES - PAGE_BYTES) // 8 - _SEGMENTS) // 4
_CONTROL = np.dtype(
    {
        "names": ["signal", "signal_code", "fault_offset", "mode_changed", "achieved", "message"],
        "formats": [np.int32, np.int32, np.int64, np.uint32, np.uint32, "S200"],
        "offsets": [256, 260, 264, 272, 276, 280],
        "itemsize": PAGE_BYTES,
    }
)
SIGNALS: Mapping[int, str] = {
    signal.SIGSEGV: "touched memory it may not touch",
    signal.SIGBUS: "touched memory that is not there",
    signal.SIGILL: "ran an instruction this CPU does not have",
    signal.SIGFPE: "divided an integer by zero",
    signal.SIGABRT: "aborted",
    signal.SIGTRAP: "hit a trap",
    signal.SIGSYS: "made a system call",
    signal.SIGKILL: "was killed, most likely for its memory",
    signal.SIGXCPU: "used up its processor time",
}


class Process(Protocol):
    """As much of `subprocess.Popen` as an arm needs."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Arm(ABC):
    """One runner with one artifact. `guards` are the parts of the sandbox, in the order of shared.h's enum achieved."""

    guards: Sequence[str] = ("no_new_privs", "landlock", "seccomp", "no_timestamps")
    is_staged = False  # whether it works on a device, to and from which contents are brought off the clock

    def __init__(
        self, experiment: Experiment, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop
    ) -> None:
        self.experiment, self.arena = experiment, arena
        self.limit_s = experiment.limits.timeout_s
        self.opens_within_s = max(self.limit_s, _DEVICE_OPENS_WITHIN_S) if self.is_staged else self.limit_s
        base = slot * SLOT_BYTES
        self._orders = arena.bytes[base : base + ORDERS_BYTES]
        self._control = arena.bytes[base + ORDERS_BYTES : base + SLOT_BYTES]
        self._orders[:] = 0
        self._control[:] = 0
        self._words = self._orders.view(np.uint64)
        self._said = self._control.view(_CONTROL)[0]
        self._number = 0
        self._give_orders(cpu)
        self._clock: Clock | None = None
        self.process = self._start(artifact, base)
        try:
            addresses = self._orders.ctypes.data, self._control.ctypes.data
            self._clock = Clock(*addresses, self.process.pid, self.limit_s, stop, is_shared=cpu < 0)
            self._asleep = self._hello()
        except BaseException:
            self.close()
            raise
        achieved = int(self._said["achieved"])
        self.unguarded = tuple(name for bit, name in enumerate(self.guards) if not achieved >> bit & 1)
        """The parts of the sandbox that this kernel did not give, as the runner said before it loaded anything."""

    @abstractmethod
    def _start(self, artifact: Artifact, base: int) -> Process:
        """The runner, with its words from `base` on in the arena."""

    @abstractmethod
    def _prepare(self, workload: Workload, first: int, count: int) -> tuple[Piece, ...]:
        """Whatever comes before a visit; what is to be copied to the arm once it is awake."""

    @abstractmethod
    def _fault(self, workload: Workload) -> Fault:
        """Why the process ended, or did not go back to sleep."""

    @abstractmethod
    def check_untouched(self) -> None:
        """Fault where the candidate can be shown to have kept state."""

    def _give_orders(self, cpu: int) -> None:
        segments = self.arena.segments
        if len(segments) > MOST_SEGMENTS:
            raise ContractError(
                f"{self.experiment.name}: its cases have {len(segments)} buffers, at most {MOST_SEGMENTS} can be.",
                "time fewer CASES, or hand over fewer arrays.",
            )
        memory_bytes = self.experiment.limits.memory_mb << 20
        columns = len(read_signature(self.experiment).columns)
        processor_s = math.ceil(_PROCESSOR_SHARE * self.limit_s)
        self._words[_TABLE:_SEGMENTS] = np.array(
            [0, 0, columns, len(segments), cpu, memory_bytes, STACK_BYTES, processor_s], np.int64
        ).view(np.uint64)
        table = np.array([_row(segment) for segment in segments], np.uint64).ravel()
        self._words[_SEGMENTS : _SEGMENTS + table.size] = table

    def _hello(self) -> tuple[str, ...]:
        """The empty first visit, before the artifact is loaded: shows what this process looks like when it waits."""
        deadline = time.monotonic() + self.opens_within_s
        # Before it is in its box, a driver that is opened may sleep on a word of its own.
        while not (int(self._said["achieved"]) & _ENTERED and (asleep := self._posture())):
            if time.monotonic() > deadline or not self._is_visible():
                raise JudgeError(
                    f"cannot see how a runner sleeps: /proc/{self.process.pid}/syscall does not tell.",
                    "kernel.yama.ptrace_scope must be 0 or 1, and a container must allow to read it.",
                )
            if self.process.poll() is not None:
                said = self._said["message"].decode("ascii", "replace") or "it had loaded nothing yet"
                raise JudgeError(
                    f"the runner ended with {self.process.returncode} before its first visit: {said}.",
                    "`python loop.py doctor` checks what this machine allows.",
                )
        tick = self._go()
        if tick.outcome is not Outcome.DONE:
            raise JudgeError("the runner does not answer.", "`python loop.py doctor` checks what this machine allows.")
        return asleep

    def visit(self, workload: Workload, first: int, count: int) -> Tick:
        """`count` calls from row `first` on, by the judge's clock, from fire to done."""
        pieces = self._prepare(workload, first, count)
        workload.disclose(self.arena, first, count)
        start, size_bytes = workload.outputs(first, count)
        view, copy = self.arena.view(workload.output), workload.copy
        tick = self._go(
            pieces,
            table_offset=workload.table.window_offset,
            calls=count,
            output=view.ctypes.data + start,
            copy=copy.ctypes.data + start,
            output_bytes=size_bytes,
            staged=int(self.is_staged),
        )
        if tick.outcome is Outcome.TIMED_OUT:
            raise Fault(Status.TIMED_OUT, f"case {workload.case.name}: no answer within {self.limit_s:g} s")
        if tick.outcome is Outcome.ENDED or not self._settle(self._asleep):
            raise self._fault(workload)
        if self._said["mode_changed"]:
            raise Fault(Status.FORBIDDEN, f"case {workload.case.name}: left rounding or denormals changed (MXCSR)")
        return tick

    def _go(self, pieces: tuple[Piece, ...] = (), **work: int) -> Tick:
        self._number += 1
        assert self._clock is not None
        tick = self._clock.visit(Task(number=self._number, pieces=pieces, **work))
        if tick.outcome is Outcome.INTERRUPTED:
            raise Interrupted
        return tick

    def _posture(self) -> tuple[str, ...]:
        """How the process sleeps: on which word, stack and program counter; empty while it does anything else."""
        try:
            fields = self._system_call()
        except OSError:
            return ()
        return (fields[1], *fields[-2:]) if fields[0] == _FUTEX else ()

    def _is_visible(self) -> bool:
        """Whether this machine shows us what a process of ours waits in."""
        try:
            return bool(self._system_call())
        except (PermissionError, FileNotFoundError):
            return False
        except OSError:  # it has ended
            return True

    def _system_call(self) -> Sequence[str]:
        with open(f"/proc/{self.process.pid}/syscall", encoding="ascii") as file:
            return file.read().split()

    def _settle(self, asleep: tuple[str, ...], limit_s: float = SETTLE_S) -> bool:
        """Whether the process went back to sleep where it must."""
        deadline = time.monotonic() + limit_s
        while (posture := self._posture()) != asleep:
            if posture or time.monotonic() > deadline or self.process.poll() is not None:
                return False
        return True

    def _has_ended(self) -> bool:
        """Whether the process ended, soon if not now."""
        deadline = time.monotonic() + SETTLE_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(1e-3)
        return True

    def close(self) -> None:
        if self._clock:
            self._clock.close()
        if self.process.poll() is None:
            for end in (os.killpg, os.kill):  # one that was just split off leads no group yet
                with suppress(ProcessLookupError):
                    end(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(segment: Segment) -> tuple[int, int, int, int]:
    return segment.file_offset, segment.window_offset, segment.size_bytes, int(segment.writable)

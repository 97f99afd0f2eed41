"""A C candidate as an arm of a comparison: one process that holds one artifact and answers visits.

Decides nothing: how a process failed leaves here as a `Fault`, which the judge turns into a verdict.
"""

import math
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from harness.contract import Experiment
from harness.errors import JudgeError
from harness.judge import toolchain
from harness.judge.clock import Clock, Interrupted, Outcome, Stop, Task, Tick
from harness.judge.fault import Fault
from harness.judge.inputs import ORDERS_BYTES, PAGE_BYTES, SLOT_BYTES, Arena, Segment, Workload
from harness.judge.memory import Memory
from harness.judge.signature import invocation
from harness.judge.toolchain import Artifact
from harness.records import Status
from harness.source import parse_signature

STACK_BYTES = 1 << 20
_SETTLE_S = 1.0  # a machine may stand still for a while; a runner that does what it should needs microseconds
_GUARDS = ("no_new_privs", "landlock", "seccomp", "no_timestamps")  # shared.h's enum achieved
_PROCESSOR_SHARE = 100  # times the limit of one visit: many visits pass through one process
_SI_KERNEL = 0x80
_PROTECTION = "used an aligned access on data that is not, an address that cannot be, or the time-stamp counter"
_FUTEX = "202"  # the system call's number on x86-64
# Where shared.h's structs keep what; its LINE is 128 bytes.
_READY, _DONE = 0, 128
_TABLE = 256 // 8
_SEGMENTS = _TABLE + 8
_CONTROL = np.dtype(
    {
        "names": ["signal", "signal_code", "fault_offset", "mode_changed", "achieved", "message"],
        "formats": [np.int32, np.int32, np.int64, np.uint32, np.uint32, "S200"],
        "offsets": [256, 260, 264, 272, 276, 280],
        "itemsize": PAGE_BYTES,
    }
)
_SIGNALS: Mapping[int, str] = {
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


def runner(experiment: Experiment) -> Path:
    """The runner for this experiment's signature, built once."""
    sources = [toolchain.HERE / name for name in ("runner.c", "sandbox.h", "shared.h")]
    invoke = invocation(parse_signature(experiment.signature))
    return toolchain.cached_tool("runner", sources, invoke, ("-O2", "-Wl,-z,relro,-z,now", "-Wl,--no-as-needed", "-lm"))


class Arm:
    """One runner with one artifact, in a process group of its own, asleep but for its visits."""

    def __init__(
        self, experiment: Experiment, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop
    ) -> None:
        self.limit_s = experiment.limits.timeout_s
        self.arena = arena
        base = slot * SLOT_BYTES
        self._orders = arena.bytes[base : base + ORDERS_BYTES]
        self._control = arena.bytes[base + ORDERS_BYTES : base + SLOT_BYTES]
        self._orders[:] = 0
        self._control[:] = 0
        self._words = self._orders.view(np.uint64)
        self._said = self._control.view(_CONTROL)[0]
        self._number = 0
        self._give_orders(experiment, cpu)
        self._memory: Memory | None = None
        self._unguarded: tuple[str, ...] = ()
        self._clock: Clock | None = None
        self.process = self._start(runner(experiment), artifact, base)
        try:
            addresses = self._orders.ctypes.data, self._control.ctypes.data
            self._clock = Clock(*addresses, self.process.pid, self.limit_s, stop)
            self._asleep = self._hello()
        except BaseException:
            self.close()
            raise

    def _give_orders(self, experiment: Experiment, cpu: int) -> None:
        segments = self.arena.segments
        memory_bytes = experiment.limits.memory_mb << 20
        columns = len(parse_signature(experiment.signature).parameters)
        processor_s = math.ceil(_PROCESSOR_SHARE * self.limit_s)
        self._words[_TABLE:_SEGMENTS] = np.array(
            [0, 0, columns, len(segments), cpu, memory_bytes, STACK_BYTES, processor_s], np.int64
        ).view(np.uint64)
        table = np.array([_row(segment) for segment in segments], np.uint64).ravel()
        self._words[_SEGMENTS : _SEGMENTS + table.size] = table

    def _start(self, path: Path, artifact: Artifact, base: int) -> "subprocess.Popen[bytes]":
        loaded = os.memfd_create("loop-artifact", os.MFD_CLOEXEC)
        try:
            os.write(loaded, artifact.content)
            files = (self.arena.descriptor, self.arena.reader, loaded)
            numbers = (*files, base, base + ORDERS_BYTES, self.arena.window_bytes, os.getpid())
            return subprocess.Popen(
                [str(path), *map(str, numbers)],
                pass_fds=files,
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(loaded)

    def _hello(self) -> tuple[str, ...]:
        """The empty first visit, before the artifact is loaded: shows what this process looks like when it waits."""
        deadline = time.monotonic() + self.limit_s
        while not (asleep := self._posture()) and time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise JudgeError(
                    f"the runner ended with {self.process.returncode} before it had loaded anything.",
                    "`python loop.py doctor` checks what this machine allows.",
                )
        tick = self._go()
        if tick.outcome is not Outcome.DONE:
            raise JudgeError("the runner does not answer.", "`python loop.py doctor` checks what this machine allows.")
        achieved = int(self._said["achieved"])
        self._unguarded = tuple(name for bit, name in enumerate(_GUARDS) if not achieved >> bit & 1)
        return asleep

    @property
    def unguarded(self) -> tuple[str, ...]:
        """The parts of the sandbox that this kernel did not give, as the runner reported before it loaded anything."""
        return self._unguarded

    def visit(self, workload: Workload, first: int, count: int) -> Tick:
        """`count` calls from row `first` on, by the judge's clock, from fire to done."""
        if self._memory is None:
            self._memory = self._remember(workload)
        workload.disclose(self.arena, first, count)
        start, size_bytes = workload.outputs(first, count)
        view, copy = self.arena.view(workload.output), workload.copy
        tick = self._go(
            table_offset=workload.table.window_offset,
            calls=count,
            output=view.ctypes.data + start,
            copy=copy.ctypes.data + start,
            output_bytes=size_bytes,
        )
        if tick.outcome is Outcome.TIMED_OUT:
            raise Fault(Status.TIMED_OUT, f"case {workload.case.name}: no answer within {self.limit_s:g} s")
        if tick.outcome is Outcome.ENDED or not self._settle(self._asleep):
            raise self._fault(workload)
        if self._said["mode_changed"]:
            raise Fault(Status.FORBIDDEN, f"case {workload.case.name}: left rounding or denormals changed (MXCSR)")
        return tick

    def check_untouched(self) -> None:
        """Fault where the candidate left anything in memory that outlives a call: it would be state."""
        if self._memory is not None and self._look() != self._memory:
            raise Fault(Status.FORBIDDEN, "kept state in memory that is not its own")

    def _remember(self, workload: Workload) -> Memory:
        """The memory of the process once it has loaded the artifact, before the first call."""
        if not self._settle(self._asleep, self.limit_s):
            raise self._fault(workload)
        return self._look()

    def _look(self) -> Memory:
        words = self._control.copy()
        words[_READY : _READY + 4] = words[_DONE : _DONE + 4] = 0
        try:
            memory = Memory.of(self.process.pid, STACK_BYTES)
        except OSError:
            raise Fault(Status.CRASHED, "the process was killed while it waited") from None
        return Memory({**memory.regions, (0, words.size): words.tobytes()})

    def _go(self, **work: int) -> Tick:
        self._number += 1
        assert self._clock is not None
        tick = self._clock.visit(Task(number=self._number, **work))
        if tick.outcome is Outcome.INTERRUPTED:
            raise Interrupted
        return tick

    def _posture(self) -> tuple[str, ...]:
        """How the process sleeps: on which word, stack and program counter; empty while it does anything else."""
        try:
            with open(f"/proc/{self.process.pid}/syscall", encoding="ascii") as file:
                fields = file.read().split()
        except OSError:
            return ()
        return (fields[1], *fields[-2:]) if fields[0] == _FUTEX else ()

    def _settle(self, asleep: tuple[str, ...], limit_s: float = _SETTLE_S) -> bool:
        """Whether the process went back to sleep where it must."""
        deadline = time.monotonic() + limit_s
        while (posture := self._posture()) != asleep:
            if posture or time.monotonic() > deadline or self.process.poll() is not None:
                return False
        return True

    def _fault(self, workload: Workload) -> Fault:
        where = f"case {workload.case.name}"
        try:
            self.process.wait(_SETTLE_S)
        except subprocess.TimeoutExpired:
            return Fault(Status.CRASHED, f"{where}: said done and went on running")
        said = self._said
        if said["message"] and self._number <= 2:
            return Fault(Status.CRASHED, f"the artifact cannot be loaded: {said['message'].decode('utf-8', 'replace')}")
        caught = int(said["signal"])
        number = caught or -(self.process.returncode or 0)
        if number <= 0:
            return Fault(Status.CRASHED, f"{where}: the process ended itself with {self.process.returncode}")
        if caught == signal.SIGSEGV and said["signal_code"] == _SI_KERNEL:
            return Fault(Status.CRASHED, f"{where}: {_PROTECTION}")
        place = _place(workload, int(said["fault_offset"])) if caught else ""
        return Fault(Status.CRASHED, f"{where}: {_SIGNALS.get(number, f'signal {number}')}{place}")

    def close(self) -> None:
        if self._clock:
            self._clock.close()
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _row(segment: Segment) -> tuple[int, int, int, int]:
    return segment.file_offset, segment.window_offset, segment.size_bytes, int(segment.writable)


def _place(workload: Workload, offset: int) -> str:
    """In the words of the signature, where a memory fault happened: the nearest buffer of that case."""
    nearest = ""
    best = PAGE_BYTES
    for name, segment, start, size in workload.buffers:
        begin = segment.window_offset + start
        before, after = begin - offset, offset - (begin + size)
        distance = max(before, after, 0)
        if offset >= 0 and distance < best:
            best = distance
            side = f"{before} bytes before" if before > 0 else f"{after} bytes past the end of"
            nearest = f": {side if before > 0 or after >= 0 else 'inside'} {name}"
    return nearest

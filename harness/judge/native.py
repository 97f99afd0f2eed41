"""A C candidate as an arm of a comparison: the runner in C, one shared object, and memory that may not change."""

import os
import signal
import subprocess
from pathlib import Path

from harness.contract import Experiment
from harness.judge import arm, toolchain
from harness.judge.clock import Piece
from harness.judge.fault import Fault
from harness.judge.inputs import ORDERS_BYTES, PAGE_BYTES, Workload
from harness.judge.memory import Memory
from harness.judge.signature import invocation
from harness.judge.toolchain import Artifact
from harness.records import Status
from harness.source import parse_signature

_SI_KERNEL = 0x80
_PROTECTION = "used an aligned access on data that is not, an address that cannot be, or the time-stamp counter"
_READY, _DONE = 0, 128  # where shared.h's struct control keeps them


def runner(experiment: Experiment) -> Path:
    """The runner for this experiment's signature, built once."""
    sources = [toolchain.HERE / name for name in ("runner.c", "sandbox.h", "shared.h")]
    invoke = invocation(parse_signature(experiment.signature))
    return toolchain.cached_tool("runner", sources, invoke, ("-O2", "-Wl,-z,relro,-z,now", "-Wl,--no-as-needed", "-lm"))


class Arm(arm.Arm):
    """One runner with one shared object."""

    _memory: Memory | None = None

    def _start(self, artifact: Artifact, base: int) -> "subprocess.Popen[bytes]":
        loaded = os.memfd_create("loop-artifact", os.MFD_CLOEXEC)
        try:
            os.write(loaded, artifact.content)
            files = (self.arena.descriptor, self.arena.reader, loaded)
            numbers = (*files, base, base + ORDERS_BYTES, self.arena.window_bytes, os.getpid())
            return subprocess.Popen(
                [str(runner(self.experiment)), *map(str, numbers)],
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

    def _prepare(self, workload: Workload, first: int, count: int) -> tuple[Piece, ...]:
        if self._memory is None:
            self._memory = self._remember(workload)
        return ()

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
            memory = Memory.of(self.process.pid, arm.STACK_BYTES)
        except OSError:
            raise Fault(Status.CRASHED, "the process was killed while it waited") from None
        return Memory({**memory.regions, (0, words.size): words.tobytes()})

    def _fault(self, workload: Workload) -> Fault:
        where = f"case {workload.case.name}"
        if not self._has_ended():
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
        return Fault(Status.CRASHED, f"{where}: {arm.SIGNALS.get(number, f'signal {number}')}{place}")


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

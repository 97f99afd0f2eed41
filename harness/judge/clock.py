"""The judge's clock and its half of the handshake with a runner, through cffi.

Knows words and numbers, not what is being measured.
"""

import os
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, NamedTuple

from cffi import FFI

from harness.judge import toolchain

_DECLARATIONS = """
    struct visit { int64_t ns; int32_t outcome; int32_t disturbed; };
    struct watch { int32_t pid; int64_t limit_ns; const int32_t *stop; int32_t status, is_shared; };
    struct piece { char *to; const char *from; uint64_t bytes; };
    struct task {
        uint32_t number; uint64_t table_offset, calls; const char *output; char *copy; uint64_t output_bytes;
        const struct piece *piece; uint64_t pieces; uint32_t staged;
    };
    struct visit visit(void *orders, const void *control, const struct watch *watch, const struct task *task);
"""


class Outcome(IntEnum):
    """How a visit ended; the numbers are clock.c's."""

    DONE = 0
    ENDED = 1
    TIMED_OUT = 2
    INTERRUPTED = 3


class Interrupted(Exception):
    """The person asked to stop in the middle of a judgement."""


@dataclass(frozen=True, slots=True)
class Tick:
    """One visit on the judge's clock. `disturbed`: judge or runner lost its core meanwhile."""

    outcome: Outcome
    seconds: float
    disturbed: bool


@cache
def _library() -> tuple[FFI, Any]:
    sources = [toolchain.HERE / name for name in ("clock.c", "shared.h")]
    path = toolchain.cached_tool("clock.so", sources, "", ("-O2", "-shared", "-fPIC"))
    ffi = FFI()
    ffi.cdef(_DECLARATIONS)
    return ffi, ffi.dlopen(str(path))


class Piece(NamedTuple):
    """Contents that an arm must not see before it is awake: the addresses are the judge's own."""

    to: int
    source: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One visit: rows of the table from an offset in the window on; the output's addresses are the judge's own."""

    number: int
    table_offset: int = 0
    calls: int = 0
    output: int = 0
    copy: int = 0
    output_bytes: int = 0
    pieces: tuple[Piece, ...] = ()
    staged: int = 0


class Stop:
    """Set from any thread, it ends the visit at hand within a millisecond."""

    def __init__(self) -> None:
        self._ffi = FFI()
        self.word = self._ffi.new("int32_t *", 0)

    def set(self) -> None:
        self.word[0] = 1

    def __bool__(self) -> bool:
        return bool(self.word[0])


class Clock:
    """Times the visits of one runner; `orders` and `control` are addresses in the judge's own map. `is_shared`: it has
    no core of its own."""

    def __init__(self, orders: int, control: int, pid: int, limit_s: float, stop: Stop, *, is_shared: bool) -> None:
        ffi, self._library = _library()
        self._ffi = ffi
        self._stop = stop  # the watch points into it
        self._orders, self._control = ffi.cast("void *", orders), ffi.cast("void *", control)
        limit_ns = int(limit_s * 1e9)
        self._status = _open_status(pid)
        watch = {"pid": pid, "limit_ns": limit_ns, "stop": stop.word, "status": self._status, "is_shared": is_shared}
        self._watch = ffi.new("struct watch *", watch)

    def visit(self, task: Task) -> Tick:
        """Wake the runner, let it go, time it, and take its outputs as they are when it says done."""
        output, copy = map(self._address, (task.output, task.copy))
        fresh = [(self._address(to), self._address(source), size) for to, source, size in task.pieces]
        pieces = self._ffi.new("struct piece[]", fresh)
        work = (
            task.number,
            task.table_offset,
            task.calls,
            output,
            copy,
            task.output_bytes,
            pieces,
            len(fresh),
            task.staged,
        )
        result = self._library.visit(self._orders, self._control, self._watch, self._ffi.new("struct task *", work))
        return Tick(Outcome(result.outcome), result.ns * 1e-9, bool(result.disturbed))

    def _address(self, number: int) -> Any:
        return self._ffi.cast("char *", number)

    def close(self) -> None:
        if self._status >= 0:
            os.close(self._status)
            self._status = -1


def _open_status(pid: int) -> int:
    """Where the kernel counts how often a process was taken off its core, or -1 where it does not tell."""
    try:
        return os.open(f"/proc/{pid}/status", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1

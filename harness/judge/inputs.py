"""The memory of a comparison: one shared file, guarded buffers, fresh contents for every call, and what must come out.

Every arm maps the same physical pages at the same places, so that the luck of the page lottery is shared by all.
"""

import mmap
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge.answers import Doubles
from harness.judge.clock import Piece
from harness.judge.contents import Contents, Floats, limits
from harness.judge.signature import read_signature

PAGE_BYTES = 4096
LINE_BYTES = 64
ORDERS_BYTES = 16 * PAGE_BYTES  # as runner.c maps it
SLOT_BYTES = ORDERS_BYTES + PAGE_BYTES
SLOTS = 4
POISON, _POISON_TWICE = np.uint32(0x7FC0DEAD), np.uint64(0x7FC0DEAD7FC0DEAD)  # a NaN that no arithmetic makes
_GARBAGE = 0xFF  # around inputs: NaN as a float, so that reading past the end shows in the output

Bytes = npt.NDArray[np.uint8]


class Placement(Enum):
    """Where a buffer lies between its guard pages."""

    LEFT = "left"
    RIGHT = "right"
    ODD = "odd"  # one element from a page's start: aligned to no more than the element's size
    FREE = "free"  # anywhere, and somewhere else in every block: what is timed must owe nothing to one place


@dataclass(frozen=True, slots=True)
class Segment:
    """Pages of the shared file, mapped into every arm's window with a guard page on either side."""

    file_offset: int
    window_offset: int
    size_bytes: int
    writable: bool


class Arena:
    """The shared file: first a slot of words for every arm, then the segments."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self._fills: list[tuple[Segment, int, npt.NDArray[Any]]] = []
        self._file_bytes = SLOTS * SLOT_BYTES
        self.window_bytes = PAGE_BYTES
        self.descriptor = self.reader = -1

    def add(self, size_bytes: int, writable: bool = False) -> Segment:
        size = max(1, -(-size_bytes // PAGE_BYTES)) * PAGE_BYTES
        segment = Segment(self._file_bytes, self.window_bytes, size, writable)
        self._file_bytes += size
        self.window_bytes += size + PAGE_BYTES
        self.segments.append(segment)
        return segment

    def fill(self, segment: Segment, offset: int, content: npt.NDArray[Any]) -> None:
        """Have `content` written at `offset` of the segment once the arena is open."""
        self._fills.append((segment, offset, content))

    def open(self) -> None:
        try:
            self._map_all()
        except OSError as fault:
            self.close()
            size_mb = self._file_bytes / 2**20
            raise JudgeError(
                f"{size_mb:.0f} MB of shared memory cannot be had: {fault.strerror or fault}.",
                "free some memory, or make the experiment's cases smaller.",
            ) from None
        for segment in self.segments:
            self.view(segment)[:] = _GARBAGE
        for segment, offset, content in self._fills:
            raw = np.ascontiguousarray(content).view(np.uint8).ravel()
            self.view(segment)[offset : offset + raw.size] = raw
        self._fills.clear()
        for segment in self.segments:
            if segment.writable:
                self.poison(segment)

    def _map_all(self) -> None:
        self.descriptor = os.memfd_create("loop-arena", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, self._file_bytes)
        self.reader = os.open(f"/proc/self/fd/{self.descriptor}", os.O_RDONLY | os.O_CLOEXEC)
        self._map = mmap.mmap(self.descriptor, self._file_bytes)
        self.bytes: Bytes = np.frombuffer(self._map, np.uint8)

    def poison(self, segment: Segment) -> None:
        self.view(segment).view(np.uint32)[:] = POISON

    @property
    def is_poisoned(self) -> bool:
        """Whether all that a candidate may write is as the judge left it."""
        writable = (segment for segment in self.segments if segment.writable)
        return all((self.view(segment).view(np.uint64) == _POISON_TWICE).all() for segment in writable)

    def view(self, segment: Segment) -> Bytes:
        return self.bytes[segment.file_offset : segment.file_offset + segment.size_bytes]

    def close(self) -> None:
        for descriptor in (self.descriptor, self.reader):
            if descriptor >= 0:
                os.close(descriptor)
        self.descriptor = self.reader = -1


@dataclass(slots=True, kw_only=True)
class Workload:
    """One case laid out for `calls` calls that no two are alike, with the outputs that must come back."""

    case: Case
    calls: int
    table: Segment  # what a runner reads: only the rows of the batch at hand
    rows: npt.NDArray[np.uint64]  # all of them, in the judge's own memory
    columns: Mapping[str, int]
    buffers: list[tuple[str, Segment, int, int]]  # name, where, first byte, bytes: to name what a fault was next to
    output: Segment
    output_offset: int
    stride: int  # in floats, from one call's output to the next
    shape: tuple[int, ...]
    low: Floats
    high: Floats
    expected: Doubles
    bound: Doubles
    nan: npt.NDArray[np.bool_] | None
    copy: Bytes  # the outputs as they were at "done"
    contents: Contents

    def refresh(self, arena: Arena, first: int, count: int) -> tuple[Piece, ...]:
        """Other contents for these calls, and what must come out of them; where they are to be copied to, and when is
        for the clock to say. Not for arrays whose calls share what they slide along."""
        self.contents.renew(first, count)
        pieces = []
        for name, segment, start, size in self.buffers:
            if not segment.writable:
                each, pool = size // self.calls, self.contents.pools[name]
                to, source = (array.ctypes.data + first * each for array in (arena.view(segment)[start:], pool))
                pieces.append(Piece(to, source, count * each))
        for call in range(first, first + count):
            self.expected[call], self.bound[call] = _truth(self.contents, call, self.shape)
        rows = slice(first, first + count)
        self.low[rows], self.high[rows], nan = limits(self.expected[rows], self.bound[rows])
        if self.nan is not None or nan is not None:
            self.nan = np.zeros(self.expected.shape, np.bool_) if self.nan is None else self.nan
            self.nan[rows] = False if nan is None else nan
        return tuple(pieces)

    def move(self, arena: Arena, rng: np.random.Generator) -> None:
        """Every buffer to another place in its segment: often flush with one of its ends, so that what is timed is
        guarded like what is validated."""
        for index, (name, segment, start, size) in enumerate(self.buffers):
            place = _anywhere(segment.size_bytes - size, rng)
            view = arena.view(segment)
            if not segment.writable:
                content = view[start : start + size].copy()
                view[:] = _GARBAGE
                view[place : place + size] = content
            self.rows[:, self.columns[name]] += np.uint64((place - start) % 2**64)
            self.buffers[index] = (name, segment, place, size)
            if segment is self.output:
                self.output_offset = place

    def disclose(self, arena: Arena, first: int, count: int) -> None:
        """Tell a runner the rows of these calls, and where there are more, behind them a few that it is not asked for:
        whoever found the table cannot tell where the batch ends, and outputs too many are found."""
        table = arena.view(self.table).view(np.uint64)
        table[:] = 0
        end = first + count
        end += secrets.randbelow(1 + min(count, self.calls - end))
        shown = self.rows[first:end].ravel()
        table[: shown.size] = shown

    def poison(self, arena: Arena, first: int, count: int) -> None:
        """The outputs of these calls as they were before; whatever else was written stays, to be found."""
        start, size_bytes = self.outputs(first, count)
        arena.view(self.output)[start : start + size_bytes].view(np.uint32)[:] = POISON

    def outputs(self, first: int, count: int) -> tuple[int, int]:
        """Where in the output's segment a visit writes: first byte and size. Alone in its segment, all of it counts."""
        if self.calls == 1:
            return 0, self.output.size_bytes
        return self.output_offset + first * self.stride * 4, count * self.stride * 4

    def check(self, first: int, count: int) -> str | None:
        """What is wrong with the copied outputs of those calls, or with the memory around them; None if nothing is."""
        words = self.copy.view(np.uint32)
        start = self.output_offset // 4 + first * self.stride
        end = start + count * self.stride
        rows = words[start:end].reshape(count, self.stride)
        size = self.expected.shape[1]
        got = rows[:, :size].view(np.float32)
        low, high = self.low[first : first + count], self.high[first : first + count]
        right = (got >= low) & (got <= high)
        if self.nan is not None:
            right |= self.nan[first : first + count] & np.isnan(got) & (rows[:, :size] != POISON)
        if not right.all():
            return self._mismatch(got, right, first)
        around = (rows[:, size:], words[:start], words[end:]) if self.calls == 1 else (rows[:, size:],)
        if any((part != POISON).any() for part in around):
            return f"case {self.case.name}: something was written outside of the output"
        return None

    def _mismatch(self, got: Floats, right: npt.NDArray[np.bool_], first: int) -> str:
        call, flat = (int(index) for index in np.argwhere(~right)[0])
        where = "".join(f"[{index}]" for index in np.unravel_index(flat, self.shape))
        expected, bound = self.expected[first + call, flat], self.bound[first + call, flat]
        wrong = int((~right[call]).sum())
        value = "not written" if got[call, flat].view(np.uint32) == POISON else f"{got[call, flat]:.9g}"
        return (
            f"case {self.case.name}: out{where} is {value}, must be {expected:.9g} within {bound:.2g};"
            f" {wrong} of {right.shape[1]} outputs are wrong"
        )


def lay_out(
    experiment: Experiment, case: Case, rng: np.random.Generator, calls: int, placement: Placement, arena: Arena
) -> Workload:
    """Add one case to the arena: its inputs, its outputs and a row of arguments for every call."""
    signature = read_signature(experiment)
    rows = np.zeros((calls, len(signature.columns)), np.uint64)
    column = {name: index for index, name in enumerate(signature.columns)}
    for name in signature.numbers:
        rows[:, column[name]] = np.uint64(case.dims[name] & 0xFFFFFFFFFFFFFFFF)
    contents = Contents(experiment, case, rng, calls, signature)
    buffers = []
    for name, pool in contents.pools.items():
        segment = arena.add(pool.nbytes + _room(pool, placement))
        start = _start(segment, pool, placement)
        arena.fill(segment, start, pool)
        buffers.append((name, segment, start, pool.nbytes))
        offsets = segment.window_offset + start + contents.starts[name] * pool.itemsize
        rows[:, column[name]] = offsets.astype(np.uint64)
    shape = contents.truth(0)[0].shape
    truths = [_truth(contents, call, shape) for call in range(calls)]
    size = truths[0][0].size
    stride = size if calls == 1 else -(-(size + 1) // 16) * 16  # from a cache line on, with poison in between
    outputs = np.empty(calls * stride, np.float32)
    output = arena.add(outputs.nbytes + _room(outputs, placement), writable=True)
    start = _start(output, outputs, placement)
    rows[:, column[signature.output]] = output.window_offset + start + np.arange(calls) * stride * 4
    buffers.append((signature.output, output, start, outputs.nbytes))
    table = arena.add(rows.nbytes)
    expected, bound = (np.stack(part) for part in zip(*truths, strict=True))
    low, high, nan = limits(expected, bound)
    return Workload(
        case=case,
        calls=calls,
        table=table,
        rows=rows,
        columns=column,
        buffers=buffers,
        output=output,
        output_offset=start,
        stride=stride,
        shape=shape,
        low=low,
        high=high,
        expected=expected,
        bound=bound,
        nan=nan,
        copy=np.empty(output.size_bytes, np.uint8),
        contents=contents,
    )


def _truth(contents: Contents, call: int, shape: tuple[int, ...]) -> tuple[Doubles, Doubles]:
    """What must come out of one call, and how far from it one may be, element by element."""
    truth, slack = contents.truth(call)
    return truth.ravel(), np.broadcast_to(slack, shape).ravel()


def _room(content: npt.NDArray[Any], placement: Placement) -> int:
    return {Placement.ODD: content.itemsize, Placement.FREE: PAGE_BYTES}.get(placement, 0)


def _anywhere(room: int, rng: np.random.Generator) -> int:
    """Flush with either end, or on a cache line between them."""
    lines = LINE_BYTES * int(rng.integers(1 + room // LINE_BYTES))
    return (0, room, lines, lines)[rng.integers(4)]


def _start(segment: Segment, content: npt.NDArray[Any], placement: Placement) -> int:
    if placement is Placement.RIGHT:
        return segment.size_bytes - content.nbytes
    return content.itemsize if placement is Placement.ODD else 0

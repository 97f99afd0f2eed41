"""What one core of this machine can do at most, measured: the ceiling that a time is held against.

A roofline: work takes at least as long as its arithmetic does at the peak of multiply-adds, and at least as long as
reading its bytes does; the two may go on side by side. A cache that cannot hold all the bytes may still keep as many as
it can from call to call, and only the rest has to come from farther away: third-level caches were seen to keep a part.
What this leaves out:

- Bytes that are written count as if they were read. They go to memory of each call's own, which takes longer.
- Contents that are drawn anew for every call come from farther away than one call's bytes would say.
- All arithmetic counts as multiply-adds of float: divisions and roots take longer, narrower formats less.
- An experiment's compile flags may keep its candidates from the widest vectors; the ceiling is the machine's.
- `work` is the experiment's word. A candidate that finds a way to do less is not held to it.
- The clock rate, and what neighbours leave of the memory, are those of the moment of measuring. `python loop.py doctor`
  measures anew.

A share of the ceiling is not cut at 100 %: more says that the work was less than stated or done in narrower numbers, or
that the machine was busy when it was measured.
"""

import math
import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import JudgeError
from harness.judge import toolchain
from harness.judge.clock import Stop
from harness.judge.kept import keep
from harness.judge.kept import recall as recall_kept
from harness.judge.machine import caches, this_machine
from harness.judge.quiet import alone

KEPT_FOR_S = 30 * 24 * 3600
_LIMIT_S = 20
_STEP = 4  # a level is read in so many times the bytes of the nearer one: clear of it, and quick where levels are huge
_BEYOND_MIN_BYTES, _BEYOND_MAX_BYTES = 64 << 20, 256 << 20
_MEMORY = "DRAM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of memory, and how fast one core reads what lies there."""

    name: str
    capacity_bytes: int
    bytes_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The best that one core can do. `levels` go from the nearest on; none where this machine does not tell its caches,
    and then arithmetic alone is counted."""

    flops_per_s: float
    levels: tuple[Level, ...] = ()

    def seconds(self, flops: float, bytes_moved: float) -> float:
        """The least time that the work of one call can take; 0 where nothing is known of it."""
        return max(flops / self.flops_per_s, self._reading_s(bytes_moved))

    def _reading_s(self, bytes_moved: float) -> float:
        seconds = found = 0.0
        for level in self.levels:
            within = bytes_moved if level is self.levels[-1] else min(bytes_moved, level.capacity_bytes)
            seconds += (within - found) / level.bytes_per_s
            found = within
        return seconds

    def __str__(self) -> str:
        rates = [f"{level.name} {level.bytes_per_s / 1e9:.3g} GB/s" for level in self.levels]
        return ", ".join([f"{self.flops_per_s / 1e9:.3g} GFLOP/s", *rates])


UNKNOWN = Ceiling(flops_per_s=math.inf)


def ceiling(stop: Stop) -> Ceiling:
    """This machine's: as it was kept, else measured, which takes about half a second; unknown where it cannot be: a
    verdict then names it among what it went without."""
    try:
        return recall(_file(), time.time()) or measure(stop)
    except JudgeError:
        return UNKNOWN


def measure(stop: Stop) -> Ceiling:
    """Measured now, whatever was kept, and kept in its place."""
    measured = probe(stop)
    keep(_file(), measured, time.time())
    return measured


def probe(stop: Stop) -> Ceiling:
    """Measured on the core where candidates run; nothing is kept."""
    program = _program()
    levels = _levels()
    sizes = [str(size) for _, _, size in levels]
    with alone(stop) as cpu:
        flops_per_s, *rates = run([str(program), str(cpu), *sizes], 1 + len(levels))
    return Ceiling(
        flops_per_s=flops_per_s,
        levels=tuple(
            Level(name=name, capacity_bytes=capacity, bytes_per_s=rate)
            for (name, capacity, _), rate in zip(levels, rates, strict=True)
        ),
    )


def recall(path: Path, now_s: float) -> Ceiling | None:
    """What was kept in a file, if it can be true."""
    kept = recall_kept(path, Ceiling, KEPT_FOR_S, now_s)
    rates = (kept.flops_per_s, *(level.bytes_per_s for level in kept.levels)) if kept else ()
    return kept if all(map(_is_rate, rates)) else None


def _file() -> Path:
    """Beside the program, whose name is the hash of its source, the compiler and this machine."""
    program = _program()
    return program.with_name(f"{program.name}.json")


def _program() -> Path:
    # Built for the CPU at hand: where machines share a home, each has a program and a ceiling of its own.
    flags = ("-O3", "-march=native")
    return toolchain.cached_tool("roofline", [toolchain.HERE / "roofline.c"], f"// {this_machine()}\n", flags)


def _levels() -> list[tuple[str, int, int]]:
    """Each level's name, what it holds, and how much to read there: half of it, or less where it is huge."""
    levels: list[tuple[str, int, int]] = []
    held = 0
    for name, text in caches().items():
        capacity = int(text.removesuffix("K")) << 10
        levels.append((name, capacity, min(capacity // 2, _STEP * held or capacity)))
        held = capacity
    if levels:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        # Of a last level beyond 64 MiB a part stays in it, so that memory looks faster than it is, never slower.
        levels.append((_MEMORY, memory, min(max(_STEP * held, _BEYOND_MIN_BYTES), _BEYOND_MAX_BYTES)))
    return levels


def run(command: Sequence[str], count: int) -> list[float]:
    """So many numbers as the probe prints them; JudgeError where it does not."""
    try:
        done = subprocess.run(
            command,
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
            start_new_session=True,  # an interrupt at the terminal is ours to answer
        )
    except subprocess.TimeoutExpired:
        raise JudgeError(
            f"the roofline probe gave no answer within {_LIMIT_S} s.", "run it again when the machine is less busy."
        ) from None
    except OSError as fault:
        raise JudgeError(
            f"the roofline probe cannot be started: {fault.strerror}.",
            "set XDG_CACHE_HOME to a folder that programs may be run from.",
        ) from None
    if done.returncode != 0:
        raise JudgeError(
            f"the roofline probe ended with {done.returncode}: {done.stderr.strip()}",
            "`python loop.py doctor` checks what this machine allows.",
        )
    return _rates(done.stdout, count)


def _rates(said: str, count: int) -> list[float]:
    try:
        rates = [float(word) for word in said.split()]
    except ValueError:
        rates = []
    if len(rates) != count or not all(map(_is_rate, rates)):
        raise JudgeError(
            f"the roofline probe said {said.strip()!r}, must be {count} numbers.",
            "`python loop.py doctor` checks what this machine allows.",
        )
    return rates


def _is_rate(number: float) -> bool:
    return 0 < number < math.inf

"""What a runner could remember: its writable memory outside of the candidate's stack, compared with what it was.

Reads another process through /proc; knows nothing of visits or cases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Regions: TypeAlias = Mapping[tuple[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Memory:
    """The private writable pages of a sleeping process, without the candidate's stack, which is new every visit."""

    regions: Regions

    @classmethod
    def of(cls, pid: int, stack_bytes: int) -> "Memory":
        regions = {}
        with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                span, mode, *_ = line.split(maxsplit=2)
                start, end = (int(part, 16) for part in span.split("-"))
                if mode == "rw-p" and end - start != stack_bytes:
                    memory.seek(start)
                    regions[start, end] = memory.read(end - start)
        return cls(regions)

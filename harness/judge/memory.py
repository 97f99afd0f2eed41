"""What a runner could remember: its writable memory outside of the candidate's stack, compared with what it was.

Reads another process through /proc; knows nothing of visits or cases.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Regions: TypeAlias = Mapping[tuple[int, int], bytes]
_WRITABLE = re.compile(rb"^([0-9a-f]+)-([0-9a-f]+) rw-p", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Memory:
    """The private writable pages of a sleeping process, without the candidate's stack, which is new every visit."""

    regions: Regions

    @classmethod
    def of(cls, pid: int, stack_bytes: int) -> "Memory":
        regions = {}
        with open(f"/proc/{pid}/maps", "rb") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            for span in _WRITABLE.findall(maps.read()):
                start, end = (int(part, 16) for part in span)
                if end - start != stack_bytes:
                    memory.seek(start)
                    regions[start, end] = memory.read(end - start)
        return cls(regions)

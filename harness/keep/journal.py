"""The truth of a search, in `runs/journal.jsonl`: one event a line, only appended, on disk before anything follows.

Draws no conclusions: memory.py and scores.py fold what is read here.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

from harness.errors import KeepError
from harness.keep.files import cannot
from harness.records import SEED, Attempt, Proposal, Verdict, from_json, to_json

JOURNAL = "journal.jsonl"
_TAIL_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """A search begins; `search` is its id, `start` what it starts from: the seed or a winner's commit."""

    search: str
    at: str
    seed_digest: str
    start: str = SEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A reply was paid for; what becomes of it is not known yet."""

    proposal: Proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An attempt is over."""

    attempt: Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A winner is in the repository."""

    number: int
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A winner was measured again, on the machine that the verdict names; `number` counts these events in a search.
    `attempt` is the winner's, or 0 for the winner that the search started from."""

    number: int
    at: str
    attempt: int
    verdict: Verdict


Event: TypeAlias = Seeded | Proposed | Judged | Committed | Verified
_KINDS: dict[str, type[Event]] = {
    "seeded": Seeded,
    "proposed": Proposed,
    "judged": Judged,
    "committed": Committed,
    "verified": Verified,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def read_events(path: Path) -> Iterator[Event]:
    """Every whole event of a journal, which may be growing meanwhile; none where there is no journal."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                data = _parsed(line)
                if data is not None:
                    yield _event(data, path, number)
                elif file.read(1):
                    raise _damaged(path, number, "is not JSON")
    except FileNotFoundError:
        return
    except OSError as fault:
        raise cannot("read", path, fault) from None


class Journal:
    """The one writer of a journal. Opening it cuts off a last line that a crash has torn, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            if is_new:
                _flush_folder(path.parent)
            self._size_bytes = _whole_bytes(self._descriptor)
            os.ftruncate(self._descriptor, self._size_bytes)
        except OSError as fault:
            raise cannot("open", path, fault) from None

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self) -> Iterator[Event]:
        return read_events(self.path)

    def append(self, event: Event, *, flush: bool = True) -> None:
        """Returns once the event is on disk; a failed append leaves the journal as it was.

        Without `flush` it is safe from a killed process but not yet from a power cut: `flush()` is to follow.
        """
        record = {"kind": _NAMES[type(event)], **to_json(event)}
        line = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            rest = memoryview(line)
            while rest:  # once, but for a disk that fills up: the write after the short one says so
                rest = rest[os.write(self._descriptor, rest) :]
            if flush:
                os.fsync(self._descriptor)
        except OSError as fault:
            os.ftruncate(self._descriptor, self._size_bytes)
            raise cannot("write", self.path, fault) from None
        self._size_bytes += len(line)

    def flush(self) -> None:
        """Returns once everything appended is on disk."""
        try:
            os.fsync(self._descriptor)
        except OSError as fault:
            raise cannot("write", self.path, fault) from None

    def close(self) -> None:
        os.close(self._descriptor)


def _parsed(line: bytes) -> Any:
    """What a line holds, None where it is not whole: a crash leaves half a line, or a disk's zeros in place of one."""
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None


def _event(data: Any, path: Path, number: int) -> Event:
    kind = data.pop("kind", None) if isinstance(data, dict) else None
    if kind not in _KINDS:
        raise _damaged(path, number, f"has the unknown kind {kind!r}")
    try:
        return from_json(_KINDS[kind], data)
    except ValueError as fault:
        raise _damaged(path, number, f"is no event: {fault}") from None


def _damaged(path: Path, number: int, reason: str) -> KeepError:
    return KeepError(
        f"{path}: line {number} {reason}",
        "delete that line if it is damaged, or update loop.py if a newer one wrote it; then run again.",
    )


def _flush_folder(folder: Path) -> None:
    """A new file's name is part of its folder: without this a power cut could take the whole journal."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _whole_bytes(descriptor: int) -> int:
    """How much of the file is whole lines, the last of them readable."""
    end = _line_end(descriptor, os.fstat(descriptor).st_size)
    start = _line_end(descriptor, end - 1) if end else 0
    return start if _parsed(os.pread(descriptor, end - start, start)) is None else end


def _line_end(descriptor: int, size_bytes: int) -> int:
    """Where the last line that ends within `size_bytes` ends: just behind its newline, or 0."""
    while size_bytes > 0:
        start = max(0, size_bytes - _TAIL_BYTES)
        found = os.pread(descriptor, size_bytes - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        size_bytes = start
    return 0

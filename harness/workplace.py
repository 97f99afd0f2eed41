"""Folders for a moment's work, and the end of those that a killed process left. Knows nothing of what is put there."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_PREFIX = "loop.py-work-"
_YOUNG_S = 5.0  # one that is being made is not locked yet


@contextmanager
def workplace() -> Iterator[Path]:
    """An empty folder, gone afterwards. It is locked while it is used: what is not was left behind."""
    _sweep(tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        descriptor = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(descriptor)


@cache
def _sweep(folder: str) -> None:
    """Once in a process, remove what others left; what is somebody else's or cannot be removed stays."""
    for path in Path(folder).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _YOUNG_S and not _is_used(path):
                shutil.rmtree(path)


def _is_used(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False

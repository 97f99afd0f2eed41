"""Folders for a moment's work, what is copied into them, and the end of those that a killed process left."""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

_PREFIX = "loop.py-work-"
_YOUNG_S = 5.0  # one that is being made is not locked yet
_NEVER = re.compile(r"__pycache__|\.git")
_OF_SEARCH = re.compile(r"runs|winners|(?:SCORES|MEMORY)\..*|\..*\.tmp")  # which it may be writing at this moment


class CannotCopy(Exception):
    """What cannot be copied, and why."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"cannot copy {name}: {why}")


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


def copy(path: Path, to: Path, *, is_experiment: bool = False) -> None:
    """A copy of a file, or of a folder without what git and Python keep there and without links that lead nowhere; of
    an experiment's, without what a search writes at its top."""

    def left_out(folder: str, names: list[str]) -> set[str]:
        is_top = is_experiment and Path(folder) == path
        return {name for name in names if _NEVER.fullmatch(name) or (is_top and _OF_SEARCH.fullmatch(name))}

    try:
        if path.is_dir():
            shutil.copytree(path, to, ignore=left_out, ignore_dangling_symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(path, to)
    except shutil.Error as fault:  # with a list of what could not be copied
        name, _, why = fault.args[0][0]
        raise CannotCopy(name, why) from None
    except OSError as fault:
        raise CannotCopy(fault.filename or str(path), fault.strerror or str(fault)) from None


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

"""Locks of git's that a killed git of ours left: known by a note of what was about to be done, and removed.

A git that is killed with everything else, at the end of a container say, leaves `index.lock`, and no git works there
until somebody removes it. That is only ours to do where it cannot be another's: there is a note, so we were killed
while a git of ours ran; the lock came after the note, and within moments; and no git is at work in that folder.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.keep.files import cannot

_LONGEST_S = 10.0  # that a git of ours takes


@contextmanager
def noted(note: Path) -> Iterator[None]:
    """While a git of ours may hold a lock. Who is killed meanwhile leaves the note."""
    try:
        note.parent.mkdir(exist_ok=True)
        note.touch()
    except OSError as fault:
        raise cannot("write", note, fault) from None
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def free(note: Path, locks: Iterable[Path], top: Path) -> None:
    """Remove those of the locks that are ours. Only for who knows that the writer of the note has ended."""
    began_s = note.stat().st_mtime
    for lock in locks:
        with suppress(FileNotFoundError):
            if 0 <= lock.stat().st_mtime - began_s <= _LONGEST_S and not _is_git_at_work(top):
                lock.unlink()
    note.unlink()


def _is_git_at_work(top: Path) -> bool:
    """Whether a git runs in that folder or below, as far as this process may see. Ours may outlive the loop for a
    moment, and somebody's `git commit` waits for an editor."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_git = (process / "comm").read_text(encoding="utf-8", errors="replace").startswith("git")
            if is_git and (process / "cwd").readlink().is_relative_to(top):
                return True
    return False

"""Whole files on disk: a reader, or a crash, finds the old text or the new one, never a part of either.

Knows nothing of what the files hold.
"""

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import KeepError

_HINTS = {
    errno.ENOSPC: "free some space and run the same command again; what was recorded before is safe.",
    errno.EDQUOT: "free some of your quota and run the same command again; what was recorded before is safe.",
    errno.EACCES: "give yourself the right to write there, or copy the experiment elsewhere and name it by its path.",
    errno.EPERM: "give yourself the right to write there, or copy the experiment elsewhere and name it by its path.",
    errno.EROFS: "copy the experiment to a place that can be written and name it by its path.",
}


def cannot(action: str, path: Path, fault: OSError) -> KeepError:
    """The error for an operating system's refusal: `cannot write linear/SCORES.json: No space left on device`."""
    known = _HINTS.get(fault.errno or 0, "see that the folder exists and its disk is sound, then run again.")
    return KeepError(f"cannot {action} {path}: {fault.strerror or fault}", known)


def write_whole(path: Path, text: str, *, flush: bool = True) -> None:
    """Replace a file in one step. Without `flush` a power cut may still undo it: for texts made from a flushed one.

    The folder itself is not flushed: if the new name is lost, the old text comes back, and that is whole too.
    """
    # One fixed name beside the target: a killed process leaves at most this behind, and the next write takes it over.
    draft = path.with_name(f".{path.name}.tmp")
    try:
        try:
            write_plain(draft, text, flush=flush)
        except FileNotFoundError:
            path.parent.mkdir(parents=True)
            write_plain(draft, text, flush=flush)
        os.replace(draft, path)
    except OSError as fault:
        draft.unlink(missing_ok=True)
        raise cannot("write", path, fault) from None


def write_plain(path: Path, text: str, *, flush: bool) -> None:
    """Write a file in its place, OSErrors and all: for one that nobody reads before it is whole."""
    # Half of a surrogate pair can stand in a model's reply but not in a file; escaped, it is neither lost nor fatal.
    rest = memoryview(text.encode("utf-8", "backslashreplace"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        if flush:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError) as fault:
        raise KeepError(f"cannot read {path}: {fault.strerror}.", "name a file of source text.") from None
    except OSError as fault:
        raise cannot("read", path, fault) from None
    except UnicodeDecodeError as fault:
        raise KeepError(f"{path} is not UTF-8: byte {fault.start}.", "save it as UTF-8.") from None


def read_json(path: Path) -> Mapping[str, Any] | None:
    """The object a file holds, None where there is no file. Anything else is a KeepError."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise cannot("read", path, fault) from None
    except ValueError as fault:
        raise unreadable(path, str(fault)) from None
    if not isinstance(data, dict):
        raise unreadable(path, f"it holds {type(data).__name__}, must be an object")
    return data


def unreadable(path: Path, reason: str) -> KeepError:
    return KeepError(
        f"cannot read {path}: {reason}",
        f"fetch it: git checkout HEAD -- {path}; or where runs/ has the whole search, delete it to have it made again.",
    )


def lines(data: Mapping[str, str]) -> str:
    """An object of ready JSON texts, one key a line: so that a diff of two snapshots shows which parts changed."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {text}" for key, text in data.items()) + "\n}\n"

"""One measurement at a time on this machine, judge and runner each on a core of their own.

Other loops and experiments wait their turn here, whoever runs them; what else the machine is doing is not known here.
"""

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import JudgeError
from harness.judge.clock import Interrupted, Stop

_LOCK = "loop.py-measuring.lock"
_POLL_S = 0.005


@contextmanager
def alone(stop: Stop) -> Iterator[int]:
    """Hold the machine's one place to measure while it lasts; yields the runner's core, -1 where there is only one."""
    descriptor = _open()
    try:
        _wait(descriptor, stop)
        allowed = os.sched_getaffinity(0)
        *others, cpu = sorted(allowed)
        try:
            with suppress(OSError):  # where the system does not let us, the scheduler chooses
                os.sched_setaffinity(0, others or allowed)
            yield cpu if others else -1
        finally:
            os.sched_setaffinity(0, allowed)
    finally:
        os.close(descriptor)  # and with it the lock, as it does when the process is killed


def _open() -> int:
    """One file for all users. Only where there is none is it created: a kernel may refuse that over another user's."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    path = Path(_LOCK)
    try:
        path = Path(tempfile.gettempdir()) / _LOCK
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            descriptor = os.open(path, flags | os.O_CREAT, 0o666)
            os.fchmod(descriptor, 0o666)  # whatever the umask says
            return descriptor
    except OSError as fault:
        raise JudgeError(
            f"cannot open {path}: {fault.strerror}.", "remove it, or set TMPDIR to a folder that can be written."
        ) from None


def _wait(descriptor: int, stop: Stop) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            if fault.errno not in (errno.EAGAIN, errno.EACCES):
                raise JudgeError(f"cannot lock {_LOCK}: {fault.strerror}.", "set TMPDIR to a local disk.") from None
        if stop:
            raise Interrupted
        time.sleep(_POLL_S)

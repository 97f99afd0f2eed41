"""One measurement at a time on this machine, judge and runner each on a core of their own, and builds out of its way.

Other loops and experiments wait their turn here, whoever runs them; what else the machine is doing is not known here.
"""

import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import JudgeError
from harness.judge.clock import Interrupted, Stop

_SHARED = Path("/tmp")  # whatever TMPDIR says: users with one of their own share the cores all the same
_LOCK = "loop.py-measuring.lock"
_POLL_S = 0.005  # far less than the pause between two blocks, so that nobody is left out
_LONGEST_S = 3600.0  # no block takes so long, however large its cases
_BETWEEN_S = 2.0  # after which whoever holds the lock has long said so
_ENOUGH = 3  # cores beside the one that is measured on: for the judge, for the loop, and one to build on


@contextmanager
def alone(stop: Stop, folder: Path = _SHARED, longest_s: float = _LONGEST_S) -> Iterator[int]:
    """Hold the machine's one place to measure while it lasts, for so long at most: others then take it that this
    process was stopped. Yields the runner's core, -1 where there is only one."""
    allowed = os.sched_getaffinity(0)
    cpu, others = max(allowed), beside(allowed)
    with _place(stop, folder, longest_s), _kept_to(others):
        yield cpu if others else -1


@contextmanager
def aside(stop: Stop, folder: Path = _SHARED) -> Iterator[None]:
    """Work of ours on the CPU, such as a build, that no measurement shall feel: on cores that are well apart from the
    one that is measured on, and where these are too few, in the one place to measure. Never inside of `alone`."""
    cores = apart(os.sched_getaffinity(0))
    with _kept_to(cores) if cores else _place(stop, folder, _LONGEST_S):
        yield


def beside(allowed: Collection[int]) -> set[int]:
    """Where the judge waits for the runner: if it can, on a core that shares no arithmetic with the runner's."""
    cpu = max(allowed)
    return set(allowed) - twins(cpu) or set(allowed) - {cpu}


def apart(allowed: Collection[int]) -> Collection[int]:
    """The cores that share no arithmetic with the one that is measured on; none where they are too few to work on
    beside a measurement."""
    cores = set(allowed) - twins(max(allowed))
    return cores if len(cores) >= _ENOUGH else ()


def twins(cpu: int) -> set[int]:
    """The core, and whatever this machine counts as another one that is the same silicon."""
    path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
    try:
        spans = [span.partition("-") for span in path.read_text(encoding="ascii").split(",")]
        return {cpu}.union(*(range(int(first), int(last or first) + 1) for first, _, last in spans))
    except (OSError, ValueError):  # some kernels do not say
        return {cpu}


@contextmanager
def _kept_to(cores: Collection[int]) -> Iterator[None]:
    """This thread, and what it starts, on these cores alone; wherever they like where there are none."""
    allowed = os.sched_getaffinity(0)
    try:
        with suppress(OSError):  # where the system does not let us, the scheduler chooses
            os.sched_setaffinity(0, cores or allowed)
        yield
    finally:
        os.sched_setaffinity(0, allowed)


@contextmanager
def _place(stop: Stop, folder: Path, longest_s: float) -> Iterator[None]:
    path = (folder if folder.is_dir() else Path(tempfile.gettempdir())) / _LOCK
    descriptor = _open(path)
    try:
        _wait(descriptor, path, stop)
        os.pwrite(descriptor, f"{os.getpid():<20}{time.monotonic() + longest_s:<20.0f}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # and with it the lock, as it does when the process is killed


def _open(path: Path) -> int:
    """One file for all users. Only where there is none is it created: a kernel may refuse that over another user's."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        try:
            return os.open(path, flags)
        except FileNotFoundError:
            descriptor = os.open(path, flags | os.O_CREAT, 0o666)
            os.fchmod(descriptor, 0o666)  # whatever the umask says
            return descriptor
    except OSError as fault:
        raise JudgeError(f"cannot open {path}: {fault.strerror}.", "remove it, or let every user write it.") from None


def _wait(descriptor: int, path: Path, stop: Stop) -> None:
    began_s = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            if fault.errno not in (errno.EAGAIN, errno.EACCES):
                raise JudgeError(f"cannot lock {path}: {fault.strerror}.", "see what is mounted there.") from None
        else:
            return
        if stop:
            raise Interrupted
        if time.monotonic() - began_s > _BETWEEN_S:
            _refuse_stopped(descriptor)
        time.sleep(_POLL_S)


def _refuse_stopped(descriptor: int) -> None:
    """JudgeError where the holder has the lock for longer than it said it would."""
    holder, _, until = os.pread(descriptor, 40, 0).decode("ascii", "replace").partition(" ")
    if until.strip().isdecimal() and time.monotonic() > int(until):
        raise JudgeError(
            f"process {holder} keeps this machine's one place to measure for longer than any measurement takes.",
            "it was stopped, or hangs: continue it (`fg`) or end it, then run again.",
        )

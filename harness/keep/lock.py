"""One loop at a time in an experiment. The lock is the operating system's, so it dies with its process."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from harness.errors import KeepError
from harness.keep.files import cannot


class ExperimentLock:
    """Held between `with` and its end; a second holder is refused at once, never kept waiting."""

    def __init__(self, runs: Path, experiment: str) -> None:
        self._path = runs / "lock"
        self._experiment = experiment
        self._descriptor = -1

    def __enter__(self) -> "ExperimentLock":
        try:
            self._descriptor = self._acquire()
        except BlockingIOError:
            raise KeepError(
                f"another loop (pid {self._holder()}) is searching {self._experiment}",
                "wait for it to end or stop it with Ctrl-C; status and show work meanwhile.",
            ) from None
        except OSError as fault:
            raise cannot("lock", self._path, fault) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: to remove it would let a third process lock a new one while a second still holds this.
        os.close(self._descriptor)
        self._descriptor = -1

    def _acquire(self) -> int:
        while True:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_current(descriptor):
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Whether what was locked is still what the path names; a reset of `runs/` may have come between."""
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _holder(self) -> str:
        try:
            return self._path.read_text(encoding="ascii").strip() or "unknown"
        except (OSError, UnicodeDecodeError):
            return "unknown"

"""Writes that nobody waits for: the disk takes them while the next answer is on its way.

What went wrong with one is raised where the next is asked for, or where all are waited for.
"""

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from types import TracebackType

_PAUSE_S = 0.1  # no reader sees more than ten versions a second


class Behind:
    """`write` takes the texts of one version of the snapshots; while one is being written, only the newest waits."""

    def __init__(self, write: Callable[[Mapping[str, str]], None]) -> None:
        self._write = write
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="keep")
        self._running: deque[Future[None]] = deque()
        self._lock = Lock()
        self._newest: Mapping[str, str] | None = None
        self._is_refreshing = False
        self._no_pause = Event()

    def __enter__(self) -> "Behind":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._no_pause.set()
        self._threads.shutdown()

    def later(self, write: Callable[[], None]) -> None:
        while self._running and self._running[0].done():
            self._running.popleft().result()
        self._running.append(self._threads.submit(write))

    def refresh(self, texts: Mapping[str, str]) -> None:
        """This version is written at once, or soon after the one before it, unless a newer one comes first."""
        with self._lock:
            self._newest = texts
            if self._is_refreshing:
                return
            self._is_refreshing = True
        self.later(self._refresh)

    def settle(self) -> None:
        """Wait until nothing is being written; a version that still waits is dropped for what the caller writes."""
        with self._lock:
            self._newest = None
        self._no_pause.set()
        while self._running:
            self._running.popleft().result()
        self._no_pause.clear()

    def _refresh(self) -> None:
        while True:
            with self._lock:
                texts, self._newest = self._newest, None
                if texts is None:
                    self._is_refreshing = False
                    return
            self._write(texts)
            self._no_pause.wait(_PAUSE_S)

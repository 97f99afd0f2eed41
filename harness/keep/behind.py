"""Writes that nobody waits for: the disk takes them while the next answer is on its way.

What went wrong with one is raised where the next is asked for, or where all are waited for.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock
from types import TracebackType

_PAUSE_S = 0.1  # no reader sees more than ten versions a second


class Behind:
    """`write` takes the texts of one version of the snapshots, `flush` has on disk what was appended to the journal.
    Either is done at once, or soon after the one before it; of several versions only the newest is written."""

    def __init__(self, write: Callable[[Mapping[str, str]], None], flush: Callable[[], None]) -> None:
        self._write, self._flush = write, flush
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="keep")
        self._work: Future[None] | None = None
        self._lock = Lock()
        self._newest: Mapping[str, str] | None = None
        self._is_unflushed = self._is_working = False
        self._no_pause = Event()

    def __enter__(self) -> "Behind":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._no_pause.set()
        self._thread.shutdown()

    def flush(self) -> None:
        with self._lock:
            self._is_unflushed = True
        self._wake()

    def refresh(self, texts: Mapping[str, str]) -> None:
        with self._lock:
            self._newest = texts
        self._wake()

    def settle(self) -> None:
        """Wait until nothing is being written; a version that still waits is dropped for what the caller writes."""
        with self._lock:
            self._newest = None
        self._no_pause.set()
        if self._work:
            self._work.result()
        self._no_pause.clear()

    def _wake(self) -> None:
        with self._lock:
            is_idle, self._is_working = not self._is_working, True
        if self._work and (is_idle or self._work.done()):
            self._work.result()
        if is_idle:
            self._work = self._thread.submit(self._until_done)

    def _until_done(self) -> None:
        while self._take():
            self._no_pause.wait(_PAUSE_S)

    def _take(self) -> bool:
        """Do what is asked for by now; False where nothing is."""
        with self._lock:
            texts, self._newest = self._newest, None
            is_unflushed, self._is_unflushed = self._is_unflushed, False
            self._is_working = texts is not None or is_unflushed
        if is_unflushed:
            self._flush()
        if texts is not None:
            self._write(texts)
        return texts is not None or is_unflushed

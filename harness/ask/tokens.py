"""How many tokens a text has: exact where tiktoken's table can be had, else an estimate that says so.

The table is read only when a count is needed, and a run waits for it once and briefly. It prices nothing.
"""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from threading import Thread
from typing import TypeAlias

EXACT = "o200k_base"
ESTIMATE = "estimate"

_Encode: TypeAlias = Callable[[str], int]
_TABLE_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
_WAIT_S = 1.0
_FORGET_AFTER_S = 24 * 3600.0
TYPICAL_BYTES = 3
_FEWEST_BYTES = 2


def estimate(text: str) -> int:
    """A typical count for code and English, without any table."""
    return -(-len(text.encode("utf-8", "replace")) // TYPICAL_BYTES)


def upper_bound(text: str) -> int:
    """More tokens than such a text is seen to have: what fits by this measure needs no exact count."""
    return -(-len(text.encode("utf-8", "replace")) // _FEWEST_BYTES)


class TokenCounter:
    """Counts tokens; decides once, at the first count, whether it counts or estimates."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._failure = cache / "loop.py" / "no-tiktoken"
        folder = environ.get("TIKTOKEN_CACHE_DIR", environ.get("DATA_GYM_CACHE_DIR"))
        tables = Path(tempfile.gettempdir(), "data-gym-cache") if folder is None else Path(folder)
        self._table = tables / hashlib.sha1(_TABLE_URL.encode(), usedforsecurity=False).hexdigest()

    @property
    def name(self) -> str:
        """`o200k_base`, or `estimate` where its table cannot be had."""
        return ESTIMATE if self._encode is None else EXACT

    def count(self, text: str) -> int:
        return estimate(text) if self._encode is None else self._encode(text)

    @cached_property
    def _encode(self) -> _Encode | None:
        if not self._table.is_file() and self._failed_lately():
            return None
        encode = _load()
        if encode is None:
            self._remember_failure()
        return encode

    def _failed_lately(self) -> bool:
        try:
            return 0 <= time.time() - self._failure.stat().st_mtime < _FORGET_AFTER_S
        except OSError:
            return False

    def _remember_failure(self) -> None:
        try:
            self._failure.parent.mkdir(parents=True, exist_ok=True)
            self._failure.write_text("tiktoken's table could not be had; delete this file to try again at once.\n")
        except OSError:
            # A cache that cannot be written costs the next run its wait, no more.
            return


def _load() -> _Encode | None:
    # tiktoken downloads without any time-out. The thread may outlive the wait and fill tiktoken's own cache, which
    # the next run finds; being a daemon it never holds up the end of this one.
    loaded: list[_Encode] = []
    thread = Thread(target=_load_into, args=(loaded,), name="tiktoken", daemon=True)
    thread.start()
    thread.join(_WAIT_S)
    return loaded[0] if loaded else None


def _load_into(loaded: list[_Encode]) -> None:
    try:
        import tiktoken  # noqa: PLC0415 - a prompt that fits by its upper bound never pays for it

        encoding = tiktoken.get_encoding(EXACT)
    except (ImportError, OSError, ValueError):
        return
    loaded.append(lambda text: len(encoding.encode_ordinary(text)))

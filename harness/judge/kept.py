"""What was measured of this machine, kept as JSON beside our tools for a while. Knows nothing of what it is."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from harness.records import from_json, to_json

Measured = TypeVar("Measured")

UNUSED_FOR_S = 60 * 24 * 3600  # longer than anything here is believed


def recall(path: Path, kind: type[Measured], for_s: float, now_s: float) -> Measured | None:
    """What was kept in a file; None where that is too old, torn or not there at all."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        measured = from_json(kind, data["measured"])
        return measured if 0 <= now_s - data["measured_at_s"] < for_s else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def keep(path: Path, measured: Any, now_s: float) -> None:
    """Written whole. Where it cannot be written, the next run measures again."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        draft.write_text(json.dumps({"measured_at_s": now_s, "measured": to_json(measured)}), encoding="utf-8")
        draft.replace(path)


def sweep(folder: Path, now_s: float) -> None:
    """Every winner's build leaves a file, and every version of ours its tools: what is as old as that goes."""
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):  # another process may have been first
                if now_s - path.stat().st_mtime > UNUSED_FOR_S:
                    path.unlink()

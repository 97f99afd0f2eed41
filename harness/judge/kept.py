"""What was measured of this machine, kept as JSON beside our tools for a while. Knows nothing of what it is."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from harness.records import from_json, to_json

Measured = TypeVar("Measured")


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

"""What gcc said of the loops of sources that others may start from: kept beside our tools, for the prompts to come.

It is a by-product of their builds, so that no prompt waits for a compiler. Decides nothing.
"""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from harness.contract import Experiment
from harness.judge import kept
from harness.judge.machine import fingerprint

KEPT_FOR_S = 30 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remarks:
    lines: tuple[str, ...]


def keep(experiment: Experiment, folder: Path, source: str, lines: tuple[str, ...]) -> None:
    kept.keep(folder / _name(experiment, source), _Remarks(lines=lines), time.time())


def known(experiment: Experiment, folder: Path, source: str) -> tuple[str, ...]:
    """What was said of this source on a machine such as this; nothing where it was not built here lately."""
    found = kept.recall(folder / _name(experiment, source), _Remarks, KEPT_FOR_S, time.time())
    return found.lines if found else ()


def _name(experiment: Experiment, source: str) -> str:
    what = repr((fingerprint(experiment), experiment.signature, source))
    return f"remarks-{hashlib.sha256(what.encode()).hexdigest()[:20]}.json"

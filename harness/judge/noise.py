"""How much a block of this machine varies when nothing differs: measured once, kept for a while beside our tools.

It is where a comparison starts from before it has seen blocks of its own; it decides nothing.
"""

import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.contract import Experiment
from harness.judge import stats, toolchain
from harness.judge.machine import this_machine
from harness.judge.measure import Block

BLOCKS = 6
_STALE_S = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The spread of a block's log-ratio between two arms of the same code, over all cases and in each."""

    overall: float
    by_case: Mapping[str, float]

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Noise":
        """About zero, where identical arms must lie; a few blocks alone could by luck all agree."""
        names = blocks[0].ratios
        return cls(
            overall=_spread([block.overall for block in blocks]),
            by_case={name: _spread([block.ratios[name] for block in blocks]) for name in names},
        )


def known(experiment: Experiment, measure: Callable[[], Sequence[Block]]) -> Noise:
    """What was found here not long ago, else what `measure` finds now in blocks of identical arms."""
    path = _path(experiment)
    found = _read(path, [case.name for case in experiment.evaluation.cases])
    if found is None:
        found = Noise.of(measure())
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps({"overall": found.overall, "by_case": found.by_case}), encoding="utf-8")
        draft.replace(path)
    return found


def _spread(values: Sequence[float]) -> float:
    return max(stats.FLOOR, stats.SIGMAS * statistics.median(map(abs, values)))


def _path(experiment: Experiment) -> Path:
    cases = [(case.name, sorted(case.dims.items())) for case in experiment.evaluation.cases]
    what = repr((str(this_machine()), experiment.signature, list(experiment.flags), cases))
    return toolchain.cache_folder() / f"noise-{hashlib.sha256(what.encode()).hexdigest()[:20]}.json"


def _read(path: Path, cases: Sequence[str]) -> Noise | None:
    try:
        if time.time() - path.stat().st_mtime > _STALE_S:
            return None
        data = json.loads(path.read_bytes())
        return Noise(overall=float(data["overall"]), by_case={case: float(data["by_case"][case]) for case in cases})
    except (OSError, ValueError, KeyError, TypeError):  # not there, or torn: measured anew
        return None

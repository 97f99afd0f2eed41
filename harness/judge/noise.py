"""How much a block of this machine varies when nothing differs: measured once, kept for a while beside our tools.

It is where a comparison starts from before it has seen blocks of its own; it decides nothing.
"""

import hashlib
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.contract import Experiment
from harness.judge import kept, measure, stats
from harness.judge.machine import fingerprint
from harness.judge.measure import Block

BLOCKS = 8
KEPT_FOR_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """The spread of a block's log-ratio between two arms of the same code, over all cases and in each."""

    overall: float
    by_case: Mapping[str, float]

    @property
    def is_sound(self) -> bool:
        """What stands in a file may be anything; a spread that is none would end in a division."""
        return all(stats.FLOOR <= spread < math.inf for spread in (self.overall, *self.by_case.values()))

    def over(self, cases: Sequence[str]) -> float:
        """Of the mean over these cases: all of them, or one alone."""
        return self.overall if len(cases) > 1 else self.by_case[cases[0]]

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Noise":
        """About zero, where identical arms must lie; a few blocks alone could by luck all agree."""
        names = blocks[0].ratios
        return cls(
            overall=_spread([block.overall for block in blocks]),
            by_case={name: _spread([block.ratios[name] for block in blocks]) for name in names},
        )


def known(experiment: Experiment, folder: Path, measure: Callable[[], Sequence[Block]]) -> Noise:
    """What was kept in that folder not long ago, else what `measure` finds now in blocks of identical arms."""
    path = folder / _name(experiment)
    found = kept.recall(path, Noise, KEPT_FOR_S, time.time())
    if found is None or not found.is_sound:
        found = Noise.of(measure())
        kept.keep(path, found, time.time())
    return found


def _spread(values: Sequence[float]) -> float:
    return max(stats.FLOOR, stats.SIGMAS * statistics.median(map(abs, values)))


def _name(experiment: Experiment) -> str:
    cases = [(case.name, sorted(case.dims.items())) for case in experiment.evaluation.cases]
    way = Path(measure.__file__).read_bytes()  # how a block is made: another way has another noise
    what = repr((fingerprint(experiment), experiment.signature, cases, way))
    return f"noise-{hashlib.sha256(what.encode()).hexdigest()[:20]}.json"

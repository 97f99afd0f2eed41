"""What the calls of a visit are fed, no two alike, and what must come out of each by the experiment's reference."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.contract import Case, Experiment
from harness.judge.answers import Doubles, inputs_of, shapes_of, truth_of
from harness.judge.signature import Signature

_LINE_BYTES = 64
_FRESH_BYTES = 1 << 20
Floats = npt.NDArray[np.float32]


class Contents:
    """The arrays of one case. A sliding array is one pool in which every call sees a window of its own: those of a
    small array share nothing, those of a large one lie a cache line apart, so that the caches hold them like one."""

    def __init__(
        self, experiment: Experiment, case: Case, rng: np.random.Generator, calls: int, signature: Signature
    ) -> None:
        self.experiment = experiment
        self.case = case
        self.calls = calls
        self.signature = signature
        self._rng = rng
        first: Mapping[str, Any] = inputs_of(experiment, case, rng, signature)
        self.shapes = shapes_of(first)
        self.pools: dict[str, npt.NDArray[Any]] = {}
        self.starts: dict[str, npt.NDArray[np.int64]] = {}
        slides = set(experiment.evaluation.slides) if calls > 1 else set()
        whole = [name for name, array in first.items() if array is not None and name not in slides]
        others = [self._arrays() for _ in range(calls - 1)] if whole else []
        for name, array in first.items():
            if name in whole:
                self.pools[name] = np.concatenate([array.ravel(), *(other[name].ravel() for other in others)])
                self.starts[name] = np.arange(calls) * array.size
            elif array is not None:
                self._slide(name, array, rng)

    def _arrays(self) -> Mapping[str, Any]:
        """Those of another call, which must be of the same shapes: they lie where the first one's lie."""
        return inputs_of(self.experiment, self.case, self._rng, self.signature, like=self.shapes)

    def _slide(self, name: str, array: npt.NDArray[Any], rng: np.random.Generator) -> None:
        line = _LINE_BYTES // array.itemsize
        apart = -(-array.size // line) * line  # windows that share nothing, as long as they stay in the caches
        step = apart if self.calls * apart * array.itemsize <= _FRESH_BYTES else line
        flat = array.ravel()
        self.pools[name] = np.concatenate([flat, rng.choice(flat, size=step * self.calls)]) if flat.size else flat
        self.starts[name] = rng.permutation(self.calls) * step

    def renew(self, first: int, count: int) -> None:
        """Other contents for these calls, which slide along nothing."""
        for call in range(first, first + count):
            for name, array in self._arrays().items():
                if array is not None:
                    start = int(self.starts[name][call])
                    self.pools[name][start : start + array.size] = array.ravel()

    def truth(self, call: int) -> tuple[Doubles, Doubles]:
        return truth_of(self.experiment, self.case, dict(self._windows(call)), self.signature)

    def _windows(self, call: int) -> Iterator[tuple[str, npt.NDArray[Any] | None]]:
        for name, shape in self.shapes.items():
            if shape is None:
                yield name, None
                continue
            start = int(self.starts[name][call])
            yield name, self.pools[name][start : start + int(np.prod(shape))].reshape(shape)


def limits(expected: Doubles, bound: Doubles) -> tuple[Floats, Floats, npt.NDArray[np.bool_] | None]:
    """The first and the last float32 that pass, so that checking a timed output is two comparisons.

    Not-a-number passes nothing: where one is due, a mask says so."""
    exact = ~np.isfinite(expected)
    slack = np.where(exact, 0.0, bound)
    with np.errstate(over="ignore", invalid="ignore"):
        low64, high64 = expected - slack, expected + slack
        low, high = low64.astype(np.float32), high64.astype(np.float32)
        low = np.where(low < low64, np.nextafter(low, np.float32(np.inf)), low)
        high = np.where(high > high64, np.nextafter(high, np.float32(-np.inf)), high)
    nan = np.isnan(expected)
    return low, high, nan if nan.any() else None

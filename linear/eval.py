"""What `linear` is judged by: workloads, inputs, the exact answer, how far one may be from it, and what wins.

`python linear/eval.py` judges the current candidate alone, without a model.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.contract import Case
from harness.judge.verdict import accept

__all__ = ["CASES", "CHECKS", "SLIDES", "accept", "bound", "inputs", "reference", "work"]

Array = npt.NDArray[np.float32]


def _case(name: str, rows: int, in_features: int, out_features: int, bias: int = 1, data: str = "normal") -> Case:
    return Case(name, data, rows=rows, in_features=in_features, out_features=out_features, bias=bias)


# Timed, one by one: a token through a layer, through an up-projection, a small batch, a large one, awkward sizes.
CASES = [
    _case("decode", 1, 768, 768),
    _case("decode-wide", 1, 768, 3072),
    _case("small-batch", 8, 64, 256),
    _case("batch", 64, 768, 768),
    _case("odd", 7, 129, 65, bias=0),
]

# Validated only: nothing, one, primes, tails around every vector width, and data that is not well-behaved.
CHECKS = [
    *(_case(f"{r}x{i}x{o}", r, i, o) for r, i, o in ((0, 8, 8), (3, 0, 5), (3, 8, 0), (1, 1, 1), (2, 3, 5))),
    *(_case(f"{r}x{i}x{o}-no-bias", r, i, o, bias=0) for r, i, o in ((3, 0, 5), (1, 1, 1), (5, 7, 3), (4, 32, 8))),
    *(_case(f"in-{i}", 3, i, 7) for i in (4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 65, 127, 131)),
    *(_case(f"out-{o}", 2, 19, o) for o in (1, 2, 3, 4, 6, 8, 9, 12, 13, 16, 17)),
    *(_case(f"rows-{r}", r, 18, 5) for r in (1, 2, 3, 4, 5, 6, 8, 9, 11, 13)),
    *(
        _case(data, 5, 37, 11, data=data)
        for data in ("denormal", "large", "zeros", "infinities", "nan", "cancelling", "tiny")
    ),
]

# Arrays of independent numbers: any window of a longer one is as good an input.
SLIDES = ("x", "weight", "bias")


def hidden(rng: np.random.Generator) -> list[Case]:
    """Shapes near the timed ones that nobody knows beforehand: a kernel for the declared sizes alone fails here."""
    cases = []
    for case in CASES:
        rows, in_features, out_features = (max(1, size + int(rng.integers(-3, 4))) for size in _sizes(case))
        cases.append(_case(f"near-{case.name}", min(rows, 17), in_features, min(out_features, 259), case.bias))
    return cases


def _sizes(case: Case) -> tuple[int, int, int]:
    return case.rows, case.in_features, case.out_features


_EPSILON = 2.0**-24
_SMALLEST = 2.0**-149


def inputs(case: Case, rng: np.random.Generator) -> Mapping[str, Array | None]:
    x = _values(case, rng, (case.rows, case.in_features))
    weight = _values(case, rng, (case.out_features, case.in_features))
    bias = _values(case, rng, (case.out_features,)) if case.bias else None
    return {"x": x, "weight": weight, "bias": bias}


def _values(case: Case, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    values = rng.standard_normal(shape, np.float32)
    if case.data == "denormal":  # products with these leave the normal range too
        return np.where(rng.random(shape) < 0.5, values * np.float32(1e-40), values).astype(np.float32)
    if case.data == "large":
        return (values * 10.0 ** rng.uniform(-17, 17, shape)).astype(np.float32)
    if case.data == "zeros":
        return np.where(rng.random(shape) < 0.7, np.copysign(np.float32(0), values), values)
    if case.data in ("infinities", "nan"):  # among zeros, whose products with them are not zero
        special = np.copysign(np.float32(np.inf), values) if case.data == "infinities" else np.float32(np.nan)
        values = np.where(rng.random(shape) < 0.3, np.copysign(np.float32(0), values), values)
        return np.where(rng.random(shape) < 0.02, special, values).astype(np.float32)
    if case.data == "tiny":  # every product and every sum is below the normal range
        return values * np.float32(1e-20)
    if case.data == "cancelling":  # neighbours that nearly undo each other
        values[..., 1::2] = -values[..., : values.shape[-1] // 2 * 2 : 2] * np.float32(1 + 1e-6)
    return values


def reference(x: Array, weight: Array, bias: Array | None) -> npt.NDArray[np.float64]:
    exact: npt.NDArray[np.float64] = x.astype(np.float64) @ weight.astype(np.float64).T
    return exact if bias is None else exact + bias.astype(np.float64)


def bound(x: Array, weight: Array, bias: Array | None) -> npt.NDArray[np.float64]:
    """Rounding errors of a sum add up like a random walk: about sqrt(n) of them, each at most epsilon of the sum of
    magnitudes. Four times that covers every order of summation; rounding the inputs to half precision exceeds it."""
    terms = x.shape[1] + 1
    magnitude: npt.NDArray[np.float64] = (np.abs(x) @ np.abs(weight).T).astype(np.float64)
    if bias is not None:
        magnitude += np.abs(bias)
    slack: npt.NDArray[np.float64] = (4 * np.sqrt(terms) + 8) * _EPSILON * magnitude + terms * _SMALLEST
    return slack


def work(case: Case) -> Mapping[str, float]:
    multiplications = case.rows * case.in_features * case.out_features
    numbers = case.rows * (case.in_features + case.out_features) + case.in_features * case.out_features
    return {"flops": 2.0 * multiplications, "bytes": 4.0 * (numbers + case.out_features * case.bias)}


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

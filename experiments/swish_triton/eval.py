"""What `swish_triton` is judged by. `python experiments/swish_triton/eval.py` judges the current candidate alone."""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.contract import Case
from harness.judge.verdict import accept

__all__ = ["CASES", "CHECKS", "accept", "bound", "inputs", "reference", "work"]

Array = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]
_EPSILON = 2.0**-24
_LEAST = 2.0**-120  # a result that is smaller may come out as nothing: exp(-x) beyond float32 begins a little below it


def _case(name: str, rows: int, columns: int, data: str = "normal") -> Case:
    return Case(name, data, rows=rows, columns=columns)


# Timed, on a device only.
CASES = [_case("wide", 2000, 16384), _case("odd", 1021, 4099)]

# Checked: small, because where there is no device an interpreter does it, one program after the other.
CHECKS = [
    *(_case(f"{r}x{c}", r, c) for r, c in ((1, 1), (1, 7), (3, 333), (17, 129), (2, 1024), (5, 1025))),
    *(_case(data, 7, 37, data) for data in ("zeros", "tiny", "large", "overflowing")),
]


def hidden(rng: np.random.Generator) -> list[Case]:
    rows, columns = int(rng.integers(2, 12)), int(rng.integers(2, 700))
    return [_case("hidden", rows, columns)]


def inputs(case: Case, rng: np.random.Generator) -> Mapping[str, Array]:
    x = rng.standard_normal((case.rows, case.columns), np.float32)
    if case.data == "zeros":
        x[rng.random(x.shape) < 0.7] = 0
    scale = {"tiny": 1e-20, "large": 30, "overflowing": 1e4}.get(case.data, 3)
    return {"x": x * np.float32(scale)}


def reference(x: Array) -> Exact:
    exact = x.astype(np.float64)
    result: Exact = exact / (1 + np.exp(-exact))
    return result


def bound(x: Array) -> Exact:
    """How far from it a float32 may be. What is rounded on the way to exp(-x) counts as often as x is large, as far as
    exp(-x) counts at all beside the 1; every other step adds an epsilon or two. Half precision exceeds it 100 times."""
    exact = x.astype(np.float64)
    of_exp = 1 / (1 + np.exp(exact))  # how much of an error of exp(-x) reaches the result
    slack: Exact = _EPSILON * np.abs(reference(x)) * (12 + 4 * np.abs(exact) * of_exp) + _LEAST
    return slack


def work(case: Case) -> Mapping[str, float]:
    """Each number is read once and written once."""
    numbers = case.rows * case.columns
    return {"flops": 4.0 * numbers, "bytes": 8.0 * numbers}


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

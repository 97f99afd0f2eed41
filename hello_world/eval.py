"""What `hello_world` is judged by. The smallest `eval.py` that times calls: a few names, and what each is for.

`python hello_world/eval.py` judges the current candidate alone, without a model. Nothing here needs torch: inputs and
the exact answer are numpy's, and candidates run in a process of their own.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.contract import Case
from harness.judge.verdict import accept  # what counts as a winner: the house's own idea

__all__ = ["CASES", "CHECKS", "accept", "bound", "inputs", "reference", "work"]

Array = npt.NDArray[np.float32]
Exact = npt.NDArray[np.float64]


def _case(name: str, rows: int, in_features: int, out_features: int, data: str = "normal") -> Case:
    return Case(name, data, rows=rows, in_features=in_features, out_features=out_features)


# Timed, one by one.
CASES = [_case("small", 128, 10, 20), _case("large", 256, 512, 512)]

# Checked only: sizes that an assumption may not have thought of, and data that is not well-behaved.
CHECKS = [
    *(_case(f"{r}x{i}x{o}", r, i, o) for r, i, o in ((1, 1, 1), (1, 10, 20), (3, 1, 5), (2, 7, 1), (31, 33, 65))),
    *(_case(data, 5, 37, 11, data) for data in ("zeros", "large", "tiny", "cancelling")),
]


def hidden(rng: np.random.Generator) -> list[Case]:
    """Optional: more cases to check, other ones every time, so that nobody writes for the declared sizes alone."""
    rows, in_features, out_features = (int(size) for size in rng.integers(2, 200, 3))
    return [_case("hidden", rows, in_features, out_features)]


def inputs(case: Case, rng: np.random.Generator) -> Mapping[str, Array]:
    """Named arrays in the order of the signature. Asked for anew for every call that is timed."""
    x = rng.standard_normal((case.rows, case.in_features), np.float32)
    weight = rng.standard_normal((case.out_features, case.in_features), np.float32)
    if case.data == "zeros":
        x[rng.random(x.shape) < 0.7] = 0
    if case.data in ("large", "tiny"):
        x *= np.float32(1e15 if case.data == "large" else 1e-15)
    if case.data == "cancelling":
        weight[1::2] = -weight[: len(weight) // 2 * 2 : 2] * np.float32(1 + 1e-6)
    return {"x": x, "weight": weight}


def reference(x: Array, weight: Array) -> Exact:
    """The exact answer, in float64, by any way there is: here the short one."""
    total: Exact = x.astype(np.float64) @ weight.astype(np.float64).sum(axis=0)
    return total[:, None] * 0.75


def bound(x: Array, weight: Array) -> Exact:
    """How far from it a float32 may be, element by element. The products are as often positive as negative, so their
    sum, and the partial sums on the way, are of the size of the root of the sum of their squares; each step of the
    longer of the two sums adds an epsilon of that, like a random walk. Four times that covers every order of summation,
    and the sum of the weights first; rounding to half precision anywhere exceeds it many times over."""
    squares: Exact = (x.astype(np.float64) ** 2) @ (weight.astype(np.float64) ** 2).sum(axis=0)
    size = np.sqrt(squares)[:, None] + np.abs(reference(x, weight))
    slack: Exact = (4 * np.sqrt(max(weight.shape)) + 8) * 2.0**-24 * size + weight.size * 2.0**-149
    return slack


def work(case: Case) -> Mapping[str, float]:
    """The least that has to be done, for the share of the machine's ceiling: each weight is added once, each x
    multiplied once. The seed does far more."""
    numbers = case.rows * case.in_features + case.out_features * case.in_features
    return {"flops": case.out_features * case.in_features + 2.0 * case.rows * case.in_features, "bytes": 4.0 * numbers}


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

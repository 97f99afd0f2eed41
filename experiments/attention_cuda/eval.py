"""What `attention_cuda` is judged by: the exact answer and its bound are `attention`'s, its cases are for a device.

`python experiments/attention_cuda/eval.py` judges the current candidate alone, without a model.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from attention import eval as attention
from attention.eval import work
from harness.contract import Case
from harness.judge.verdict import accept

__all__ = ["CASES", "CHECKS", "accept", "bound", "inputs", "reference", "work"]

Array = npt.NDArray[Any]


def _case(name: str, *sizes: int, data: str = "normal") -> Case:
    batch, n_heads, tokens, head_dim = sizes
    as_attention_has_it = {"n_kv_heads": n_heads, "causal": 1}
    return Case(name, data, batch=batch, n_heads=n_heads, tokens=tokens, head_dim=head_dim, **as_attention_has_it)


# Timed, one by one: 768 channels in 8 heads. Many short sequences, and one long one that does not fill a device.
CASES = [_case("b32-t256", 32, 8, 256, 96), _case("b1-t1024", 1, 8, 1024, 96)]

# Checked only: sizes beside those of tiles, warps and vectors; data that is not well-behaved.
CHECKS = [
    *(_case(f"tokens-{t}", 2, 2, t, 96) for t in (1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 200)),
    *(_case(f"head-dim-{d}", 1, 3, 40, d) for d in (1, 2, 3, 4, 7, 16, 31, 33, 64, 65, 95, 97, 100, 127, 128)),
    *(_case(f"batch-{b}-heads-{h}", b, h, 9, 8) for b, h in ((1, 1), (1, 7), (3, 1), (5, 12))),
    *(_case(data, 2, 2, 75, 24, data=data) for data in ("sharp", "huge", "wide", "denormal", "faint", "alike", "nan")),
]


def hidden(rng: np.random.Generator) -> list[Case]:
    """Shapes that nobody knows beforehand: a kernel for the declared sizes alone fails here."""
    sizes = [[int(rng.integers(1, most + 1)) for most in (4, 10, 300, 128)] for _ in range(2)]
    return [_case(f"hidden-{number}", *one) for number, one in enumerate(sizes, 1)]


def inputs(case: Case, rng: np.random.Generator) -> Mapping[str, Array | None]:
    return {name: array for name, array in attention.inputs(case, rng).items() if name != "keep"}


def reference(q: Array, k: Array, v: Array) -> npt.NDArray[np.float64]:
    return attention.reference(q, k, v, keep=None, causal=1)


def bound(q: Array, k: Array, v: Array) -> Array:
    return attention.bound(q, k, v, keep=None, causal=1)


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

"""What `attention` is judged by: workloads, inputs, the exact answer, how far one may be from it, and what wins.

`python attention/eval.py` judges the current candidate alone, without a model.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.contract import Case
from harness.judge.verdict import accept

__all__ = ["CASES", "CHECKS", "SLIDES", "accept", "bound", "inputs", "reference", "work"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.uint8]

GPT2 = {"batch": 1, "n_heads": 12, "n_kv_heads": 12, "head_dim": 64, "causal": 1}
SMALL = {"batch": 2, "n_heads": 2, "n_kv_heads": 1, "head_dim": 8, "causal": 1}


def _timed(name: str, tokens: int, data: str = "normal", **changes: int) -> Case:
    return Case(name, data, **GPT2 | changes, tokens=tokens)


def _check(name: str, data: str = "normal", tokens: int = 19, **changes: int) -> Case:
    return Case(name, data, **SMALL | changes, tokens=tokens)


# Timed, one by one: a layer of GPT-2, keys and values shared by three heads, sequences of an encoder with padding.
CASES = [
    _timed("t32", 32),
    _timed("t128", 128),
    _timed("t256", 256),
    # _timed("t1024", 1024),  # the whole context of GPT-2: sixteen times the work
    _timed("grouped", 96, n_kv_heads=4),
    _timed("padded", 64, "padded", batch=2, causal=0),
]

# Validated only: nothing, one, primes, tails around every vector width; every mask; data that is not well-behaved.
CHECKS = [
    *(_check(f"no-{size}", "holes", **{size: 0}) for size in ("batch", "tokens", "head_dim")),
    *(_check(f"tokens-{t}", tokens=t) for t in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 61, 67, 131)),
    *(_check(f"seen-by-all-{t}", tokens=t, causal=0) for t in (1, 6, 13, 32, 65, 127)),
    *(_check(f"head-dim-{d}", head_dim=d, batch=1) for d in (1, 2, 3, 7, 9, 15, 16, 17, 31, 33, 47, 64, 65, 97, 127)),
    *(_check(f"heads-{h}-of-{kv}", n_heads=h, n_kv_heads=kv) for h, kv in ((1, 1), (3, 1), (3, 3), (6, 2), (10, 5))),
    _check("longest", "holes", 1024, n_heads=1, head_dim=2, batch=1),
    _check("widest", "holes", 70, head_dim=128, batch=1),
    *(
        _check(f"{data}-{'causal' if causal else 'full'}", data, tokens, causal=causal, head_dim=11)
        for data in ("padded", "holes", "one-key", "no-key", "late", "garbage holes")
        for causal, tokens in ((0, 37), (1, 70))
    ),
    *(
        _check(data, data, tokens=43, head_dim=12)
        for data in (
            "sharp",
            "huge",
            "wide",
            "denormal",
            "faint",
            "alike",
            "nan",
            "infinities",
            "minus-infinities",
        )
    ),
    *(_check(f"{data}-holes", f"{data} holes", 75, causal=0) for data in ("sharp", "huge", "nan", "minus-infinities")),
    _check("infinite-values", "infinite-values", 40),
]

# Arrays of independent numbers: any window of a longer one is as good an input.
SLIDES = ("q", "k", "v")


def hidden(rng: np.random.Generator) -> list[Case]:
    """Shapes near the timed ones that nobody knows beforehand: a kernel for the declared sizes alone fails here."""
    cases = []
    for case in CASES:
        sizes = {name: getattr(case, name) + int(rng.integers(-3, 4)) for name in ("tokens", "head_dim")}
        heads = {"n_kv_heads": int(rng.integers(1, 3)), "batch": int(rng.integers(1, 3))}
        heads["n_heads"] = heads["n_kv_heads"] * int(rng.integers(1, 3))
        data = "holes" if rng.integers(2) else case.data
        cases.append(Case(f"near-{case.name}", data, **{**case.dims, **sizes, **heads}))
    return cases


# Scores from -80 to 80 and beyond; so far apart that one key has all the weight; so small that products leave the
# normal range; so small that all weights are alike.
_SHARPNESS = {"sharp": 30, "huge": 3000, "faint": 1e-20, "alike": 1e-3}


def inputs(case: Case, rng: np.random.Generator) -> Mapping[str, Array | None]:
    words = case.data.split()
    mine, shared = ((case.batch, heads, case.tokens, case.head_dim) for heads in (case.n_heads, case.n_kv_heads))
    q, k, v = (rng.standard_normal(shape, np.float32) for shape in (mine, shared, shared))
    keep = next((mask for word in words if (mask := _mask(word, case, rng)) is not None), None)
    q, k, v = _special(words, (q * np.prod([_SHARPNESS.get(word, 1) for word in words]), k, v), rng)
    if "faint" in words:
        k = k * 1e-20
    if "alike" in words:  # under such weights, neighbours that nearly undo each other
        v[..., 1::2, :] = -v[..., : case.tokens // 2 * 2 : 2, :] * np.float32(1 + 1e-5)
    if "garbage" in words and keep is not None:  # in what nobody may see
        k, v = (np.where(keep[:, None, :, None] == 0, rng.choice([np.nan, np.inf], a.shape), a) for a in (k, v))
    return {"q": q.astype(np.float32), "k": k.astype(np.float32), "v": v.astype(np.float32), "keep": keep}


def _special(words: list[str], arrays: tuple[Array, Array, Array], rng: np.random.Generator) -> tuple[Array, ...]:
    """Some numbers of q, k and v that are not well-behaved."""
    q, k, v = arrays
    if "denormal" in words:
        v = np.where(rng.random(v.shape) < 0.5, v * 1e-40, v)
    if "wide" in words:
        v = v * 10.0 ** rng.uniform(-30, 30, v.shape)
    if "nan" in words:
        q, k, v = (np.where(rng.random(a.shape) < share, np.nan, a) for a, share in ((q, 1e-3), (k, 1e-3), (v, 0.01)))
    if "infinities" in words:  # q of either sign makes them scores of either sign
        k = np.where(rng.random(k.shape) < 2e-3, np.inf, k)
    if "minus-infinities" in words:  # in most keys, so that the first rows see nothing else
        q, k[..., 0] = np.abs(q), np.where(rng.random(k.shape[:-1]) < 0.7, -np.inf, k[..., 0])
    if "infinite-values" in words:
        v = np.where(rng.random(v.shape) < 0.02, np.copysign(np.inf, v), v)
    return q, k, v


def _mask(word: str, case: Case, rng: np.random.Generator) -> Mask | None:
    place = np.tile(np.arange(case.tokens), (case.batch, 1))
    masks = {
        "padded": place < case.tokens - case.tokens // 4,
        "holes": rng.random(place.shape) < rng.choice([0.1, 0.5, 0.9], (case.batch, 1)),
        "one-key": place == rng.integers(0, max(1, case.tokens), (case.batch, 1)),
        "no-key": (place < 0) | (np.arange(case.batch)[:, None] > 0),  # in the first sequence
        "late": place >= case.tokens // 2,
    }
    return masks[word].astype(np.uint8) if word in masks else None


def reference(q: Array, k: Array, v: Array, keep: Mask | None, causal: int) -> npt.NDArray[np.float64]:
    visible = _visible(keep, causal, q.shape)
    weights = _weights(_scores(q.astype(np.float64), k.astype(np.float64)), visible)
    values = _for_each_head(v.astype(np.float64), q)
    out: npt.NDArray[np.float64] = weights @ np.where(np.isfinite(values), values, 0)
    for special in (np.inf, -np.inf, np.nan):
        found = np.isnan(values) if np.isnan(special) else values == special
        if found.any():  # added where it can be seen: 0 times infinity is no part of the sum
            out += np.where(visible.astype(np.float64) @ found > 0, special, 0)
    return out


_EPSILON = 2.0**-24
_SMALLEST, _SMALLEST_NORMAL = 2.0**-149, 2.0**-126
_EXP = 2.0**-19


def bound(q: Array, k: Array, v: Array, keep: Mask | None, causal: int) -> Array:
    """A weight is off by a part of itself: by the error of its score, which is a dot product, by a few roundings of the
    score and of its distance from the row's greatest, and by what `exp` may add. An output moves by the weight's error
    times the value's distance from the output. The sums over the keys round like any sum: see `linear`."""
    visible = _visible(keep, causal, q.shape)
    scores = _scores(q, k)
    weights = _weights(scores, visible).astype(np.float32)
    values = np.where(np.isfinite(v), v, 0)
    values, size = _for_each_head(values, q), _for_each_head(np.abs(values), q)
    top = np.abs(np.where(visible, scores, 0)).max(axis=-1, keepdims=True, initial=0)
    roundings = (4 * np.sqrt(q.shape[3]) + 8) * _scores(np.abs(q), np.abs(k)) + 4 * (np.abs(scores) + top)
    sums = 4 * np.sqrt(q.shape[2]) + 8
    off = weights * np.where(weights > 0, (roundings + sums) * _EPSILON + _EXP, 0).astype(np.float32)
    slack: Array = off @ size + off.sum(axis=-1, keepdims=True) * np.abs(weights @ values)
    slack += _SMALLEST_NORMAL * size.sum(axis=2, keepdims=True) + q.shape[2] * _SMALLEST
    return slack


def _visible(keep: Mask | None, causal: int, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which query (rows) may see which key: batch x 1 x tokens x tokens."""
    seen = np.ones((shape[0], 1, shape[2], shape[2]), np.bool_)
    if causal:
        seen = np.tril(seen)
    return seen if keep is None else seen & (keep[:, None, None, :] != 0)


def _scores(q: Array, k: Array) -> Array:
    scores: Array = q @ _for_each_head(k, q).swapaxes(2, 3) * q.dtype.type(1 / np.sqrt(max(1, q.shape[3])))
    return scores


def _for_each_head(shared: Array, q: Array) -> Array:
    return np.repeat(shared, q.shape[1] // shared.shape[1], axis=1)


def _weights(scores: Array, visible: npt.NDArray[np.bool_]) -> Array:
    scores = np.where(visible, scores, -np.inf)
    top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    weights: Array = np.exp(scores - np.where(top == -np.inf, 0, top))
    total = weights.sum(axis=-1, keepdims=True)
    weights /= np.where(total == 0, 1, total)
    return weights


def work(case: Case) -> Mapping[str, float]:
    """What can be seen, and nothing else: causal counts about half."""
    keys = case.tokens - (case.tokens // 4 if case.data == "padded" else 0)
    seen = sum(min(t + 1, keys) for t in range(case.tokens)) if case.causal else case.tokens * keys
    rows = 2 * case.n_heads * case.tokens + 2 * case.n_kv_heads * keys
    return {
        "flops": 4.0 * case.batch * case.n_heads * seen * case.head_dim,
        "bytes": 4.0 * case.batch * rows * case.head_dim,
    }


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

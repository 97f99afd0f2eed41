"""The printed C, built by the real compiler and held against the experiment's own reference and bound."""

import ctypes
import random
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from attention import space
from harness import catalog, contract
from harness.ask.prompt import Context
from harness.ask.rendering import render
from harness.ask.tokens import TokenCounter
from harness.contract import Case
from harness.records import SEED, Parent

ATTENTION = contract.load(catalog.locate("attention"))
EVALUATION = ATTENTION.evaluation
POINTS = 4
# Two masks, values that are not well-behaved, tails, one key; the rest is for the judge, who has every case.
CASES = [
    case
    for case in EVALUATION.checks
    if re.search(r"^(no-|tokens-(1|17|67)$|seen-by-all-13|head-dim-(1|17|65)|heads-6|longest)", case.name)
    or re.search(r"holes-|garbage|late|nan|infin|sharp", case.name)
]
# What the vectors make of one number: to see the error of the printed exp by itself.
PROBE = """
void probe(float *x, long n) {
    for (long j = 0; j < n; j += LANES) {
        VECTOR v;
        __builtin_memcpy(&v, x + j, sizeof v);
        v = power(v);
        __builtin_memcpy(x + j, &v, sizeof v);
    }
}
"""


def cpu_flags() -> set[str]:
    return set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]))


def random_points(count: int, seed: int, **fixed: str | int) -> list[dict[str, str | int]]:
    rng, flags = random.Random(seed), cpu_flags()
    points: list[dict[str, str | int]] = []
    while len(points) < count:
        point = {
            name: rng.choice([value for value in values if space.available(name, value, flags)])
            for name, values in space.CHOICES.items()
        } | fixed
        if space.valid(point) and point not in points:
            points.append(point)
    return points


def built(source: str, folder: Path) -> ctypes.CDLL:
    library = folder / f"{abs(hash(source))}.so"
    flags = ["-O1", "-march=native", "-Wall", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-xc", "-", "-o", library, "-lm"], input=source, text=True, check=True)
    return ctypes.CDLL(str(library))


def wrong_in(library: ctypes.CDLL, case: Case) -> bool:
    """Whether any output of the case is farther from the exact one than may be."""
    arrays = EVALUATION.inputs(case, np.random.default_rng(1))
    with np.errstate(all="ignore"):
        exact = EVALUATION.reference(**arrays, causal=case.causal)
        slack = EVALUATION.bound(**arrays, causal=case.causal)
    out = np.full(exact.shape, 7, np.float32)
    sizes = (case.dims[name] for name in ("batch", "n_heads", "n_kv_heads", "tokens", "head_dim", "causal"))
    library.attention(*map(pointer, (out, *arrays.values())), *map(ctypes.c_int, sizes))
    same = (out == exact) | (np.isnan(out) & np.isnan(exact))
    with np.errstate(all="ignore"):
        return not np.where(np.isfinite(exact), np.abs(out - exact) <= slack, same).all()


def pointer(array: np.ndarray[Any, Any] | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


@pytest.mark.parametrize("number", range(POINTS))
def test_a_sampled_point_compiles_without_a_warning_and_is_right(number: int, tmp_path: Path) -> None:
    point = random_points(POINTS, seed=1)[number]
    library = built(space.render(point), tmp_path)
    assert [case.name for case in CASES if wrong_in(library, case)] == [], point


@pytest.mark.parametrize("name", space.POWERS)
def test_a_polynomial_is_as_close_to_its_power_as_it_says(name: str) -> None:
    power = space.POWERS[name]
    half = (np.log(2) / 2 if power.base == "e" else 0.5) * (1 + 1e-6)
    r = np.linspace(-half, half, 200_001)
    value = np.polynomial.Polynomial([1, *np.float32(power.coefficients)])(r)
    assert np.abs(value / (np.exp(r) if power.base == "e" else np.exp2(r)) - 1).max() <= power.approximation


@pytest.mark.parametrize("name", space.POWERS)
def test_the_printed_exp_is_right_to_what_it_states(name: str, tmp_path: Path) -> None:
    isa = [isa for isa in space.CHOICES["isa"] if space.available("isa", isa, cpu_flags())][-1]
    if isa == "scalar":
        pytest.skip("this CPU has no vectors that the space prints")
    source = space.render(random_points(1, 2, exp=name, isa=isa, rows=1, score_cols=1, value_cols=1)[0])
    probe = built(source + PROBE.replace("VECTOR", "__m512" if isa == "avx512" else "__m256"), tmp_path).probe
    power = space.POWERS[name]
    x = np.linspace(power.low, 1, 1 << 20, dtype=np.float32)
    x[:5] = -np.inf, np.nan, 0, power.low - 1, -1e38
    out = x.copy()
    probe(pointer(out), ctypes.c_long(x.size))
    assert np.array_equal(out[:5], [0, np.nan, 1, 0, 0], equal_nan=True)
    exact = np.exp(x[5:].astype(np.float64)) if power.base == "e" else np.exp2(x[5:].astype(np.float64))
    assert np.abs(out[5:] / exact - 1).max() <= float(power.error)


def test_two_points_never_print_the_same_text() -> None:
    # A neighbour differs in one choice: were that choice without effect, the two texts would be one.
    for point in random_points(4, seed=2):
        others = [{**point, name: value} for name, values in space.CHOICES.items() for value in values]
        texts = [space.render(other) for other in others if other != point and space.valid(other)]
        assert len({*texts, space.render(point)}) == len(texts) + 1


@pytest.mark.parametrize("scores", ["dot", "outer"])
def test_the_longest_points_are_within_the_contract_and_leave_room_in_a_prompt(scores: str) -> None:
    most: dict[str, str | int] = {"isa": "avx512", "diagonal": "masked", "key_list": "if_masked", "scores": scores}
    points = random_points(40, 5, **most, score_unroll=4, key_block=64)
    source = max(map(space.render, points), key=len)
    assert len(source.encode()) <= ATTENTION.limits.source_bytes
    context = Context(experiment=ATTENTION, number=1, parent=Parent(ref=SEED, source=source), machine={"cpu": "any"})
    assert render(ATTENTION, context, TokenCounter()).dropped == ()


def test_a_tile_that_needs_more_registers_than_the_isa_has_is_no_valid_point() -> None:
    point = random_points(1, 3, isa="avx512", rows=8, score_cols=3, diagonal="per_key")[0]
    assert not space.valid({**point, "isa": "avx2"})


def test_masks_of_lanes_are_for_the_isa_that_has_them() -> None:
    point = random_points(1, 3, isa="avx512", diagonal="masked", rows=2, score_cols=2, value_cols=2)[0]
    assert not space.valid({**point, "isa": "avx2"})


def test_only_online_softmax_can_have_the_keys_outside() -> None:
    point = random_points(1, 4, order="keys_outer")[0]
    assert not space.valid({**point, "key_block": space.LONGEST})


@pytest.mark.parametrize(
    ("flags", "isas"), [((), ["scalar"]), (("avx2", "fma"), ["scalar", "avx2"])], ids=["neither", "avx2"]
)
def test_a_cpu_is_offered_what_it_can_run(flags: tuple[str, ...], isas: list[str]) -> None:
    assert [isa for isa in space.CHOICES["isa"] if space.available("isa", isa, frozenset(flags))] == isas
    assert not space.available("diagonal", "masked", frozenset(flags))


def test_at_least_a_thousand_points_are_valid_for_each_isa() -> None:
    rng = random.Random(4)
    draws: list[Mapping[str, str | int]] = [
        {name: rng.choice(values) for name, values in space.CHOICES.items()} for _ in range(4000)
    ]
    total = np.prod([len(values) for name, values in space.CHOICES.items() if name != "isa"])
    for isa in space.CHOICES["isa"]:
        share = sum(space.valid({**draw, "isa": isa}) for draw in draws) / len(draws)
        assert share * total >= 1000

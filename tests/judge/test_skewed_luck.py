"""By simulation, with fixed seeds: candidates that are fast in most places of their code, slow in some, and no faster
on average. A verdict is both its comparisons: the first look for winners, and the one that confirms."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from harness.judge.comparison import Comparison
from harness.judge.measure import CANDIDATE, RIVAL, Block
from harness.judge.roofline import Ceiling
from harness.judge.stats import Evidence

TRIALS = 300
CASE = "all"
PRIOR = 0.007
# How often a place is a good one, log-ratios in good and in bad ones, and how often one such candidate may be called
# best: about 5 % in the worst row (docs/adr/0007-a-test-that-may-stop.md), and what chance adds in so few trials.
SKEWED = [(0.8, -0.012, 0.048), (0.8, -0.015, 0.06), (0.85, -0.012, 0.068), (0.9, -0.012, 0.108), (0.9, -0.012, 0.15)]
MOST = 0.08

Luck = Callable[[], float]


def wins(luck: Luck, alpha: float, *, confirms: bool) -> bool:
    nothing = block(0.0)
    made = Comparison(
        alpha=alpha,
        look=nothing,
        overall=Evidence(prior=PRIOR),
        by_case={CASE: Evidence(prior=PRIOR)},
        work={},
        ceiling=Ceiling(flops_per_s=1e11),
        confirms=confirms,
    )
    while not made.is_over:
        made.add(block(luck()))
    return made.beats_champion


def block(ratio: float) -> Block:
    return Block(seconds={CANDIDATE: {CASE: 1.0}, RIVAL: {CASE: 1.0}}, ratios={CASE: ratio}, means={CASE: ratio})


def called_best(luck: Luck, alpha: float) -> float:
    """How often, of so many candidates."""
    return sum(wins(luck, alpha, confirms=False) and wins(luck, 0.05, confirms=True) for _ in range(TRIALS)) / TRIALS


@pytest.mark.parametrize(("often", "good", "bad"), SKEWED)
def test_who_is_fast_in_most_places_and_no_faster_on_average_is_seldom_called_best(
    often: float, good: float, bad: float
) -> None:
    rng = np.random.default_rng(1)
    rate = called_best(lambda: (good if rng.random() < often else bad) + float(rng.normal(0, 0.003)), alpha=0.005)
    assert rate <= MOST


@pytest.mark.parametrize(
    ("gain", "noise", "least"), [(0.02, 0.003, 0.95), (0.02, 0.007, 0.95), (0.01, 0.003, 0.95), (0.01, 0.005, 0.9)]
)
def test_a_true_gain_is_still_found(gain: float, noise: float, least: float) -> None:
    rng = np.random.default_rng(2)
    assert called_best(lambda: float(rng.normal(math.log(1 - gain), noise)), alpha=0.005) >= least


def test_a_gain_is_found_though_one_block_in_twenty_is_wild() -> None:
    rng = np.random.default_rng(3)

    def luck() -> float:
        wild = float(rng.normal(0, 0.08)) if rng.random() < 0.05 else 0.0
        return math.log(0.98) + float(rng.normal(0, 0.005)) + wild

    assert called_best(luck, alpha=0.005) >= 0.9

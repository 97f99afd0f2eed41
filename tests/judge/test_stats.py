"""The statistics by simulation, with fixed seeds."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import pytest

from harness.judge.stats import MARGIN, MAX_BLOCKS, MIN_BLOCKS, Evidence, locate

TRIALS = 2000
KINDS = ["independent", "autocorrelated", "drifting", "bursting"]


def noises(rng: np.random.Generator, size: float, kind: str) -> Iterator[float]:
    """What two arms of the same code differ by, block after block. A judge gives arms their places and turns by a coin
    of his own in every block: whatever there is of drift and memory in the noise has no side of its own."""
    drift, level = rng.normal(0, 3 * size), 0.0
    for block in range(MAX_BLOCKS):
        level = 0.7 * level + rng.normal(0, size)
        wander = {
            "independent": rng.normal(0, size),
            "autocorrelated": level,
            "drifting": drift * block / MAX_BLOCKS,
            "bursting": rng.normal(0, size) * (4 if rng.random() < 1 / 14 else 1),
        }
        yield float(wander[kind] * rng.choice((-1, 1)))


def accepts(rng: np.random.Generator, effect: float, noise: float, kind: str, alpha: float) -> bool:
    evidence = Evidence(prior=0.01)
    for wander in noises(rng, noise, kind):
        evidence.add(effect + wander)
        if evidence.proves_faster(alpha):
            return True
        if evidence.is_hopeless(alpha):
            return False
    return False


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.05])
@pytest.mark.parametrize("kind", KINDS)
def test_a_candidate_that_gains_no_more_than_the_margin_is_accepted_no_more_often_than_alpha(
    noise: float, kind: str
) -> None:
    rng = np.random.default_rng(1)
    rate = sum(accepts(rng, -MARGIN, noise, kind, alpha=0.05) for _ in range(800)) / 800
    assert rate <= 0.05


def test_a_gain_of_two_percent_is_found_in_the_noise_of_half_a_percent() -> None:
    rng = np.random.default_rng(3)
    found = sum(accepts(rng, math.log(0.98), 0.005, "independent", alpha=0.005) for _ in range(500)) / 500
    assert found >= 0.95


def test_a_gain_of_two_percent_is_found_in_an_hour_three_times_as_loud_and_in_bursts() -> None:
    rng = np.random.default_rng(8)
    found = sum(accepts(rng, math.log(0.98), 0.014, "bursting", alpha=0.0005) for _ in range(1000)) / 1000
    assert found >= 0.94  # 0.91 with 48 blocks at most


def test_a_loss_of_two_percent_is_never_accepted() -> None:
    rng = np.random.default_rng(4)
    assert not any(accepts(rng, math.log(1.02), 0.005, "independent", alpha=0.05) for _ in range(500))


@pytest.mark.parametrize("kind", KINDS)
def test_the_expected_evidence_of_an_identical_candidate_is_at_most_one(kind: str) -> None:
    rng = np.random.default_rng(5)
    final = []
    for _ in range(TRIALS):
        evidence = Evidence(prior=0.01)
        for value in islice(noises(rng, 0.01, kind), 12):
            evidence.add(value - MARGIN)  # at the edge of what may not be proved
        final.append(math.exp(evidence.log_e))
    error = float(np.std(final)) / math.sqrt(TRIALS)
    assert np.mean(final) <= 1 + 2 * error


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    places = [locate(rng.normal(0.3, 0.02, 10).tolist(), noise=0.02) for _ in range(TRIALS)]
    assert np.mean([place.low <= 0.3 <= place.high for place in places]) >= 0.94


def test_few_blocks_get_an_interval_from_the_known_noise() -> None:
    place = locate([0.1, 0.1, 0.1], noise=0.05)
    assert place.low < 0.06 and place.high > 0.14


@pytest.mark.parametrize("blocks", [MIN_BLOCKS, MAX_BLOCKS])
def test_the_bound_on_the_mean_errs_as_seldom_as_it_says(blocks: int) -> None:
    rng = np.random.default_rng(7)
    found = sum(Evidence(prior=1, values=rng.normal(0, 1, blocks).tolist()).is_faster_on_average for _ in range(TRIALS))
    assert 0.005 <= found / TRIALS <= 0.015


def scale_after(values: Sequence[float], prior: float) -> float:
    evidence = Evidence(prior=prior)
    for value in values:
        evidence.add(value)
    return evidence.scale


QUIET = [0.0, 0.01, -0.01, 0.005, -0.005, 0.002, -0.008, 0.007]


def test_what_may_still_be_proved_in_many_blocks_is_hopeless_in_few() -> None:
    evidence = Evidence(prior=0.02)
    for value in (-0.05, 0.03, -0.04, 0.04, -0.01, 0.0, -0.03, 0.02):
        evidence.add(value)
    assert not evidence.is_hopeless(0.01)
    assert evidence.is_hopeless(0.01, within=12)


def test_one_wild_block_hardly_moves_the_scale() -> None:
    assert scale_after([*QUIET, 5.0], prior=0.01) < 1.5 * scale_after(QUIET, prior=0.01)


@pytest.mark.parametrize("prior", [1e-4, 0.3])
def test_a_prior_from_another_hour_is_soon_outvoted(prior: float) -> None:
    assert 0.005 < scale_after(QUIET, prior) < 0.02

"""The statistics by simulation, with fixed seeds."""

import math

import numpy as np
import pytest

from harness.judge.stats import MAX_BLOCKS, Evidence, locate, spread

TRIALS = 2000


def accepts(rng: np.random.Generator, effect: float, noise: float, kind: str, alpha: float) -> bool:
    evidence = Evidence(prior=0.01)
    drift, level = rng.normal(0, noise), 0.0
    for block in range(MAX_BLOCKS):
        shock = rng.normal(0, noise)
        level = 0.7 * level + shock if kind == "autocorrelated" else shock
        # A drift hits both arms of an ABBA quad alike; what remains of it changes sign with the judge's coin.
        wander = drift * block / MAX_BLOCKS * rng.choice((-1, 1)) if kind == "drifting" else 0.0
        evidence.add(effect + level + wander)
        if evidence.proves_faster(alpha):
            return True
        if evidence.is_hopeless(alpha):
            return False
    return False


@pytest.mark.parametrize("noise", [0.002, 0.01, 0.05])
@pytest.mark.parametrize("kind", ["independent", "drifting"])
def test_an_identical_candidate_is_accepted_no_more_often_than_alpha(noise: float, kind: str) -> None:
    rng = np.random.default_rng(1)
    rate = sum(accepts(rng, 0.0, noise, kind, alpha=0.05) for _ in range(TRIALS)) / TRIALS
    assert rate <= 0.05


def test_autocorrelated_noise_does_not_make_identical_candidates_win_at_a_search_of_ten() -> None:
    rng = np.random.default_rng(2)
    rate = sum(accepts(rng, 0.0, 0.01, "autocorrelated", alpha=0.005) for _ in range(TRIALS)) / TRIALS
    assert rate <= 0.05


def test_a_gain_of_two_percent_is_found_in_the_noise_of_half_a_percent() -> None:
    rng = np.random.default_rng(3)
    found = sum(accepts(rng, math.log(0.98), 0.005, "independent", alpha=0.005) for _ in range(500)) / 500
    assert found >= 0.95


def test_a_loss_of_two_percent_is_never_accepted() -> None:
    rng = np.random.default_rng(4)
    assert not any(accepts(rng, math.log(1.02), 0.005, "independent", alpha=0.05) for _ in range(500))


def test_the_expected_evidence_of_an_identical_candidate_is_at_most_one() -> None:
    rng = np.random.default_rng(5)
    total = 0.0
    for _ in range(TRIALS):
        evidence = Evidence(prior=0.01, margin=0.0)
        for value in rng.normal(0, 0.01, 8):
            evidence.add(float(value))
        total += math.exp(evidence.log_e)
    assert total / TRIALS <= 1.1


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(6)
    places = [locate(rng.normal(0.3, 0.02, 10).tolist(), noise=0.02) for _ in range(TRIALS)]
    assert np.mean([place.low <= 0.3 <= place.high for place in places]) >= 0.94


def test_few_blocks_get_an_interval_from_the_known_noise() -> None:
    place = locate([0.1, 0.1, 0.1], noise=0.05)
    assert place.low < 0.06 and place.high > 0.14


def test_one_wild_block_does_not_move_the_spread() -> None:
    quiet = [0.0, 0.01, -0.01, 0.005, -0.005, 0.002]
    assert spread([*quiet, 5.0]) < 2 * spread(quiet) + 0.01

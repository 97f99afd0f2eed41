"""What is made of the times of visits, without a process."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from harness.judge.measure import log_ratio, ratio_to_seed

Visits = Sequence[Sequence[tuple[bool, float]]]


def test_what_slows_both_of_a_pair_alike_says_nothing() -> None:
    rng = np.random.default_rng(1)
    loud = [float(factor) for factor in rng.uniform(1, 3, 12)]
    pairs = [((False, 0.97 * factor), (False, factor)) for factor in loud]
    assert log_ratio(pairs) == pytest.approx(math.log(0.97))


def test_a_burst_that_meets_one_of_a_pair_does_not_move_the_middle() -> None:
    pairs = [((False, 1.0), (False, 1.0))] * 9 + [((False, 5.0), (False, 1.0))] * 3
    assert log_ratio(pairs) == 0


def test_pairs_in_which_an_arm_lost_its_core_count_only_where_there_are_no_others() -> None:
    lost, clean = ((True, 1.0), (False, 2.0)), ((False, 2.0), (False, 2.0))
    assert log_ratio([lost, lost, lost, clean]) == 0
    assert log_ratio([lost, lost]) == pytest.approx(math.log(0.5))


def test_a_slow_seed_of_one_long_batch_a_visit_is_held_against_one_of_the_candidates() -> None:
    rng = np.random.default_rng(1)

    def visits(count: int, batches: int) -> Visits:
        return [[(False, 1 + float(rng.exponential(0.1))) for _ in range(batches)] for _ in range(count)]

    ratios = [ratio_to_seed(visits(12, 2), visits(2, 1)) for _ in range(2000)]
    assert np.mean(ratios) == pytest.approx(0, abs=0.005)


def test_the_first_batch_of_a_visit_which_found_the_caches_cold_is_not_held_against_a_long_one() -> None:
    assert ratio_to_seed([[(False, 1.3), (False, 1.0)]] * 12, [[(False, 1.0)]] * 2) == 0


def test_only_the_candidates_outer_visits_meet_the_seed() -> None:
    inner, outer = [(False, 1.0)] * 2, [(False, 2.0)] * 2
    assert ratio_to_seed([outer, inner, inner, outer], [[(False, 2.0)]] * 2) == 0

"""The order of visits, and what is made of their times, without a process."""

import math

import numpy as np
import pytest

from harness.judge.measure import CANDIDATE, RIVAL, SEED, Timed, log_ratio, middle, ratio_to_seed, turns


def visit(seconds: float, *, disturbed: bool = False) -> Timed:
    return Timed(disturbed, seconds)


def test_what_slows_both_of_a_pair_alike_says_nothing() -> None:
    rng = np.random.default_rng(1)
    loud = [float(factor) for factor in rng.uniform(1, 3, 12)]
    assert middle(log_ratio(visit(0.97 * factor), visit(factor)) for factor in loud) == pytest.approx(math.log(0.97))


def test_a_burst_that_meets_one_of_a_pair_does_not_move_the_middle() -> None:
    assert middle([(False, 0.0)] * 9 + [(False, math.log(5))] * 3) == 0


def test_pairs_in_which_an_arm_lost_its_core_count_only_where_there_are_no_others() -> None:
    lost, clean = log_ratio(visit(1.0, disturbed=True), visit(2.0)), log_ratio(visit(2.0), visit(2.0))
    assert middle([lost, lost, lost, clean]) == 0
    assert middle([lost, lost]) == pytest.approx(math.log(0.5))


def test_only_the_candidates_outer_visits_meet_the_seed() -> None:
    outer, inner = visit(2.0), visit(1.0)
    assert ratio_to_seed([outer, inner, inner, outer], [outer, outer]) == 0


def test_arms_take_turns_in_quads_by_the_coin_and_the_seed_is_before_and_behind_them() -> None:
    rng, quads = np.random.default_rng(2), set()
    for _ in range(20):
        first, *inner, last = turns(16, rng, with_seed=True)
        assert (first, last, inner.count(CANDIDATE), inner.count(RIVAL)) == (SEED, SEED, 16, 16)
        quads |= {tuple(inner[at : at + 4]) for at in range(0, 32, 4)}
    assert quads == {(CANDIDATE, RIVAL, RIVAL, CANDIDATE), (RIVAL, CANDIDATE, CANDIDATE, RIVAL)}

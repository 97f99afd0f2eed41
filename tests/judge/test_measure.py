"""What is made of the times of visits, without a process."""

import numpy as np
import pytest

from harness.judge.measure import CANDIDATE, SEED, ratio_to_seed


def test_a_slow_seed_of_two_long_batches_is_held_against_two_of_the_candidates() -> None:
    rng = np.random.default_rng(1)

    def visits(count: int, batches: int) -> list[list[tuple[bool, float]]]:
        return [[(False, 1 + float(rng.exponential(0.1))) for _ in range(batches)] for _ in range(count)]

    ratios = [ratio_to_seed({CANDIDATE: visits(4, 6), SEED: visits(2, 1)}, rng) for _ in range(2000)]
    assert np.mean(ratios) == pytest.approx(0, abs=0.005)


def test_only_the_candidates_outer_visits_meet_the_seed() -> None:
    inner, outer = [(False, 1.0)] * 6, [(False, 2.0)] * 6
    timed = {CANDIDATE: [outer, inner, inner, outer], SEED: [[(False, 2.0)]] * 2}
    assert ratio_to_seed(timed, np.random.default_rng(1)) == 0

"""The noise of a block: from blocks made by hand, and kept between runs."""

import time
from pathlib import Path

import pytest

from harness import contract
from harness.judge import kept, noise, stats
from harness.judge.measure import Block
from harness.judge.noise import Noise, known

ROOT = Path(__file__).resolve().parents[2]


def block(ratio: float) -> Block:
    return Block(seconds={}, ratios={"one": ratio, "two": -ratio / 2}, means={})


def test_the_spread_is_about_zero_where_identical_arms_must_lie() -> None:
    assert Noise.of([block(0.01)] * 6).by_case["one"] == pytest.approx(0.01 * stats.SIGMAS)


def test_one_wild_block_does_not_make_a_machine_noisy() -> None:
    assert Noise.of([block(value) for value in (0.004, -0.003, 0.002, -0.004, 0.003, 0.5)]).overall < 0.01


def test_it_is_measured_once_and_then_remembered(tmp_path: Path) -> None:
    experiment, asked = contract.load(ROOT / "linear"), []

    def measure() -> list[Block]:
        asked.append(1)
        return [block(0.01)] * noise.BLOCKS

    assert known(experiment, tmp_path, measure) == known(experiment, tmp_path, measure)
    assert len(asked) == 1


@pytest.mark.parametrize("spread", [0.0, -1.0, float("nan"), float("inf")])
def test_a_kept_spread_that_cannot_be_is_measured_anew(tmp_path: Path, spread: float) -> None:
    experiment, measured = contract.load(ROOT / "linear"), [block(0.01)] * noise.BLOCKS
    found = known(experiment, tmp_path, lambda: measured)
    kept.keep(next(tmp_path.iterdir()), Noise(overall=found.overall, by_case={"one": spread, "two": 0.01}), time.time())
    assert known(experiment, tmp_path, lambda: measured) == found


def test_a_comparison_on_one_case_starts_from_the_noise_of_that_case() -> None:
    found = Noise.of([block(0.01)] * noise.BLOCKS)
    assert found.over(["two"]) == found.by_case["two"] != found.overall == found.over(["one", "two"])

"""Comparisons made of blocks by hand: what a look may decide, what evidence needs, what is reported."""

import math
from collections.abc import Mapping

import pytest

from harness.judge import stats, verdict
from harness.judge.comparison import Comparison
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Block
from harness.judge.roofline import Ceiling
from harness.judge.verdict import Standings, accept
from harness.records import Status

CASES = ("one", "two")
RIVAL_S, SEED_S = 1e-5, 4e-5
STANDINGS = Standings(is_new_combination=False)


def block(ratios: Mapping[str, float], means: Mapping[str, float] | None = None, *, seeded: bool = True) -> Block:
    """`ratios`: the candidate's time over the rival's, case by case."""
    seconds = {
        CANDIDATE: {name: RIVAL_S * ratio for name, ratio in ratios.items()},
        RIVAL: dict.fromkeys(ratios, RIVAL_S),
        **({SEED: dict.fromkeys(ratios, SEED_S)} if seeded else {}),
    }
    logs = {name: math.log(ratio) for name, ratio in ratios.items()}
    mean_logs = {name: math.log(ratio) for name, ratio in (means or ratios).items()}
    to_seed = {name: math.log(RIVAL_S * ratio / SEED_S) for name, ratio in ratios.items()} if seeded else {}
    return Block(seconds=seconds, ratios=logs, means=mean_logs, vs_seed=to_seed)


def even(ratio: float) -> Mapping[str, float]:
    return dict.fromkeys(CASES, ratio)


def comparison(look: Block, noise: float = 0.005, *, confirms: bool = False) -> Comparison:
    return Comparison(
        alpha=0.05 if confirms else 0.005,
        confirms=confirms,
        look=look,
        overall=stats.Evidence(prior=noise),
        by_case={name: stats.Evidence(prior=noise) for name in look.ratios},
        work={name: {} for name in look.ratios},
        ceiling=Ceiling(flops_per_s=1e11),
    )


def after(ratios: Mapping[str, float], means: Mapping[str, float] | None = None) -> Comparison:
    """As many equal blocks as it takes to be sure."""
    made = comparison(block(even(1.0)), confirms=True)
    while not made.is_over:
        made.add(block(ratios, means, seeded=made.wants_seed))
    return made


def test_a_last_word_that_is_lost_at_once_still_tells_how_far_from_the_seed_it_is() -> None:
    made = comparison(block(even(1.3)), confirms=True)
    while not made.is_over:
        made.add(block(even(1.3), seeded=made.wants_seed))
    assert len([one for one in made.blocks if one.vs_seed]) == stats.MIN_BLOCKS


def test_what_few_blocks_say_of_the_seed_is_no_surer_than_a_look() -> None:
    made = comparison(block(even(1.0)), noise=0.002)
    made.add(block(even(1.05)))
    speedup = made.report(made.finding(), Status.SLOWER).speedup
    assert speedup is not None and math.log(speedup.high / speedup.low) > 2 * 1.96 * verdict.LOOK_NOISE


def test_a_look_sends_home_who_is_slower_by_a_quarter_everywhere() -> None:
    assert comparison(block(even(1.3))).is_over


@pytest.mark.parametrize("ratios", [even(1.2), {"one": 3.0, "two": 1.05}, even(0.2)])
def test_a_look_decides_nothing_else(ratios: Mapping[str, float]) -> None:
    assert not comparison(block(ratios)).is_over


@pytest.mark.parametrize(("ratio", "is_taken_again"), [(1.2, False), (1.3, True), (2.4, True), (2.6, False)])
def test_a_look_that_a_neighbour_may_have_thrown_is_taken_once_more(ratio: float, is_taken_again: bool) -> None:
    assert comparison(block(even(ratio))).is_doubtful is is_taken_again


def test_a_look_that_sends_nobody_home_is_not_taken_twice() -> None:
    assert not comparison(block({"one": 2.0, "two": 1.05})).is_doubtful
    assert not comparison(block(even(1.5)), confirms=True).is_doubtful


def test_one_place_that_costs_a_tenth_loses_nothing_yet() -> None:
    made = comparison(block(even(1.0)))
    made.add(block(even(1.1)))
    assert not made.overall.is_clear_loss
    made.add(block(even(1.1)))
    assert made.overall.is_clear_loss and made.is_over


def test_one_block_that_a_burst_has_thrown_loses_nothing() -> None:
    made = comparison(block(even(1.0)))
    made.add(block(even(2.0)))
    assert not made.overall.is_clear_loss
    made.add(block(even(1.0)))
    assert not made.overall.is_clear_loss


def test_a_look_alone_gives_a_report_with_a_wide_interval() -> None:
    made = comparison(block(even(1.3)))
    finding = made.finding()
    found = made.report(finding, accept(finding, STANDINGS))
    assert (found.status, found.noise, made.beats_on) == (Status.SLOWER, None, ())
    assert found.speedup is not None and found.speedup.high / found.speedup.low > 1.2


def test_a_look_that_varies_widely_sends_nobody_home_and_says_so() -> None:
    made = comparison(block(even(1.4)))
    made.look_noise = 0.15
    assert not made.is_over
    assert made.finding().vs_champion.high > 1


def test_where_arms_lie_far_apart_fewer_visits_are_made_and_both_arms_still_get_the_same_calls() -> None:
    near, far = block({"near": 1.02, "far": 0.5}).efforts().values()
    assert (near.call_s[CANDIDATE], near.call_s[RIVAL]) == (RIVAL_S, RIVAL_S)
    assert (far.call_s[CANDIDATE], far.call_s[RIVAL]) == (RIVAL_S / 2, RIVAL_S / 2)
    assert far.visits < near.visits


def test_a_candidate_ten_thousand_times_as_fast_does_not_keep_its_rival_at_work_for_ever() -> None:
    (effort,) = block({"one": 1e-4}).efforts().values()
    assert effort.call_s[RIVAL] == RIVAL_S / 100


def test_a_steady_gain_beyond_the_margin_wins() -> None:
    assert after(even(0.97)).beats_champion


def test_a_gain_within_the_margin_does_not() -> None:
    assert not after(even(0.996)).beats_champion


def test_a_gain_in_one_case_makes_a_specialist_and_no_champion() -> None:
    made = after({"one": 0.9, "two": 1.3})
    assert (made.beats_champion, made.beats_on) == (False, ("one",))


def test_a_report_has_every_block_so_that_anyone_can_judge_again() -> None:
    made = after({"one": 0.9, "two": 1.3})
    blocks = made.report(made.finding(), Status.SPECIALIST).blocks
    assert len(blocks) == len(made.blocks) + len(made.partial)
    assert blocks[0] == {"one": round(1 / 0.9, 6), "two": round(1 / 1.3, 6)}


def test_who_is_fast_in_most_visits_and_slower_on_average_does_not_win() -> None:
    made = after(even(0.9), means=even(1.1))
    assert made.overall.proves_faster(made.alpha)
    assert (made.beats_champion, made.beats_on) == (False, ())


def test_a_proof_that_the_mean_does_not_bear_out_ends_with_a_reason() -> None:
    made = after(even(0.9), means=even(1.1))
    assert len(made.blocks) < stats.MAX_BLOCKS
    assert "faster in most visits, but not on average" in verdict.headline(Status.TIE, {}, made.finding())


def test_a_mean_that_is_a_little_slower_is_enough_for_a_doubt() -> None:
    assert not after(even(0.97), means=even(1.005)).beats_champion


@pytest.mark.parametrize(("gain", "blocks"), [(0.01, 24), (0.02, 12), (0.1, stats.MIN_BLOCKS)])
def test_the_smaller_a_gain_the_more_blocks_confirm_it(gain: float, blocks: int) -> None:
    made = after(even(math.exp(-gain - 1e-9)))
    assert (made.beats_champion, len(made.blocks)) == (True, blocks)


def test_one_wild_block_costs_a_winner_more_blocks_and_not_the_title() -> None:
    made = comparison(block(even(1.0)), confirms=True)
    while not made.is_over:
        made.add(block(even(1.2 if len(made.blocks) == 3 else 0.97)))
    assert made.beats_champion and len(made.blocks) > 16


def test_a_last_word_has_the_seed_in_as_many_blocks_as_an_interval_needs() -> None:
    made = after(even(0.99))
    assert sum(SEED in one.seconds for one in made.blocks) == stats.MIN_BLOCKS


def test_who_is_slow_in_some_blocks_and_fast_in_most_does_not_win() -> None:
    made = comparison(block(even(1.0)))
    while not made.is_over:
        made.add(block(even(5.0 if len(made.blocks) % 5 == 4 else 0.95)))
    assert not made.beats_champion


def test_the_seed_is_compared_where_it_ran() -> None:
    made = after(even(0.9))
    found = made.report(made.finding(), Status.BEST)
    assert found.speedup is not None and found.speedup.ratio == pytest.approx(SEED_S / RIVAL_S / 0.9)


def test_a_machine_that_is_too_noisy_is_said_to_be() -> None:
    made = comparison(block(even(1.0)), noise=0.2)
    for ratio in (0.8, 1.25) * (stats.MAX_BLOCKS // 2):
        made.add(block(even(ratio)))
    finding = made.finding()
    found = made.report(finding, accept(finding, STANDINGS))
    assert (found.status, "too noisy to decide" in found.reason) == (Status.TIE, True)


def test_a_tie_on_a_quiet_machine_gives_the_bounds_of_what_could_be() -> None:
    made = comparison(block(even(1.0)))
    while not made.is_over:
        made.add(block(even(1.001 if len(made.blocks) % 2 else 0.999)))
    assert "no difference" in verdict.headline(Status.TIE, {}, made.finding())


MIXED = {"one": 1.5, "two": 0.96}


@pytest.mark.parametrize("confirms", [False, True])
def test_once_the_whole_is_lost_only_cases_that_may_be_won_are_timed_on(confirms: bool) -> None:
    made = comparison(block(even(1.0)), confirms=confirms)
    while not made.is_over:
        made.add(block({name: MIXED[name] for name in made.wanted}, seeded=made.wants_seed))
    assert len(made.blocks) == (stats.MIN_BLOCKS if confirms else 2)  # as many as a report rests on
    assert made.beats_on == ("two",) and not made.beats_champion
    assert len(made.blocks) + len(made.partial) < stats.MAX_BLOCKS


def test_a_whole_that_was_proved_once_is_looked_at_whole_until_its_last_look() -> None:
    made = comparison(block(even(1.0)))
    while not made._looks:
        made.add(block(even(1.3 if len(made.blocks) == 3 else 0.97)))
    assert not made.is_over and made.finding().is_doubted
    while not made.is_over:
        assert set(made.wanted) == set(CASES)
        made.add(block(even(1.2)))
    assert not made.beats_champion and not made.finding().is_doubted  # nor is it faster in most


def test_a_report_rests_on_all_that_was_timed_of_a_case_and_on_whole_blocks_for_the_whole() -> None:
    made = comparison(block(even(1.0)))
    made.add(block(MIXED))
    for _ in range(9):
        made.add(block({"two": 0.5}, seeded=False))
    found = made.report(made.finding(), Status.SPECIALIST)
    assert found.vs_champion is not None
    assert found.vs_champion.ratio == pytest.approx(1 / math.sqrt(1.5 * 0.96))
    assert found.cases["two"].vs_champion.ratio == pytest.approx(2, rel=0.01)
    assert found.cases["one"].vs_champion.ratio == pytest.approx(1 / 1.5)

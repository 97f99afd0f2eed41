"""How winners rank: by what was timed side by side, whatever the seed's luck was in the hour of each."""

from dataclasses import replace
from math import isclose

from harness.keep.memory import Memory
from harness.keep.scores import Scores
from harness.keep.winners import placed, worth
from harness.records import Attempt, Estimate, Status, Verdict
from harness.show.remembered import memory_md
from harness.show.report import scores_md
from keep.samples import MACHINE, attempt, verdict

LUCKY, USUAL = 1.9, 1.5  # a speed-up over a seed that lay badly, and over one that did not


def beside(one: Attempt, ratio: float, **on: float) -> Attempt:
    """The attempt as it was timed beside the champion: so many times as fast, on some cases otherwise."""
    cases = {
        name: replace(result, vs_champion=Estimate(ratio=(at := on.get(name, ratio)), low=at * 0.99, high=at * 1.01))
        for name, result in one.verdict.cases.items()
    }
    vs_champion = Estimate(ratio=ratio, low=ratio * 0.99, high=ratio * 1.01)
    return replace(one, verdict=replace(one.verdict, vs_champion=vs_champion, cases=cases))


def kept(*attempts: Attempt) -> Scores:
    """As the store takes them in, one after the other."""
    scores = Scores(search="s1", experiment="linear")
    for one in attempts:
        scores.fold(replace(one, verdict=placed(one.verdict, scores.champion)))
    return scores


def test_who_lost_to_the_champion_ranks_below_it_however_slow_its_seed_was() -> None:
    scores = kept(attempt(1, Status.BEST, USUAL), beside(attempt(2, Status.ACCEPTED, LUCKY), 0.97))
    rows = [line for line in scores_md(scores).splitlines() if line.startswith("| 2026-11-21")]
    assert worth(scores.winners[0]) > worth(scores.winners[1])
    assert f"x{USUAL:.3f}" in rows[0] and f"x{LUCKY:.3f}" in rows[1]


def test_a_new_champion_takes_the_case_that_it_was_faster_on_side_by_side() -> None:
    specialist = beside(attempt(2, Status.SPECIALIST, 1.1, odd=LUCKY), 0.9, odd=1.05)
    scores = kept(attempt(1, Status.BEST, USUAL), specialist, beside(attempt(3, Status.BEST, USUAL), 1.1, odd=1.2))
    assert scores.specialist_attempts == {}


def test_gains_follow_from_champion_to_champion() -> None:
    scores = kept(attempt(1, Status.BEST, 2.0), beside(attempt(2, Status.BEST, USUAL), 1.1), attempt(3, Status.TIE))
    assert scores.champion is not None and isclose(worth(scores.champion), 2.2)
    assert isclose(worth(scores.champion.cases["odd"]), 2.2)


def test_the_first_champion_is_worth_what_it_gains_over_the_seed() -> None:
    assert placed(verdict(Status.BEST, USUAL), None).gain is None


def test_a_rival_of_its_day_does_not_take_the_title_when_the_champion_is_measured_again() -> None:
    scores = kept(attempt(1, Status.BEST, 2.0), beside(attempt(2, Status.ACCEPTED, LUCKY), 0.98))
    scores.fold_verified(1, 1, "2026-11-21T09:00:00Z", again(1.8))
    assert scores.champion_attempt == 1
    assert isclose(worth(scores.winners[1]), 0.98 * 1.8)


def test_whom_a_champion_beat_side_by_side_stays_below_it_in_whatever_hour_they_are_measured_again() -> None:
    scores = kept(attempt(1, Status.BEST, 2.0), beside(attempt(2, Status.BEST, USUAL), 1.05))
    scores.fold_verified(1, 2, "2026-11-21T09:00:00Z", again(1.6))
    assert scores.champion_attempt == 2 and worth(scores.winners[0]) < worth(scores.winners[1]) == 1.6


def again(ratio: float) -> Verdict:
    found = verdict(Status.ACCEPTED, ratio, machine=MACHINE)
    cases = {name: replace(result, vs_champion=None) for name, result in found.cases.items()}
    return replace(found, vs_champion=None, cases=cases)


def test_memory_lists_first_who_is_worth_most_by_the_newest_measurement() -> None:
    attempts = [attempt(1, Status.BEST, 2.0), attempt(2, Status.ACCEPTED, LUCKY)]
    scores, memory = kept(*attempts), Memory(search="s1", known={})
    for one in attempts:
        memory.fold(one)
    scores.fold_verified(1, 1, "2026-11-21T09:00:00Z", again(1.2))
    lines = memory_md(memory, scores).split("## What has worked")[1].splitlines()
    assert [line.split(",")[0][:8] for line in lines if line.startswith("- ")][:2] == ["- x1.900", "- x1.200"]

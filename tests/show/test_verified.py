"""What is said of a winner that was measured again: `holds` is about intervals, and lost titles are named."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.keep.scores import Scores
from harness.records import Estimate, Status, Verdict
from harness.show.verified import Outcome, Remeasured, meaning, outcome_json, outcome_text, progress_text
from keep.samples import MACHINE, attempt, verdict

ELSEWHERE = "Other CPU (AVX-512), 8 cores, gcc 13.1.0, Linux 6.8"
WRONG = Verdict(status=Status.WRONG, reason="output 5 is 3.25, must be\x1b[2J 3.5", machine=MACHINE)


def _outcome(*found: Verdict | None, machine: str = MACHINE) -> Outcome:
    """Two champions after each other and a specialist, measured again in the order of their attempts."""
    scores = Scores(search="s1", experiment="linear")
    scores.fold(attempt(1, Status.BEST, 1.5, machine=machine))
    scores.fold(attempt(2, Status.BEST, 1.8, machine=machine))
    scores.fold(attempt(3, Status.SPECIALIST, 1.2, machine=machine, odd=2.5))
    champion, seed = scores.champion, scores.seed
    held = {winner.attempt: scores.held_by(winner) for winner in scores.winners}
    measured = [
        Remeasured(attempt=number, before=scores.winner(number), verdict=one) for number, one in enumerate(found, 1)
    ]
    for number, one in enumerate(found, 1):
        if one is not None:
            scores.fold_verified(number, number, "2026-11-22T09:00:00Z", one)
    return Outcome(measured=measured, scores=scores, champion_before=champion, held_before=held, seed_before=seed)


def _meanings(*found: Verdict | None, machine: str = MACHINE) -> Sequence[str]:
    outcome = _outcome(*found, machine=machine)
    return [meaning(one, outcome) for one in outcome.measured]


def _found(ratio: float, **others: float) -> Verdict:
    return verdict(Status.ACCEPTED, ratio, **others)


@pytest.mark.parametrize("ratio", [1.5, 1.48, 1.7])
def test_what_overlaps_the_claim_or_exceeds_it_holds(ratio: float) -> None:
    assert _meanings(_found(ratio)) == ["holds"]


def test_what_lies_below_the_claim_is_less_than_was_claimed() -> None:
    assert _meanings(_found(1.4)) == ["x1.500 -> x1.400: less than was claimed"]


def test_of_a_claim_from_another_machine_nobody_says_that_it_was_broken() -> None:
    assert _meanings(_found(1.4), machine=ELSEWHERE)[0].startswith("x1.500 -> x1.400: less than on the other machine")


def test_a_failure_is_told_with_its_reason_and_without_what_moves_a_cursor() -> None:
    (found,) = _meanings(WRONG)
    assert found.startswith("fails here: wrong: output 5 is 3.25") and found.isprintable()


def test_a_champion_that_was_overtaken_names_who_is_ahead() -> None:
    best, former, _ = _meanings(replace(_found(1.5), status=Status.BEST, gain=1.9), _found(1.3), None)
    assert best == "holds; the best now"
    assert former == "x1.800 -> x1.300: less than was claimed; no longer the best: attempt 1 is"


def test_a_specialist_that_lost_its_case_is_told_so() -> None:
    assert _meanings(None, None, _found(1.2, odd=1.7))[2] == "holds; no longer a specialist of odd"


def test_the_table_says_where_the_older_numbers_are_from() -> None:
    text = outcome_text("linear", _outcome(_found(1.5), machine=ELSEWHERE))
    assert "x1.500 †" in text and f"† on {ELSEWHERE}" in text


def test_json_is_a_line_for_each_winner_and_one_for_the_whole() -> None:
    lines = [json.loads(line) for line in outcome_json("linear", _outcome(_found(1.5), None)).splitlines()]
    assert [(line["schema"], line["event"]) for line in lines] == [(1, "winner"), (1, "winner"), (1, "close")]
    assert (lines[0]["before"]["machine"], lines[1]["status"], lines[2]["champion"]["attempt"]) == (MACHINE, None, 2)


def test_progress_shows_the_interval() -> None:
    one = Remeasured(attempt=1, before=None, verdict=_found(1.5))
    assert progress_text(one) == "attempt 1: x1.500 [1.485, 1.515]"


def test_estimates_only_touching_count_as_overlapping() -> None:
    touching = Estimate(ratio=1.4, low=1.3, high=1.5 * 0.99)
    assert _meanings(Verdict(status=Status.ACCEPTED, reason="", speedup=touching, machine=MACHINE)) == ["holds"]

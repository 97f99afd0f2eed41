import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import KeepError
from harness.keep.scores import MAX_WINNERS, Scores
from harness.records import Attempt, Status
from keep.samples import CASES, MACHINE, attempt, search


def _scores(*attempts: Attempt) -> Scores:
    scores = Scores(search="s1", experiment="linear")
    for one in attempts:
        scores.fold(one)
    return scores


def test_the_champion_is_the_last_best() -> None:
    scores = _scores(attempt(1, Status.BEST, 1.2), attempt(2, Status.BEST, 1.5), attempt(3, Status.ACCEPTED, 1.45))
    assert scores.champion is not None and scores.champion.attempt == 2


def test_without_a_best_there_is_no_champion() -> None:
    assert _scores(attempt(1, Status.ACCEPTED, 1.4), attempt(2, Status.SLOWER)).champion is None


def test_a_specialist_holds_its_case_and_the_champion_the_others() -> None:
    scores = _scores(attempt(1, Status.BEST, 1.2), attempt(2, Status.SPECIALIST, 1.1, odd=1.9))
    assert {case: winner.attempt for case, winner in scores.specialists.items()} == dict.fromkeys(CASES, 1) | {"odd": 2}


def test_a_new_champion_takes_over_the_cases_where_it_has_gained_more() -> None:
    scores = _scores(attempt(1, Status.SPECIALIST, 1.1, odd=1.9), attempt(2, Status.BEST, 2.0))
    assert scores.specialists["odd"].attempt == 2


def test_a_specialist_keeps_its_case_from_a_champion_that_is_worse_there() -> None:
    scores = _scores(attempt(1, Status.SPECIALIST, 1.1, odd=1.9), attempt(2, Status.BEST, 2.0, odd=1.5))
    assert scores.specialists["odd"].attempt == 1


def test_the_seed_row_is_that_of_the_first_measurement_on_a_machine() -> None:
    elsewhere = "Other CPU (AVX2), 8 cores, gcc 13, Linux 6"
    scores = _scores(attempt(1), attempt(2, machine=elsewhere), attempt(3, Status.WRONG), attempt(4, machine=elsewhere))
    assert scores.seed is not None
    assert (scores.seed.attempt, scores.seed.machine, scores.seed.cases["odd"]) == (2, elsewhere, 40e-6)


def test_the_seed_row_is_measured_as_well_as_the_newest_winner() -> None:
    scores = _scores(attempt(1), attempt(2, Status.BEST, 1.4), attempt(3))
    assert scores.seed is not None and scores.seed.attempt == 2


def test_usage_is_summed_over_all_attempts_and_by_model() -> None:
    scores = _scores(attempt(1, Status.WRONG), attempt(2, model="qwen3"), attempt(3, Status.UNREADABLE, model="qwen3"))
    assert scores.usage.prompt_tokens == 9000
    assert scores.usage_by_model["qwen3"].completion_tokens == 1800


def test_a_winner_learns_its_commit_and_keeps_it_in_the_file(tmp_path: Path) -> None:
    scores = _scores(attempt(1, Status.BEST, 1.2), attempt(2, Status.BEST, 1.4))
    scores.text()
    scores.committed(1, "c0ffee")
    (tmp_path / "SCORES.json").write_text(scores.text())
    again = Scores.read(tmp_path / "SCORES.json")
    assert again is not None and [winner.commit for winner in again.winners] == ["c0ffee", None]


def test_the_trail_tells_every_attempt_again() -> None:
    scores = _scores(attempt(1, Status.WRONG), attempt(2, Status.SLOWER, 0.912), attempt(3, Status.BEST, 12.5))
    steps = [(step.number, step.status, step.speedup) for step in scores.steps()]
    assert steps == [(1, Status.WRONG, None), (2, Status.SLOWER, 0.912), (3, Status.BEST, 12.5)]


def test_every_status_has_a_sign_of_its_own_in_the_trail() -> None:
    scores = _scores(*(attempt(n, status) for n, status in enumerate(Status, 1)))
    assert [step.status for step in scores.steps()] == list(Status)


def test_a_number_that_was_never_recorded_keeps_its_place_in_the_trail() -> None:
    scores = _scores(attempt(1, Status.WRONG), attempt(4, Status.TIE, 1.0))
    assert [step.status for step in scores.steps()] == [Status.WRONG, None, None, Status.TIE]


def test_folding_an_attempt_twice_is_folding_it_once() -> None:
    assert _scores(attempt(1), attempt(1)).text() == _scores(attempt(1)).text()


def test_scores_read_back_and_go_on_as_if_they_had_never_been_saved(tmp_path: Path) -> None:
    attempts = list(search(400))
    (tmp_path / "SCORES.json").write_text(_scores(*attempts[:200]).text())
    resumed = Scores.read(tmp_path / "SCORES.json")
    assert resumed is not None and resumed.last_attempt == 200
    for one in attempts[200:]:
        resumed.fold(one)
    assert resumed.text() == _scores(*attempts).text()


def test_what_to_json_says_is_what_the_text_says() -> None:
    scores = _scores(*search(50))
    assert scores.to_json() == json.loads(scores.text())


def test_the_file_names_the_search_the_experiment_and_the_last_attempt() -> None:
    data = json.loads(_scores(attempt(1)).text())
    assert (data["search"], data["experiment"], data["last_attempt"], data["schema"]) == ("s1", "linear", 1, 1)


def test_the_oldest_winner_without_a_title_makes_room() -> None:
    best, special = attempt(1, Status.BEST, 1.5), attempt(2, Status.SPECIALIST, 1.1, odd=1.9)
    others = (attempt(n, Status.ACCEPTED, 1.4) for n in range(3, MAX_WINNERS + 5))
    scores = _scores(best, special, *others)
    assert [winner.attempt for winner in scores.winners] == [1, 2, *range(7, MAX_WINNERS + 5)]
    assert scores.winners_left_out == 4


def test_the_combination_of_a_winner_that_is_listed_no_more_is_still_known() -> None:
    scores = Scores(search="s1", experiment="linear")
    for number in range(1, MAX_WINNERS + 5):
        one = attempt(number, Status.ACCEPTED, 1.4)
        assert one.candidate is not None
        scores.fold(replace(one, candidate=replace(one.candidate, tags=("avx2", f"tile {number}"))))
    known = Scores.from_json(scores.to_json())
    assert all(known.has_seen((f"tile {number}", "avx2")) for number in range(1, MAX_WINNERS + 5))
    assert not known.has_seen(("avx2",))


def test_the_machine_is_that_of_the_newest_measurement() -> None:
    assert _scores(attempt(1)).machine == MACHINE


@pytest.mark.parametrize("damage", ['{"search": "s"}', '{"search": 1, "experiment": "x"}'])
def test_a_damaged_file_is_an_error_with_its_path(tmp_path: Path, damage: str) -> None:
    (tmp_path / "SCORES.json").write_text(damage)
    with pytest.raises(KeepError, match=r"cannot read .*SCORES\.json"):
        Scores.read(tmp_path / "SCORES.json")

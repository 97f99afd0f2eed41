"""Winners measured again, as the scores take it in: whose numbers a row shows, and who holds which title where."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.keep.journal import Event, Judged, Verified
from harness.keep.memory import Memory
from harness.keep.scores import START, Scores
from harness.keep.state import State
from harness.records import Attempt, Status, Verdict
from harness.show.briefing import parent_note, standings
from harness.show.plots import search_svg
from harness.show.remembered import memory_md
from harness.show.report import scores_md
from keep.samples import CASES, MACHINE, attempt, search, verdict

ELSEWHERE = "Other CPU (AVX-512), 8 cores, gcc 13.1.0, Linux 6.8"
BEST, LATER, SPECIAL = attempt(1, Status.BEST, 1.5), attempt(2, Status.BEST, 1.8), attempt(3, Status.SPECIALIST, 1.2)
SPECIAL = replace(SPECIAL, verdict=verdict(Status.SPECIALIST, 1.2, odd=2.5))
SEARCH = (BEST, LATER, SPECIAL)
CRASHED = Verdict(status=Status.CRASHED, reason="illegal instruction on decode", machine=ELSEWHERE)


def _again(number: int, winner: int, ratio: float, machine: str = MACHINE, **others: float) -> Verified:
    found = verdict(Status.ACCEPTED, ratio, machine=machine, **others)
    return Verified(number=number, at="2026-11-22T09:00:00Z", attempt=winner, verdict=found)


def _beside(number: int, winner: int, gain: float, status: Status = Status.ACCEPTED, **wins: float) -> Verified:
    """Measured beside the champion, of which the gains follow; over the seed of that hour it is twice that."""
    event = _again(number, winner, 2 * gain)
    cases = {name: replace(result, gain=wins.get(name, gain)) for name, result in event.verdict.cases.items()}
    found = replace(event.verdict, status=status, gain=gain, cases=cases, specialist_of=tuple(wins))
    return replace(event, verdict=found)


def _fails(number: int, winner: int, found: Verdict = CRASHED) -> Verified:
    return Verified(number=number, at="2026-11-22T09:00:00Z", attempt=winner, verdict=found)


def _folded(*events: Event | Attempt, into: Scores | None = None) -> State:
    scores = into or Scores(search="s1", experiment="linear")
    state = State(scores=scores, memory=Memory(search="s1"))
    for event in events:
        state.fold(Judged(attempt=event) if isinstance(event, Attempt) else event)
    return state


def _scores(*events: Event | Attempt) -> Scores:
    return _folded(*events).scores


def _champion(scores: Scores) -> int | None:
    return scores.champion.attempt if scores.champion else None


def test_the_champions_row_is_what_was_measured_last() -> None:
    champion = _scores(*SEARCH, _again(1, 2, 1.7)).champion
    assert champion is not None and champion.speedup is not None
    assert (champion.attempt, champion.speedup.ratio, champion.cases["odd"].speedup.ratio) == (2, 1.7, 1.7)


def test_a_champion_that_gains_less_over_the_seed_than_it_did_is_the_champion_still() -> None:
    assert _champion(_scores(*SEARCH, _again(1, 2, 1.4))) == 2


def test_a_winner_that_beats_the_champion_side_by_side_is_the_champion_now() -> None:
    assert _champion(_scores(*SEARCH, _again(1, 2, 1.8), _beside(2, 1, 1.9, Status.BEST))) == 1


def test_a_winner_that_is_not_proved_to_beat_it_is_not() -> None:
    assert _champion(_scores(*SEARCH, _again(1, 2, 1.8), _beside(2, 1, 1.9))) == 2


def test_a_specialist_that_proves_its_case_beside_the_champion_keeps_it() -> None:
    again = _beside(2, 3, 1.2, Status.SPECIALIST, odd=2.0)
    assert _scores(*SEARCH, _again(1, 2, 1.7), again).specialist_attempts == {"odd": 3}


def test_a_specialist_that_does_not_prove_it_loses_its_case() -> None:
    assert _scores(*SEARCH, _again(1, 2, 1.7), _beside(2, 3, 1.2)).specialist_attempts == {}


def test_a_case_that_is_won_beside_the_champion_is_not_taken_from_one_that_is_further_ahead() -> None:
    other = _beside(2, 1, 1.5, Status.SPECIALIST, odd=2.0)
    assert _scores(*SEARCH, _again(1, 2, 1.8), other).specialist_attempts == {"odd": 3}


@pytest.mark.parametrize(("gain", "holder"), [(2.52, 3), (2.6, 1)])  # the holder is worth 2.5, and 2.525 at most
def test_a_case_is_taken_from_its_holder_where_their_intervals_are_apart(gain: float, holder: int) -> None:
    other = _beside(2, 1, 1.5, Status.SPECIALIST, odd=gain)
    assert _scores(*SEARCH, _again(1, 2, 1.8), other).specialist_attempts == {"odd": holder}


def test_where_the_champion_fails_a_specialist_is_who_is_surely_ahead_of_the_next() -> None:
    for odd, held in ((2.5, {"odd": 3}), (1.52, {})):  # the next is worth 1.5, and 1.515 at most
        special = replace(SPECIAL, verdict=verdict(Status.SPECIALIST, 1.2, odd=odd))
        scores = _scores(BEST, LATER, special, _fails(1, 2, replace(CRASHED, machine=MACHINE)))
        assert (scores.champion_attempt, scores.specialist_attempts) == (1, held)


def test_a_winner_that_fails_stays_listed_and_holds_no_title() -> None:
    scores = _scores(*SEARCH, _fails(1, 2, replace(CRASHED, machine=MACHINE)))
    assert _champion(scores) == 1
    assert [winner.attempt for winner in scores.winners] == [1, 2, 3]


def test_a_winner_that_is_no_faster_than_the_seed_holds_no_title() -> None:
    tie = replace(verdict(Status.TIE, 1.4), reason="no faster than the seed")
    assert _champion(_scores(BEST, _fails(1, 1, tie))) is None


def test_a_winner_that_holds_again_may_have_its_title_back() -> None:
    scores = _scores(*SEARCH, _fails(1, 2, replace(CRASHED, machine=MACHINE)), _beside(2, 2, 1.75, Status.BEST))
    assert _champion(scores) == 2
    assert scores.winner(2) is not None and not scores.champion.fails_on(MACHINE)  # type: ignore[union-attr]


def test_on_another_machine_only_what_was_measured_there_holds_a_title() -> None:
    scores = _scores(*SEARCH, _again(1, 1, 1.1, ELSEWHERE))
    assert (_champion(scores), scores.specialist_attempts, scores.machine) == (1, {}, ELSEWHERE)


def test_the_seed_is_that_of_the_newest_measurement() -> None:
    seed = _scores(*SEARCH, _again(1, 1, 1.1, ELSEWHERE)).seed
    assert seed is not None and seed.machine == ELSEWHERE


def test_where_the_champion_crashes_its_numbers_stay_those_of_the_machine_they_are_of() -> None:
    winner = _scores(*SEARCH, _fails(1, 2)).winner(2)
    assert winner is not None and winner.speedup is not None
    assert (winner.machine, winner.speedup.ratio, winner.failed_on) == (MACHINE, 1.8, ELSEWHERE)


def test_back_on_its_machine_a_champion_that_crashed_elsewhere_has_its_title_again() -> None:
    away = (_fails(1, 2), _again(2, 1, 1.3, ELSEWHERE))
    back = _scores(*SEARCH, *away, _again(3, 1, 1.45))
    assert (_champion(_scores(*SEARCH, *away)), _champion(back)) == (1, 2)


def test_an_attempt_measured_on_another_machine_ends_the_titles_of_the_one_before() -> None:
    scores = _scores(*SEARCH, attempt(4, Status.SLOWER, machine=ELSEWHERE))
    assert (_champion(scores), scores.specialist_attempts) == (None, {})


def test_on_its_own_machine_a_search_has_nothing_to_measure_first() -> None:
    assert _scores(*SEARCH).due(MACHINE) == ()


def test_on_another_machine_every_title_holder_is_due() -> None:
    assert _scores(*SEARCH).due(ELSEWHERE) == (2, 3)


def test_what_was_due_stays_due_after_a_crash_in_between() -> None:
    assert _scores(*SEARCH, _again(1, 2, 1.7, ELSEWHERE)).due(ELSEWHERE) == (3,)


def test_what_was_due_on_one_machine_stays_due_on_the_next() -> None:
    scores = _scores(*SEARCH, _again(1, 2, 1.7, ELSEWHERE))
    assert scores.due("A third CPU") == (2, 3)


def test_back_on_its_machine_whoever_was_the_best_there_is_due_first() -> None:
    assert _scores(*SEARCH, _fails(1, 2), _again(2, 1, 1.3, ELSEWHERE)).due(MACHINE)[:2] == (2, 1)


def test_a_search_that_measured_nothing_yet_has_nothing_due() -> None:
    assert Scores(search="s1", experiment="linear", start="c0ffee").due(MACHINE) == ()


def test_what_a_search_started_from_is_due_where_there_is_no_champion() -> None:
    scores = _folded(attempt(1), into=Scores(search="s1", experiment="linear", start="c0ffee")).scores
    assert scores.due(ELSEWHERE) == (START,)


@pytest.mark.parametrize(("event", "start"), [(_fails(1, START), "seed"), (_again(1, START, 2.0), "c0ffee")])
def test_a_start_that_fails_gives_way_to_the_seed(event: Verified, start: str) -> None:
    scores = _folded(attempt(1), event, into=Scores(search="s1", experiment="linear", start="c0ffee")).scores
    assert scores.start == start


def _long() -> list[Event]:
    """A search that was verified again and again, moved away and came back."""
    events: list[Event] = []
    number = 0
    for one in search(40):
        events.append(Judged(attempt=one))
        if one.number % 7 == 0:
            machine = ELSEWHERE if one.number % 14 == 0 else MACHINE
            number += 1
            events.append(_again(number, 3, 1 + one.number / 50, machine))
            number += 1
            events.append(_fails(number, 10, replace(CRASHED, machine=machine)))
    return events


def _replayed(snapshot: Scores, events: Iterable[Event]) -> str:
    return _folded(*events, into=Scores.from_json(json.loads(snapshot.text()))).scores.text()


def test_a_journal_folded_on_top_of_any_snapshot_of_it_gives_the_same_scores() -> None:
    events = _long()
    whole = _scores(*events).text()
    assert {_replayed(_scores(*events[:cut]), events) for cut in range(len(events) + 1)} == {whole}


def test_a_file_from_before_machines_were_named_knows_its_machine_by_the_seed() -> None:
    data = json.loads(_scores(*SEARCH).text())
    old = {key: value for key, value in data.items() if key not in ("machine", "verified", "unmeasured")}
    assert Scores.from_json(old).due(MACHINE) == ()
    assert Scores.from_json(old).due(ELSEWHERE) == (2, 3)


def test_the_committed_scores_are_understood() -> None:
    scores = Scores.read(Path(__file__).parents[2] / "linear" / "SCORES.json")
    assert scores is not None and scores.due(scores.machine) == ()


def test_the_page_says_of_a_winner_that_it_fails_here() -> None:
    row = next(line for line in scores_md(_scores(*SEARCH, _fails(1, 2))).splitlines() if "| x1.800" in line)
    assert "x1.800 † |" in row and "fails on this machine (crashed: illegal instruction on decode)" in row


def test_a_prompt_claims_nothing_of_another_machine_as_this_ones() -> None:
    state = _folded(*SEARCH, _again(1, 1, 1.1, ELSEWHERE), _fails(2, 2))
    page = memory_md(state.memory, state.scores)
    assert "- x1.100 [1.089, 1.111], attempt 1" in page
    assert "- fails on this machine (`crashed: illegal instruction on decode`), attempt 2" in page
    assert "- x1.200 [1.188, 1.212] on another machine, attempt 3" in page
    assert "on another machine" in parent_note(state.scores, "3")


def test_before_anything_was_measured_here_standings_are_empty() -> None:
    assert standings(_scores(*SEARCH), ELSEWHERE) == ""


def test_the_seeds_times_are_told_only_on_their_machine() -> None:
    assert standings(_scores(*SEARCH, _fails(1, 1), _fails(2, 2), _fails(3, 3)), ELSEWHERE) == ""


def test_the_picture_ends_at_what_the_champion_was_measured_to_be() -> None:
    svg = search_svg(_scores(*SEARCH, _again(1, 2, 1.612)))
    assert "x1.612" in svg and "x1.800" not in svg


def test_the_trail_counts_attempts_and_no_repeated_measurements() -> None:
    steps = list(_scores(*SEARCH, _again(1, 2, 1.7), _again(2, 3, 1.1), attempt(4)).steps())
    assert [(step.number, step.champion_again) for step in steps] == [(1, None), (2, None), (3, 1.7), (4, None)]


def test_a_specialist_needs_no_champion() -> None:
    slow = _again(1, 3, 0.8, ELSEWHERE, odd=1.9)
    scores = _scores(*SEARCH, slow)
    assert (_champion(scores), set(scores.specialists), set(CASES) > {"odd"}) == (None, {"odd"}, True)

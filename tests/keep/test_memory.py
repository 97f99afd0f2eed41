import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import KeepError
from harness.keep.memory import EXHAUSTED_AFTER, RULE_AFTER, Memory
from harness.keep.pairs import possible_in
from harness.points import crossing
from harness.records import Status
from keep.samples import attempt, search

KNOWN = {"isa": ("scalar", "avx2", "avx512"), "unroll": ("1", "2")}


def _memory(*attempts: object, known: dict[str, tuple[str, ...]] | None = None) -> Memory:
    memory = Memory(search="s1", known=known or {})
    for one in attempts:
        memory.fold(one)  # type: ignore[arg-type]
    return memory


def test_a_winner_is_remembered_with_its_gain_and_what_set_it_apart() -> None:
    (win,) = _memory(attempt(1, Status.BEST, 1.5, tags=("avx2",))).worked
    assert (win.attempt, win.speedup and win.speedup.ratio, win.tags) == (1, 1.5, ("avx2",))


def test_winners_stand_in_the_order_of_their_gain() -> None:
    memory = _memory(*(attempt(n, Status.BEST, ratio) for n, ratio in ((1, 1.2), (2, 1.9), (3, 1.4))))
    assert [win.attempt for win in memory.worked] == [2, 3, 1]


def test_a_winner_learns_its_commit() -> None:
    memory = _memory(attempt(1, Status.BEST, 1.5))
    memory.committed(1, "c0ffee")
    assert memory.worked[0].commit == "c0ffee"


def test_failures_that_differ_in_numbers_names_and_paths_are_one() -> None:
    reasons = (
        "src/candidate.c:12:5: error: 'sum' undeclared",
        "candidate.c:99:17: error: 'acc' undeclared",
        "/tmp/x1/y.c:1:1: error: ‘total_0’ undeclared",
    )
    memory = _memory(*(attempt(n, Status.BUILD_FAILED, reason=reason) for n, reason in enumerate(reasons, 1)))
    (failure,) = memory.failing.values()
    assert (failure.count, failure.last_attempt, failure.line) == (3, 3, reasons[2])


def test_failures_of_different_kinds_are_two() -> None:
    memory = _memory(attempt(1, Status.CRASHED, reason="on case 1"), attempt(2, Status.TIMED_OUT, reason="on case 2"))
    assert [failure.status for failure in memory.failing_most()] == [Status.TIMED_OUT, Status.CRASHED]


def test_what_could_not_be_timed_is_neither_a_failure_nor_a_measurement() -> None:
    memory = _memory(attempt(1, Status.UNMEASURED, tags=("avx2",)), known=KNOWN)
    assert memory.counts == {"unmeasured": 1} and not memory.failing and not memory.tallies
    assert "isa=avx2" in memory.unexplored().untried


def test_what_fails_most_comes_first() -> None:
    reasons = ("missing ;", "not declared", "not declared")
    memory = _memory(*(attempt(n, Status.WRONG, reason=reason) for n, reason in enumerate(reasons, 1)))
    assert [failure.line for failure in memory.failing_most()] == ["not declared", "missing ;"]


def test_a_frequent_failure_is_not_crowded_out_by_rare_ones() -> None:
    rare = (
        attempt(10 + n, Status.WRONG, reason=f"rare {'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}") for n in range(90)
    )
    memory = _memory(*(attempt(n, Status.WRONG, reason="often") for n in (1, 2)), *rare)
    assert memory.failing_most()[0].line == "often"
    assert len(memory.failing) == 12


def test_a_slower_attempt_is_no_failure() -> None:
    assert not _memory(attempt(1, Status.SLOWER)).failing


def test_a_known_value_is_unexplored_until_it_is_tried() -> None:
    tried = attempt(1, Status.SLOWER, tags=(), choices={"isa": "avx2", "unroll": 1})
    assert _memory(tried, known=KNOWN).unexplored().untried == ("isa=scalar", "isa=avx512", "unroll=2")


def test_a_known_value_found_in_the_source_counts_as_tried() -> None:
    assert "isa=avx2" not in _memory(attempt(1, Status.SLOWER, tags=("avx2",)), known=KNOWN).unexplored().untried


def test_a_value_that_only_ever_failed_was_never_measured() -> None:
    failed = attempt(1, Status.BUILD_FAILED, tags=("avx512",))
    assert _memory(failed, known=KNOWN).unexplored().only_failed == ("isa=avx512",)
    measured = attempt(2, Status.SLOWER, tags=("avx512",))
    assert _memory(failed, measured, known=KNOWN).unexplored().only_failed == ()


def test_values_that_have_won_apart_are_worth_trying_together() -> None:
    wins = (
        attempt(1, Status.BEST, 1.2, tags=(), choices={"isa": "avx2", "unroll": 1}),
        attempt(2, Status.BEST, 1.4, tags=(), choices={"isa": "avx512", "unroll": 2}),
    )
    pairs = {frozenset((pair.one, pair.other)) for pair in _memory(*wins, known=KNOWN).unexplored().never_together}
    assert pairs == {frozenset(("isa=avx2", "unroll=2")), frozenset(("isa=avx512", "unroll=1"))}


def test_values_that_were_measured_together_are_explored_whatever_came_of_it() -> None:
    tried = (
        attempt(1, Status.BEST, 1.2, tags=(), choices={"isa": "avx2", "unroll": 1}),
        attempt(2, Status.BEST, 1.4, tags=(), choices={"isa": "avx512", "unroll": 2}),
        attempt(3, Status.SLOWER, tags=(), choices={"isa": "avx2", "unroll": 2}),
    )
    (pair,) = _memory(*tried, known=KNOWN).unexplored().never_together
    assert (pair.one, pair.other) == ("isa=avx512", "unroll=1")


def test_values_that_only_failed_together_are_told_from_those_never_tried_together() -> None:
    tried = (
        attempt(1, Status.BEST, 1.2, tags=(), choices={"isa": "avx2", "unroll": 1}),
        attempt(2, Status.BEST, 1.4, tags=(), choices={"isa": "avx512", "unroll": 2}),
        attempt(3, Status.BUILD_FAILED, tags=(), choices={"isa": "avx2", "unroll": 2}),
    )
    found = _memory(*tried, known=KNOWN).unexplored()
    assert [(pair.one, pair.other) for pair in found.failed_together] == [("isa=avx2", "unroll=2")]
    assert [(pair.one, pair.other) for pair in found.never_together] == [("isa=avx512", "unroll=1")]


def test_where_points_were_tried_pairs_are_of_choices_and_not_of_what_sources_say() -> None:
    tried = (
        attempt(1, Status.BEST, 1.2, tags=("software prefetch",), choices={"isa": "avx2", "unroll": 1}),
        attempt(2, Status.BEST, 1.4, tags=("dispatch on shape",)),
        attempt(3, Status.BEST, 1.5, tags=(), choices={"isa": "avx512", "unroll": 2}),
    )
    told = _memory(*tried, known=KNOWN).unexplored()
    pairs = {frozenset((pair.one, pair.other)) for pair in told.never_together}
    assert pairs == {frozenset(("isa=avx2", "unroll=2")), frozenset(("isa=avx512", "unroll=1"))}


def test_a_crossing_tries_nothing_and_puts_nothing_together() -> None:
    points = {"isa": "avx2", "unroll": 1}, {"isa": "avx512", "unroll": 2}
    crossed = attempt(1, Status.BEST, 1.4, tags=("dispatch on shape",), choices=crossing("rows <= 2", *points))
    memory = _memory(crossed, known=KNOWN)
    assert not memory.tallies and memory.worked[0].choices["then.isa"] == "avx2"


def test_a_pair_that_no_point_can_have_is_not_unexplored() -> None:
    space = ModuleType("space")
    space.CHOICES = {"isa": ("avx2", "avx512"), "unroll": (1, 2)}  # type: ignore[attr-defined]
    space.valid = lambda choices: choices != {"isa": "avx2", "unroll": 2}  # type: ignore[attr-defined]
    memory = _memory(
        attempt(1, Status.BEST, 1.2, tags=(), choices={"isa": "avx2", "unroll": 1}),
        attempt(2, Status.BEST, 1.4, tags=(), choices={"isa": "avx512", "unroll": 2}),
        known=KNOWN,
    )
    memory.possible = possible_in(space)
    (pair,) = memory.unexplored().never_together
    assert {pair.one, pair.other} == {"isa=avx512", "unroll=1"}


def test_until_something_wins_pairs_are_of_what_was_measured() -> None:
    slow = (attempt(n, Status.SLOWER, tags=tags) for n, tags in enumerate((("a",), ("b",)), 1))
    assert [{pair.one, pair.other} for pair in _memory(*slow).unexplored().never_together] == [{"a", "b"}]


def test_tags_of_sources_make_pairs_and_two_of_one_kind_do_not() -> None:
    made = [attempt(n, Status.BEST, 1.5, tags=tags) for n, tags in enumerate((("avx2",), ("avx512", "prefetch")), 1)]
    kinds = (("isa",), ("isa", "prefetch"))
    of_kinds = [
        replace(one, candidate=replace(one.candidate, kinds=names))
        for one, names in zip(made, kinds, strict=True)
        if one.candidate
    ]
    (pair,) = _memory(*of_kinds).unexplored().never_together
    assert {pair.one, pair.other} == {"isa=avx2", "prefetch=prefetch"}


def test_a_kind_that_no_source_has_shown_is_unexplored() -> None:
    known: dict[str, tuple[str, ...]] = {"prefetch": (), "helpers": ()}
    shown = attempt(1, tags=("static helper functions",))
    assert shown.candidate is not None
    shown = replace(shown, candidate=replace(shown.candidate, kinds=("helpers",)))
    assert _memory(shown, known=known).unexplored().untried == ("prefetch",)


def test_kinds_of_sources_are_not_missed_where_points_were_tried() -> None:
    known: dict[str, tuple[str, ...]] = {**KNOWN, "restrict": ()}
    assert "restrict" in _memory(attempt(1), known=known).unexplored().untried
    point = attempt(1, choices={"isa": "avx2", "unroll": 1})
    assert "restrict" not in _memory(point, known=known).unexplored().untried


def test_a_failure_that_came_three_times_is_a_rule() -> None:
    often = [attempt(n, Status.WRONG, reason=f"output {n} is off") for n in range(1, RULE_AFTER + 1)]
    assert [rule.line for rule in _memory(*often).rules()] == ["output 3 is off"]
    assert not _memory(*often[:-1]).rules()


def test_the_three_newest_failures_are_not_crowded_out_by_frequent_ones() -> None:
    letters = "abcdefghijkl"
    frequent = [attempt(n, Status.WRONG, reason=f"often {letters[n % 12]}") for n in range(1, 61)]
    newest = [attempt(60 + n, Status.CRASHED, reason=f"new {name}") for n, name in enumerate("xyz", 1)]
    lines = {failure.line for failure in _memory(*frequent, *newest).failing_most()}
    assert {"new x", "new y", "new z"} <= lines


def test_what_is_tried_often_and_never_wins_is_exhausted() -> None:
    memory = _memory(*(attempt(n, Status.SLOWER, tags=("prefetch", "avx2")) for n in range(1, EXHAUSTED_AFTER + 1)))
    assert {name for name, _ in memory.exhausted()} == {"prefetch", "avx2", "avx2 + prefetch"}


def test_one_win_keeps_a_value_from_being_exhausted() -> None:
    tried = [attempt(n, Status.SLOWER, tags=("prefetch",)) for n in range(1, EXHAUSTED_AFTER + 1)]
    assert not _memory(*tried[:-1], attempt(EXHAUSTED_AFTER, Status.BEST, 1.5, tags=("prefetch",))).exhausted()


def test_a_duplicate_tries_nothing() -> None:
    assert not _memory(attempt(1, Status.DUPLICATE, tags=("prefetch",))).tallies


def test_the_last_eight_attempts_are_recent() -> None:
    memory = _memory(*(attempt(n) for n in range(1, 12)))
    assert [one.number for one in memory.recent] == list(range(4, 12))


def test_a_reason_of_many_lines_is_remembered_as_one_short_line() -> None:
    (recent,) = _memory(attempt(1, Status.WRONG, reason="first\nsecond\t" + "x" * 10_000)).recent
    assert recent.reason.startswith("first second xxx") and len(recent.reason) == 200


def test_statuses_are_counted() -> None:
    memory = _memory(attempt(1, Status.WRONG), attempt(2, Status.WRONG), attempt(3, Status.TIE))
    assert memory.counts == {"wrong": 2, "tie": 1}


def test_folding_an_attempt_twice_is_folding_it_once() -> None:
    assert _memory(attempt(1), attempt(1)).text() == _memory(attempt(1)).text()


def test_a_memory_reads_back_and_goes_on_as_if_it_had_never_been_saved(tmp_path: Path) -> None:
    attempts = list(search(300))
    (tmp_path / "MEMORY.json").write_text(_memory(*attempts[:150], known=KNOWN).text())
    resumed = Memory.read(tmp_path / "MEMORY.json", KNOWN)
    assert resumed is not None and resumed.last_attempt == 150
    for one in attempts[150:]:
        resumed.fold(one)
    whole = _memory(*attempts, known=KNOWN)
    assert resumed.text() == whole.text()
    assert resumed.unexplored() == whole.unexplored()


def test_the_file_names_the_search_and_the_last_attempt() -> None:
    data = json.loads(_memory(attempt(1), attempt(2)).text())
    assert (data["search"], data["last_attempt"], data["schema"]) == ("s1", 2, 1)


def test_what_to_json_says_is_what_the_text_says() -> None:
    memory = _memory(*search(50))
    assert memory.to_json() == json.loads(memory.text())


def test_a_memory_of_ten_thousand_attempts_is_at_most_twice_as_large_as_one_of_a_hundred() -> None:
    memory = Memory(search="s1", known=KNOWN)
    for one in search(10_000):
        memory.fold(one)
        if one.number == 100:
            early_bytes = len(memory.text())
    assert len(memory.text()) <= 2 * early_bytes


def test_a_memory_stays_small_however_many_different_things_are_tried() -> None:
    memory = Memory(search="s1")
    for n in range(1, 2000):
        choices = {"isa": f"isa{n}", "unroll": n} if n % 2 else None
        memory.fold(attempt(n, Status.BEST, 1.5, tags=() if choices else (f"tag {n}", f"other {n}"), choices=choices))
    assert len(memory.text()) < 40_000


@pytest.mark.parametrize("damage", ['{"search": 5}', '{"search": "s", "tallies": {"x": "y"}}', '{"last_attempt": 1}'])
def test_a_damaged_file_is_an_error_with_its_path(tmp_path: Path, damage: str) -> None:
    (tmp_path / "MEMORY.json").write_text(damage)
    with pytest.raises(KeepError, match=r"cannot read .*MEMORY\.json"):
        Memory.read(tmp_path / "MEMORY.json", {})

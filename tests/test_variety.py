from harness.keep.memory import Memory, Unexplored
from harness.keep.pairs import Pair
from harness.keep.scores import Scores
from harness.records import Attempt, Status
from harness.variety import PLATEAU, Angle, choose, directions_of, mixed_parents, standstill
from keep.samples import attempt

DIRECTIONS = ("try a.", "try b.")


def _several(count: int, parents: tuple[str, ...], directions: tuple[str, ...] = DIRECTIONS) -> list[Angle]:
    taken: list[Angle] = []
    for _ in range(count):
        taken.append(choose(parents, directions, taken))
    return taken


def test_a_prompt_alone_starts_from_the_best_and_looks_nowhere_in_particular() -> None:
    assert choose(("7", "3"), DIRECTIONS, ()) == Angle(parent="7")


def test_others_start_from_the_specialists_and_then_look_where_nobody_has() -> None:
    assert _several(4, ("7", "3")) == [
        Angle(parent="7"),
        Angle(parent="3"),
        Angle(parent="7", direction="try a."),
        Angle(parent="3", direction="try b."),
    ]


def test_no_two_prompts_are_the_same_where_memory_knows_of_nothing_unexplored() -> None:
    assert len(set(_several(8, ("seed",), ()))) == 8


def test_an_angle_that_is_free_again_is_taken_again() -> None:
    first, *others = _several(4, ("seed",))
    assert choose(("seed",), DIRECTIONS, others) == first


def test_pairs_that_won_apart_are_named_before_what_is_untried_and_what_only_failed() -> None:
    unexplored = Unexplored(
        untried=("isa=avx2",),
        only_failed=("unroll=8",),
        never_together=(Pair(one="tile=4", other="isa=sse", failed=False),),
        failed_together=(Pair(one="tile=8", other="isa=avx", failed=True),),
    )
    first, second, third, fourth = directions_of(unexplored)
    assert "tile=4" in first and "isa=sse" in first
    assert second == "try isa avx2, which no attempt has tried."
    assert "unroll=8" in third
    assert "tile=8" in fourth and "isa=avx" in fourth


WON = (attempt(1, Status.BEST, 1.2), attempt(2, Status.BEST, 1.5), attempt(3, Status.SPECIALIST, 1.1, odd=1.9))


def _idle(count: int, status: Status = Status.SLOWER) -> list[Attempt]:
    return [attempt(n, status) for n in range(len(WON) + 1, len(WON) + 1 + count)]


def _scores(*attempts: Attempt) -> Scores:
    scores = Scores(search="s1", experiment="linear")
    for one in attempts:
        scores.fold(one)
    return scores


def _firsts(scores: Scores) -> list[str]:
    """What eight attempts in a row would start from."""
    return [mixed_parents(scores, "2", number)[0] for number in range(8)]


def _said(*attempts: Attempt) -> str:
    memory = Memory(search="s1", known={"prefetch": (), "dispatch": (), "isa": ("scalar", "avx2", "avx512")})
    for one in attempts:
        memory.fold(one)
    return standstill(_scores(*attempts), memory)


def test_a_mix_of_parents_is_every_other_time_the_best_and_a_specialist_between() -> None:
    assert _firsts(_scores(*WON)) == ["2", "3"] * 4


def test_after_a_plateau_an_earlier_branch_is_among_the_parents() -> None:
    assert set(_firsts(_scores(*WON, *_idle(PLATEAU - 1)))) == {"2", "3"}
    assert set(_firsts(_scores(*WON, *_idle(PLATEAU)))) == {"2", "3", "1"}


def test_a_mix_of_parents_before_the_first_winner_is_the_start_alone() -> None:
    assert mixed_parents(_scores(*(attempt(n) for n in range(1, 40))), "seed", 5) == ["seed"]


def test_a_plateau_is_told_with_directions_that_nobody_took() -> None:
    said = _said(*WON, *_idle(PLATEAU))
    assert said.startswith("The last 12 attempts changed nothing; choose an unexplored direction from the list")
    assert "\n- try prefetch, which no attempt has tried." in said


def test_what_could_not_be_timed_makes_no_plateau() -> None:
    untimed = [attempt(n, Status.UNMEASURED) for n in range(len(WON) + PLATEAU, len(WON) + 2 * PLATEAU)]
    assert _said(*WON, *_idle(PLATEAU - 1), *untimed) == ""


def test_the_list_of_a_plateau_begins_elsewhere_after_each_attempt() -> None:
    first, second = (_said(*WON, *_idle(PLATEAU + more)).splitlines()[1] for more in (0, 1))
    assert first != second


def test_a_search_that_gets_on_is_told_nothing() -> None:
    assert _said(*WON, *_idle(PLATEAU - 1)) == ""


def test_answers_that_repeat_earlier_ones_are_told() -> None:
    assert "3 of the last 6 answers were code that had been tried before" in _said(*WON, *_idle(3, Status.DUPLICATE))


def test_every_earlier_branch_has_its_turn() -> None:
    older = [attempt(n, Status.BEST, 1 + n / 10) for n in (1, 2, 3)]
    scores = _scores(*older, attempt(4, Status.SPECIALIST, 1.1, odd=1.9), *(attempt(n) for n in range(5, 30)))
    assert {mixed_parents(scores, "3", number)[0] for number in range(16)} == {"3", "4", "1", "2"}

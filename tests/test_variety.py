from harness.keep.memory import Unexplored
from harness.keep.pairs import Pair
from harness.variety import Angle, choose, directions_of

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
    assert "isa=avx2" in second
    assert "unroll=8" in third
    assert "tile=8" in fourth and "isa=avx" in fourth

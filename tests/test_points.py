from harness.points import apart, condition, crossing, halves, is_crossing

ONE, OTHER, THIRD = {"isa": "avx2", "rows": 1}, {"isa": "avx2", "rows": 6}, {"isa": "avx512", "rows": 6}


def test_a_crossing_gives_back_what_it_was_made_of_however_often_it_was_crossed() -> None:
    inner = crossing("rows <= 2", ONE, OTHER)
    outer = crossing("n > 64", THIRD, inner)
    assert halves(outer) == (THIRD, inner) and halves(inner) == (ONE, OTHER)
    assert condition(outer) == "n > 64" and is_crossing(inner) and not is_crossing(ONE)


def test_a_point_is_told_apart_by_what_differs() -> None:
    assert apart(OTHER, ONE) == ("rows=6",)
    assert apart(ONE, {}) == ("isa=avx2", "rows=1")
    assert apart(crossing("rows <= 2", ONE, OTHER), ONE) == ("if=rows <= 2", "then.rows=1", "else.rows=6")

"""A verdict as `judge` prints it: the share of the machine's ceiling, in words and as JSON."""

import json
from dataclasses import replace

from harness.records import Status, Verdict
from harness.show.verdict import verdict_json, verdict_text
from keep.samples import verdict


def _unknown() -> Verdict:
    """As before the ceiling was measured."""
    made = verdict(Status.BEST, 1.5)
    return replace(made, cases={name: replace(case, ceiling_s=0.0) for name, case in made.cases.items()})


def _row(made: Verdict, start: str) -> str:
    (row,) = [line for line in verdict_text("linear", made).splitlines() if line.split()[:1] == [start]]
    return row


def test_each_case_says_how_much_of_the_ceiling_it_reaches() -> None:
    assert "34 %" in _row(verdict(Status.BEST, 1.5), "decode")


def test_the_share_stands_under_its_title() -> None:
    made = verdict(Status.BEST, 1.5)
    title, share = _row(made, "case"), _row(made, "decode")
    assert title.index("of ceiling") + len("of ceiling") == share.index("34 %") + len("34 %")


def test_an_unknown_ceiling_leaves_its_place_empty() -> None:
    assert "%" not in _row(_unknown(), "decode")


def test_the_json_has_the_share_as_a_number() -> None:
    share = json.loads(verdict_json(verdict(Status.BEST, 1.5)))["cases"]["decode"]["of_ceiling"]
    assert round(share, 4) == 0.3375


def test_the_json_of_an_unknown_ceiling_has_none() -> None:
    assert json.loads(verdict_json(_unknown()))["cases"]["decode"]["of_ceiling"] is None

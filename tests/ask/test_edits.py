from dataclasses import replace

import pytest

from harness.ask.reply import Unreadable, read_reply
from harness.contract import Experiment
from harness.records import Candidate

PARENT = """\
void scale(float *x, float factor, int n) {
    for (int i = 0; i < n; i++) {
        x[i] *= factor;
    }
}
"""
OTHER = PARENT.replace("x[i] *= factor", "x[i] = x[i] * 2")
EDIT = """\
<<<<<<< SEARCH
        x[i] *= factor;
=======
        x[i] = factor * x[i];
>>>>>>> REPLACE
"""


def fenced(code: str) -> str:
    return f"```c\n{code}```\n"


def source_of(reply: str, experiment: Experiment, finish_reason: str = "stop") -> str:
    outcome = read_reply(reply, finish_reason, experiment, PARENT)
    assert isinstance(outcome, Candidate), outcome
    return outcome.source


def reason_of(reply: str, experiment: Experiment, finish_reason: str = "stop") -> str:
    outcome = read_reply(reply, finish_reason, experiment, PARENT)
    assert isinstance(outcome, Unreadable), outcome
    return outcome.reason


def test_an_edit_is_applied_to_the_parent(scale: Experiment) -> None:
    expected = PARENT.replace("x[i] *= factor", "x[i] = factor * x[i]")
    assert source_of(f"One change:\n```\n{EDIT}```\n", scale) == expected


def test_an_edit_may_differ_from_the_parent_in_spacing(scale: Experiment) -> None:
    expected = PARENT.replace("x[i] *= factor", "x[i] = factor * x[i]")
    assert source_of(EDIT.replace("        x[i] *= factor;", "  x[i] *= factor;  "), scale) == expected


def test_edits_follow_one_another(scale: Experiment) -> None:
    second = EDIT.replace("x[i] = factor * x[i]", "x[i] = 2 * x[i]").replace("x[i] *= factor", "x[i] = factor * x[i]")
    assert source_of(EDIT + second, scale) == PARENT.replace("x[i] *= factor", "x[i] = 2 * x[i]")


def test_an_edit_said_twice_is_meant_once(scale: Experiment) -> None:
    assert source_of(EDIT + EDIT, scale) == PARENT.replace("x[i] *= factor", "x[i] = factor * x[i]")


def test_a_search_that_is_not_in_the_parent_is_quoted(scale: Experiment) -> None:
    reason = reason_of(EDIT.replace("x[i] *= factor", "y[i] *= factor"), scale)
    assert reason == "a SEARCH text is not in the parent; it begins 'y[i] *= factor;'"


def test_a_search_for_a_part_of_a_line_is_not_found(scale: Experiment) -> None:
    assert "not in the parent" in reason_of(EDIT.replace("        x[i] *= factor;", "factor;"), scale)


def test_a_search_that_stands_twice_in_the_parent_is_ambiguous(scale: Experiment) -> None:
    edit = EDIT.replace("        x[i] *= factor;", "    }").replace("x[i] = factor * x[i];", "}")
    outcome = read_reply(edit, "stop", scale, PARENT.replace("    }\n", "    }\n    {\n    }\n"))
    assert outcome == Unreadable(reason="a SEARCH text stands 2 times in the parent; it begins '}'")


def test_an_empty_search_is_told(scale: Experiment) -> None:
    assert "is empty" in reason_of(EDIT.replace("        x[i] *= factor;\n", ""), scale)


def test_an_edit_that_changes_nothing_says_so(scale: Experiment) -> None:
    assert reason_of(EDIT.replace("x[i] = factor * x[i]", "x[i] *= factor"), scale) == "the edit changes nothing"


@pytest.mark.parametrize("marker", ["=======\n", ">>>>>>> REPLACE\n"])
def test_an_edit_without_one_of_its_markers_names_it(scale: Experiment, marker: str) -> None:
    assert marker.strip() in reason_of(EDIT.replace(marker, ""), scale)


def test_edits_cut_at_the_limit_of_tokens_are_not_applied_in_part(scale: Experiment) -> None:
    assert "truncated" in reason_of(EDIT, scale, "length")


def test_an_edit_beside_a_different_whole_function_is_two_answers(scale: Experiment) -> None:
    assert reason_of(EDIT + fenced(OTHER), scale).startswith("two answers")


def test_an_edit_beside_its_own_result_is_one_answer(scale: Experiment) -> None:
    result = PARENT.replace("x[i] *= factor", "x[i] = factor * x[i]")
    assert source_of(EDIT + "which gives\n" + fenced(result), scale) == result


def test_an_experiment_of_whole_functions_refuses_edits(scale: Experiment) -> None:
    assert "whole functions only" in reason_of(EDIT, replace(scale, edit="whole"))


def test_an_experiment_of_edits_refuses_whole_functions(scale: Experiment) -> None:
    assert "takes edits only" in reason_of(fenced(OTHER), replace(scale, edit="diff"))


def test_an_experiment_of_edits_takes_an_edit(scale: Experiment) -> None:
    assert "factor * x[i]" in source_of(EDIT, replace(scale, edit="diff"))


def test_more_edits_than_anybody_makes_are_refused(scale: Experiment) -> None:
    many = "".join(EDIT.replace("factor * x[i]", f"{n} * x[i]") for n in range(201))
    assert reason_of(many, scale).startswith("the reply makes 201 edits, more than 200")

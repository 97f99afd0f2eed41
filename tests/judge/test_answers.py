"""Hooks that give back what the judge cannot use: each is a fault of the contract that names file and hook."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import pytest

from harness import contract
from harness.contract import Case, Experiment
from harness.errors import ContractError
from harness.judge.answers import hidden_of, inputs_of, status_of, truth_of, work_of
from harness.judge.contents import Contents
from harness.judge.signature import read_signature
from harness.judge.verdict import Finding, Standings
from harness.records import Estimate, Status

LINEAR = contract.load(contract.ROOT / "linear")
SIGNATURE = read_signature(LINEAR)
CASE = LINEAR.evaluation.checks[0]
EVEN = Estimate(ratio=1, low=1, high=1)
FINDING = Finding(beats_champion=False, beats_on=(), beats_seed=False, vs_champion=EVEN)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def arrays() -> dict[str, Any]:
    return dict(inputs_of(LINEAR, CASE, rng(), SIGNATURE))


ASKED: dict[str, Callable[[Experiment], Any]] = {
    "accept": lambda one: status_of(one, FINDING, Standings(is_new_combination=False)),
    "work": lambda one: work_of(one, CASE),
    "hidden": lambda one: hidden_of(one, rng(), SIGNATURE),
    "inputs": lambda one: inputs_of(one, CASE, rng(), SIGNATURE),
    "reference": lambda one: truth_of(one, CASE, arrays(), SIGNATURE),
    "bound": lambda one: truth_of(one, CASE, arrays(), SIGNATURE),
}


@pytest.mark.parametrize("hook", ASKED)
@pytest.mark.parametrize("given", [None, "bset", 3.5j])
def test_an_answer_that_cannot_be_used_names_file_and_hook(hook: str, given: object) -> None:
    with pytest.raises(ContractError, match=rf"^linear/eval\.py: {hook}.* gives .*, must give "):
        ASKED[hook](replace(LINEAR, evaluation=replace(LINEAR.evaluation, **{hook: lambda *_, **__: given})))


@pytest.mark.parametrize(
    ("hook", "given", "must"),
    [
        ("work", {"flops": "many"}, "a mapping of flops and bytes to numbers"),
        ("work", {"bytes": float("nan")}, "a mapping of flops and bytes to numbers"),
        ("hidden", [Case("a"), 3], "a list of cases"),
        ("inputs", {"y": [1.0]}, "one entry a pointer to const"),
        ("inputs", dict.fromkeys(SIGNATURE.inputs, "ab"), "an array of float32"),
        ("bound", np.ones(12345), "one that broadcasts to the shape of reference's"),
    ],
)
def test_an_answer_that_is_nearly_right_is_told_what_it_must_be(hook: str, given: object, must: str) -> None:
    with pytest.raises(ContractError, match=must):
        ASKED[hook](replace(LINEAR, evaluation=replace(LINEAR.evaluation, **{hook: lambda *_, **__: given})))


def test_a_hidden_case_without_a_number_of_the_signature_is_named() -> None:
    with pytest.raises(ContractError, match="lacks rows"):
        ASKED["hidden"](replace(LINEAR, evaluation=replace(LINEAR.evaluation, hidden=lambda rng: [Case("a")])))


def test_arrays_of_other_shapes_from_call_to_call_are_told_with_both() -> None:
    sizes = count(2)

    def growing(case: Case, rng: np.random.Generator) -> dict[str, Any]:
        return dict.fromkeys(SIGNATURE.inputs, np.zeros(next(sizes)))

    growing_one = replace(LINEAR, evaluation=replace(LINEAR.evaluation, inputs=growing, slides=()))
    with pytest.raises(ContractError, match=r"gives arrays of \{'x': \(3,\).*such as \{'x': \(2,\)"):
        Contents(growing_one, CASE, rng(), 2, SIGNATURE)


def test_what_the_house_s_own_hooks_give_can_be_used() -> None:
    assert ASKED["accept"](LINEAR) is Status.TIE and ASKED["work"](LINEAR).keys() == {"flops", "bytes"}
    expected, bound = ASKED["reference"](LINEAR)
    assert np.broadcast_to(bound, expected.shape).shape == expected.shape

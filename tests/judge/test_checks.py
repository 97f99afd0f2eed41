"""How many checks share a process, what is said where even one workload is too much for it, and what is checked of the
shapes that are timed."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from brief import brief
from harness import contract
from harness.contract import Case, Experiment
from harness.errors import ContractError
from harness.judge import native
from harness.judge.arm import MOST_SEGMENTS
from harness.judge.checks import awkward, lay_out_checks
from harness.judge.clock import Stop
from harness.judge.inputs import Arena
from harness.judge.judge import Judge
from harness.judge.toolchain import Artifact
from harness.records import Status

LINEAR = contract.load(contract.ROOT / "linear")
ATTENTION = contract.load(contract.ROOT / "attention")


def of_many_arrays(arrays: int, checks: int) -> Experiment:
    """A function of so many input arrays, and so many checks."""
    names = [f"x{number}" for number in range(arrays)]
    evaluation = replace(
        LINEAR.evaluation,
        cases=(),
        checks=[Case(f"c{number}") for number in range(checks)],
        hidden=lambda rng: (),
        slides=(),
        inputs=lambda case, rng: {name: np.ones(1, np.float32) for name in names},
        reference=lambda **arrays: np.ones(1),
        bound=lambda **arrays: np.ones(1),
    )
    parameters = ", ".join(f"const float *{name}" for name in names)
    return replace(LINEAR, signature=f"void linear(float *out, {parameters})", evaluation=evaluation)


@pytest.mark.parametrize("arrays", [1, 9, 40])
def test_no_process_is_given_more_buffers_than_its_table_holds(arrays: int) -> None:
    with ExitStack() as stack:
        many = of_many_arrays(arrays, 70)
        laid_out = list(lay_out_checks(many, np.random.default_rng(1), stack, is_thorough=False))
        assert all(len(arena.segments) <= MOST_SEGMENTS for arena, _ in laid_out)
        assert sum(len(workloads) for _, workloads in laid_out) == 3 * 70


def test_more_buffers_than_the_table_holds_are_a_fault_of_the_contract() -> None:
    arena = Arena()
    for _ in range(MOST_SEGMENTS + 1):
        arena.add(1)
    arena.open()
    with pytest.raises(ContractError, match=f"at most {MOST_SEGMENTS} can be"):
        native.Arm(LINEAR, Artifact(content=b""), arena, 0, -1, Stop())
    arena.close()


def test_every_timed_shape_is_checked_with_three_kinds_of_data_that_only_checks_have() -> None:
    timed = LINEAR.evaluation.cases
    drawn = awkward(LINEAR, np.random.default_rng(1))
    assert [case.dims for case in drawn] == [case.dims for case in timed for _ in range(3)]
    assert len({(case.name, case.data) for case in drawn}) == len(drawn)
    assert {case.data for case in drawn} <= {case.data for case in LINEAR.evaluation.checks} - {"normal"}


def test_no_data_is_awkward_for_a_timed_shape_where_no_check_has_other_data() -> None:
    checks = [case for case in LINEAR.evaluation.checks if case.data == "normal"]
    plain = replace(LINEAR, evaluation=replace(LINEAR.evaluation, checks=checks))
    assert awkward(plain, np.random.default_rng(1)) == []


def test_what_overflows_on_the_timed_shapes_alone_is_wrong() -> None:
    """Of a winner. Which data a timed shape meets is drawn by lot; here there is one kind."""
    seed = ATTENTION.seed_path.read_text(encoding="utf-8")
    cheat = seed.replace("expf(weight[j] - top)", "expf(weight[j] - (head_dim == 64 ? 0.0f : top))")
    short = brief(ATTENTION, "t32")
    checks = [case for case in short.evaluation.checks if case.data == "huge"]
    evaluation = replace(short.evaluation, checks=checks, hidden=lambda rng: ())
    fault = Judge(replace(short, evaluation=evaluation), Stop()).prepare(cheat, is_thorough=True).fault
    assert fault is not None and fault.status is Status.WRONG

"""How many checks share a process, and what is said where even one workload is too much for it."""

from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest

from harness import contract
from harness.contract import Case, Experiment
from harness.errors import ContractError
from harness.judge import native
from harness.judge.arm import MOST_SEGMENTS
from harness.judge.checks import lay_out_checks
from harness.judge.clock import Stop
from harness.judge.inputs import Arena
from harness.judge.toolchain import Artifact

LINEAR = contract.load(contract.ROOT / "linear")


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
        laid_out = list(lay_out_checks(of_many_arrays(arrays, 70), np.random.default_rng(1), stack))
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

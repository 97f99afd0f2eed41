"""The kernels of `attention_cuda` without a device: emulated on a processor, and called as they are on a device."""

import ctypes
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from attention_cuda.emulated import emulated
from harness import catalog, contract
from harness.contract import Case
from harness.judge import cuda, python
from harness.judge.clock import Stop
from harness.judge.fault import Fault
from harness.judge.inputs import Arena, Placement, lay_out
from harness.judge.measure import checked_visit
from harness.judge.toolchain import Artifact
from harness.records import Status

ATTENTION = contract.load(catalog.locate("attention_cuda"))
SEED = ATTENTION.seed_path.read_text()
POINT = {
    "softmax": "online", "memory": "shared", "exp": "exp2f", "first": "longest", "vector": 4, "unroll": 2, "keys": 8,
    "queries": 2, "lanes": 8, "rows": 8,
}  # fmt: skip
OTHER = POINT | {"softmax": "two_pass", "memory": "direct", "exp": "expf", "vector": 1, "lanes": 32, "rows": 4}


def small(data: str, tokens: int, head_dim: int) -> Case:
    return Case(data, data, batch=1, n_heads=2, n_kv_heads=2, tokens=tokens, head_dim=head_dim, causal=1)


@pytest.mark.parametrize("point", [POINT, OTHER], ids=["tiled", "direct"])
def test_a_point_of_the_space_is_right(point: dict[str, str | int], tmp_path: Path) -> None:
    space, judged = ATTENTION.space, ATTENTION.evaluation
    assert space is not None and space.valid(point)
    attention = ctypes.CDLL(str(emulated(space.render(point), tmp_path))).attention
    rng = np.random.default_rng(1)
    for case in (small("normal", 1, 1), small("normal", 33, 20), small("sharp", 19, 7), small("nan", 17, 8)):
        given = judged.inputs(case, rng)
        out = np.full(given["q"].shape, np.float32(7))
        arrays = [np.ascontiguousarray(array).ctypes.data_as(ctypes.c_void_p) for array in (out, *given.values())]
        attention(*arrays, case.batch, case.n_heads, case.tokens, case.head_dim)
        exact, slack = judged.reference(**given), judged.bound(**given)
        assert ((np.abs(out - exact) <= slack) | (np.isnan(out) & np.isnan(exact))).all(), case.name


@pytest.fixture(scope="module")
def interpreter() -> python.Interpreter:
    pytest.importorskip("torch", reason="the arm needs torch: pip install -r hello_world/requirements.txt")
    return python.Interpreter(replace(ATTENTION, device="cpu", flags=cuda.MODULES), Stop())


@pytest.fixture
def arena() -> Iterator[Arena]:
    one = Arena()
    yield one
    one.close()


@pytest.mark.parametrize(("right", "fault"), [("s <= t", None), ("s < t", Status.WRONG)])
def test_an_object_is_called_in_the_python_arm(
    right: str, fault: Status | None, interpreter: python.Interpreter, arena: Arena, tmp_path: Path
) -> None:
    made = emulated(SEED.replace("s <= t", right), tmp_path)
    laid_out = lay_out(
        interpreter.experiment, small("normal", 9, 8), np.random.default_rng(1), 4, Placement.FREE, arena
    )
    arena.open()
    artifact = Artifact(content=made.read_bytes())
    with cuda.Arm(interpreter, artifact, arena, 0, -1, Stop()) as arm:
        if fault is None:
            checked_visit(arm, laid_out, calls=2, visits=2)
            return
        with pytest.raises(Fault) as raised:
            checked_visit(arm, laid_out)
        assert raised.value.status is fault

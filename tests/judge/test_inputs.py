"""Layouts, limits and checks, on an arena that no process maps."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from harness import contract
from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge.inputs import POISON, Arena, Bytes, Placement, Workload, lay_out

LINEAR = contract.load(contract.ROOT / "linear")


def laid_out(
    experiment: Experiment = LINEAR, calls: int = 1, placement: Placement = Placement.LEFT, name: str = "rows-3"
) -> tuple[Arena, Workload]:
    cases = [*experiment.evaluation.cases, *experiment.evaluation.checks]
    case = next(case for case in cases if case.name == name)
    arena = Arena()
    workload = lay_out(experiment, case, np.random.default_rng(7), calls, placement, arena)
    arena.open()
    workload.copy.view(np.uint32)[:] = POISON
    return arena, workload


def write(arena: Arena, workload: Workload, call: int, values: np.ndarray) -> None:
    start = workload.output_offset + call * workload.stride * 4
    workload.copy[start : start + values.size * 4] = values.astype(np.float32).view(np.uint8)


def test_the_exact_answer_passes() -> None:
    arena, workload = laid_out()
    write(arena, workload, 0, workload.expected[0])
    assert workload.check(0, 1) is None


def test_an_answer_beyond_the_bound_is_named_with_its_element() -> None:
    arena, workload = laid_out()
    values = workload.expected[0].copy()
    values[1] += 3 * workload.bound[0][1] + 1e-6
    write(arena, workload, 0, values)
    said = workload.check(0, 1)
    assert said is not None and said.startswith("case rows-3: out[0][1] is ")


def test_not_a_number_never_passes_for_a_number() -> None:
    arena, workload = laid_out()
    write(arena, workload, 0, np.full(workload.expected[0].size, np.nan))
    assert "is nan" in str(workload.check(0, 1))


def test_an_output_that_was_not_written_is_called_so() -> None:
    _, workload = laid_out()
    assert "is not written" in str(workload.check(0, 1))


def test_poison_does_not_pass_where_not_a_number_is_due() -> None:
    arena, workload = laid_out(name="nan")
    values = workload.expected[0].astype(np.float32)
    assert np.isnan(values).any()
    values.view(np.uint32)[np.isnan(values)] = POISON
    write(arena, workload, 0, values)
    assert workload.check(0, 1) is not None


def test_a_write_beside_the_output_is_wrong() -> None:
    arena, workload = laid_out()
    write(arena, workload, 0, workload.expected[0])
    workload.copy[-4:] = 0
    assert "outside of the output" in str(workload.check(0, 1))


def test_a_write_between_the_outputs_of_two_timed_calls_is_wrong() -> None:
    arena, workload = laid_out(calls=3)
    for call in range(3):
        write(arena, workload, call, workload.expected[call])
    assert workload.check(0, 3) is None
    write(arena, workload, 1, np.append(workload.expected[1], 1.0))
    assert "outside of the output" in str(workload.check(0, 3))


def test_no_two_calls_of_a_visit_see_the_same_contents() -> None:
    _, workload = laid_out(calls=64, name="odd")
    assert len({row.tobytes() for row in workload.expected}) == 64


def test_calls_of_an_experiment_without_slides_get_arrays_of_their_own(tmp_path: Path) -> None:
    experiment = _without_slides()
    _, workload = laid_out(experiment, calls=5)
    assert len(set(workload.rows[:, 1])) == 5
    assert len({row.tobytes() for row in workload.expected}) == 5


def _without_slides() -> Experiment:
    return replace(LINEAR, evaluation=replace(LINEAR.evaluation, slides=()))


@pytest.mark.parametrize("placement", [Placement.LEFT, Placement.RIGHT, Placement.ODD])
def test_a_buffer_touches_the_guard_page_it_is_flush_against(placement: Placement) -> None:
    _, workload = laid_out(placement=placement)
    for _, segment, start, size in workload.buffers:
        ends = {Placement.LEFT: start == 0, Placement.RIGHT: start + size == segment.size_bytes}
        assert ends.get(placement, start == 4)


def seen_by(arena: Arena, workload: Workload, name: str, call: int, count: int) -> Bytes:
    """The first bytes behind a pointer as a call gets it, by the table that a runner reads."""
    workload.disclose(arena, call, 1)
    address = int(arena.view(workload.table).view(np.uint64)[workload.columns[name]])
    segment = next(s for s in arena.segments if 0 <= address - s.window_offset < s.size_bytes)
    at = segment.file_offset + address - segment.window_offset
    return arena.bytes[at : at + count].copy()


def test_a_runner_is_told_the_rows_of_one_batch_and_sometimes_of_calls_that_it_is_not_asked_for() -> None:
    arena, workload = laid_out(calls=4, placement=Placement.FREE, name="odd")
    table = arena.view(workload.table).view(np.uint64)
    lengths = set()
    for _ in range(100):
        workload.disclose(arena, 0, 1)
        lengths.add(np.count_nonzero(table) // np.count_nonzero(workload.rows[0]))
    assert lengths == {1, 2} and np.array_equal(table[:7], workload.rows[0])


def test_the_last_batch_has_no_rows_behind_it() -> None:
    arena, workload = laid_out(calls=4, placement=Placement.FREE, name="odd")
    table = arena.view(workload.table).view(np.uint64)
    workload.disclose(arena, 0, 3)
    workload.disclose(arena, 3, 1)
    assert np.array_equal(table[:7], workload.rows[3]) and not table[7:].any()


def test_moved_buffers_hold_the_same_contents_for_every_call() -> None:
    arena, workload = laid_out(calls=4, placement=Placement.FREE, name="odd")
    before = [seen_by(arena, workload, "weight", call, 129 * 65 * 4) for call in range(4)]
    for seed in range(8):
        workload.move(arena, np.random.default_rng(seed))
        after = [seen_by(arena, workload, "weight", call, 129 * 65 * 4) for call in range(4)]
        assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


def test_moved_buffers_take_many_places_and_now_and_then_touch_a_guard_page() -> None:
    arena, workload = laid_out(calls=4, placement=Placement.FREE, name="odd")
    places = set()
    for seed in range(40):
        workload.move(arena, np.random.default_rng(seed))
        places |= {start for name, _, start, _ in workload.buffers if name == "x"}
    _, segment, _, size = workload.buffers[0]
    assert len(places) > 10 and {0, segment.size_bytes - size} <= places


def test_a_moved_output_is_checked_where_it_was_moved_to() -> None:
    arena, workload = laid_out(calls=4, placement=Placement.FREE, name="odd")
    workload.move(arena, np.random.default_rng(3))
    for call in range(4):
        write(arena, workload, call, workload.expected[call])
    assert workload.check(0, 4) is None


def test_memory_that_cannot_be_had_is_said_with_its_size() -> None:
    arena = Arena()
    arena.add(1 << 62)
    with pytest.raises(JudgeError, match=r"4398046511\d+ MB of shared memory cannot be had"):
        arena.open()
    assert arena.descriptor == -1


def test_segments_of_the_window_never_touch() -> None:
    arena, _ = laid_out()
    spans = sorted((s.window_offset, s.window_offset + s.size_bytes) for s in arena.segments)
    assert all(after[0] - before[1] >= 4096 for before, after in pairwise(spans))


@pytest.mark.parametrize("data", ["normal", "denormal", "large", "zeros", "cancelling"])
def test_half_precision_inputs_exceed_the_bound_of_linear(data: str) -> None:
    rng = np.random.default_rng(11)
    evaluation = LINEAR.evaluation
    case = Case("probe", data, rows=4, in_features=768, out_features=64, bias=1)
    arrays = dict(evaluation.inputs(case, rng))
    with np.errstate(all="ignore"):
        halves = {name: array.astype(np.float16).astype(np.float32) for name, array in arrays.items()}
        error = np.abs(evaluation.reference(**halves) - evaluation.reference(**arrays))
    assert not (error <= evaluation.bound(**arrays)).all()

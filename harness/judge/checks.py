"""The cases of one validation, laid out: no more in one arena than its table can hold."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from harness.contract import Case, Experiment
from harness.judge.answers import hidden_of
from harness.judge.arm import MOST_SEGMENTS
from harness.judge.device import lacks
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.signature import read_signature

_PLACEMENTS = (Placement.LEFT, Placement.RIGHT, Placement.ODD)
_MOST = 192  # workloads in one process
_KINDS = 3  # of data, for each timed shape


def lay_out_checks(
    experiment: Experiment, rng: np.random.Generator, stack: ExitStack, *, is_thorough: bool
) -> Iterator[tuple[Arena, Sequence[Workload]]]:
    """Adversarial cases with fresh inputs, flush against guard pages on either side; `stack` closes their arenas."""
    signature = read_signature(experiment)
    checks = [*experiment.evaluation.checks, *hidden_of(experiment, rng, signature)]
    placed = [(case, placement) for case in checks for placement in _PLACEMENTS]
    if is_thorough:
        placed += [(case, _PLACEMENTS[rng.integers(len(_PLACEMENTS))]) for case in awkward(experiment, rng)]
    segments = len(signature.inputs) + 2  # with an output and a table
    at_once = max(1, min(_MOST, MOST_SEGMENTS // segments))
    for start in range(0, len(placed), at_once):
        arena = Arena()
        workloads = [
            lay_out(experiment, case, rng, 1, placement, arena) for case, placement in placed[start : start + at_once]
        ]
        stack.callback(arena.close)
        arena.open()
        yield arena, workloads


def awkward(experiment: Experiment, rng: np.random.Generator) -> list[Case]:
    """Every timed shape with some kinds of data that only checks have, by lot: so that no shape says that its data will
    be well-behaved. They take longer than all other checks, so only would-be winners meet them; and not where timed
    shapes are too large for what only checks candidates."""
    timed = experiment.evaluation.cases
    kinds = sorted({case.data for case in experiment.evaluation.checks} - {case.data for case in timed})
    if not kinds or lacks(experiment):
        return []
    drawn = [kinds[at] for at in rng.permutation(len(kinds))]
    each = min(_KINDS, len(drawn))
    pairs = [(case, drawn[(at * each + one) % len(drawn)]) for at, case in enumerate(timed) for one in range(each)]
    return [Case(f"{case.name}-{kind}", kind, **case.dims) for case, kind in pairs]

"""The cases of one validation, laid out: each at three placements, no more in one arena than its table can hold."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np

from harness.contract import Experiment
from harness.judge.answers import hidden_of
from harness.judge.arm import MOST_SEGMENTS
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.signature import read_signature

_PLACEMENTS = (Placement.LEFT, Placement.RIGHT, Placement.ODD)
_MOST = 64  # checks in one process


def lay_out_checks(
    experiment: Experiment, rng: np.random.Generator, stack: ExitStack
) -> Iterator[tuple[Arena, Sequence[Workload]]]:
    """Adversarial cases with fresh inputs, flush against guard pages on either side; `stack` closes their arenas."""
    signature = read_signature(experiment)
    checks = [*experiment.evaluation.checks, *hidden_of(experiment, rng, signature)]
    segments = len(_PLACEMENTS) * (len(signature.inputs) + 2)  # with an output and a table
    at_once = max(1, min(_MOST, MOST_SEGMENTS // segments))
    for start in range(0, len(checks), at_once):
        arena = Arena()
        workloads = [
            lay_out(experiment, case, rng, 1, placement, arena)
            for case in checks[start : start + at_once]
            for placement in _PLACEMENTS
        ]
        stack.callback(arena.close)
        arena.open()
        yield arena, workloads

"""Records a landscape for `memory.py`: every point of a part of linear's search space, built and timed on this machine.

The part is what CHOICES names; what it leaves out is FIXED. Each point's time on a case is the least of several
batches, called in this process: good enough to rank points in a table, and no verdict. A point's speed is the geometric
mean of its speed-ups over the seed. Writes the table that later runs only read, so that these time nothing.

    python benchmarks/landscape.py > benchmarks/landscape.json
"""

import argparse
import ctypes
import itertools
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

import numpy as np

from harness import contract
from harness.contract import Case, Experiment
from harness.judge import toolchain
from harness.judge.machine import fingerprint
from harness.judge.toolchain import Artifact
from harness.records import Choices

CHOICES: Mapping[str, tuple[str | int, ...]] = {
    "isa": ("avx2", "avx512"),
    "tile_rows": (1, 2, 3, 4, 6, 8),
    "tile_cols": (1, 2, 3, 4, 6, 8),
    "lone_cols": (1, 2, 4, 8),
    "unroll": (1, 2),
    "loops": ("rows_outer", "outputs_outer"),
    "tail": ("scalar", "masked"),
}
FIXED: Choices = {
    "leftover_rows": "one_by_one",
    "split": 1,
    "reduction": "each",
    "bias": "ternary",
    "traversal": "index",
    "prefetch": "none",
    "block_outputs": 0,
    "panel": "none",
    "panel_depth": 128,
}
_BATCH_S, _BATCHES = 1e-3, 5


def points(experiment: Experiment) -> Iterator[Choices]:
    """The valid points of the part, in the order of its choices."""
    assert experiment.space is not None
    for values in itertools.product(*CHOICES.values()):
        choices = dict(zip(CHOICES, values, strict=True))
        if experiment.space.valid({**FIXED, **choices}):
            yield choices


def call_s(function: Callable[[], object]) -> float:
    """The least time of a call, in batches of about a millisecond."""
    began_s = time.perf_counter()
    function()
    calls = max(1, round(_BATCH_S / max(1e-7, time.perf_counter() - began_s)))
    batches_s = []
    for _ in range(_BATCHES):
        began_s = time.perf_counter()
        for _ in range(calls):
            function()
        batches_s.append((time.perf_counter() - began_s) / calls)
    return min(batches_s)


def times_s(experiment: Experiment, source: str, inputs: Mapping[str, list[object]], folder: Path) -> list[float]:
    """What a call takes on each case."""
    built = toolchain.build(source, experiment.signature, experiment.flags, experiment.limits.build_timeout_s, False)
    assert isinstance(built, Artifact), built
    path = folder / f"{built.digest}.so"
    path.write_bytes(built.content)
    function = ctypes.CDLL(str(path))[experiment.target]
    path.unlink()
    return [call_s(lambda given=given: function(*given)) for given in inputs.values()]  # type: ignore[misc]


def arguments(experiment: Experiment, case: Case, rng: np.random.Generator) -> list[object]:
    """The pointers and sizes of one call; the arrays live as long as the list."""
    arrays = experiment.evaluation.inputs(case, rng)
    out = np.empty((case.rows, case.out_features), np.float32)
    given = [None if one is None else np.ascontiguousarray(one) for one in (out, *arrays.values())]
    pointers = [None if one is None else one.ctypes.data_as(ctypes.c_void_p) for one in given]
    return [*pointers, case.rows, case.in_features, case.out_features]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    experiment = contract.load(ROOT / "linear")
    assert experiment.space is not None
    rng = np.random.default_rng(1)
    inputs = {case.name: arguments(experiment, case, rng) for case in experiment.evaluation.cases}
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        seed_s = times_s(experiment, experiment.seed_path.read_text(encoding="utf-8"), inputs, Path(scratch))
        every = list(points(experiment))
        for number, choices in enumerate(every, start=1):
            source = experiment.space.render({**FIXED, **choices})
            ratios = [a / b for a, b in zip(seed_s, times_s(experiment, source, inputs, Path(scratch)), strict=True)]
            rows.append([*choices.values(), round(math.prod(ratios) ** (1 / len(ratios)), 3)])
            if number % 50 == 0:
                print(f"{number} of {len(every)}", file=sys.stderr, flush=True)
    head = {"machine": fingerprint(experiment), "on": time.strftime("%Y-%m-%d"), "choices": list(CHOICES)}
    lines = ",\n".join(json.dumps(row) for row in rows)
    print(json.dumps(head)[:-1] + f', "points": [\n{lines}\n]}}')
    return 0


if __name__ == "__main__":
    sys.exit(main())

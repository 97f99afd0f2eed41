"""An experiment's champion against what a user would call instead: numpy's OpenBLAS, and PyTorch where it is installed.

One thread each, on the same core, on the same inputs in the same pages, in turns, by the same clock; outputs are
checked against the experiment's reference, those of a peer in a batch that is not timed. No contestant pays for fresh
pages inside the clock: results go to the champion's pages, or are freed before the next call. The seed runs beside
them. Prints JSON lines, then a table.

    python benchmarks/peers_kernels.py
    python benchmarks/peers_kernels.py --experiment attention --rounds 30
"""

import argparse
import importlib
import importlib.util
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import numpy as np
import numpy.typing as npt

from harness import contract
from harness.contract import Case, Experiment
from harness.judge.clock import Stop
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.judge import Judge
from harness.judge.measure import VISIT_S
from harness.judge.native import Arm
from harness.judge.quiet import alone
from harness.judge.signature import read_signature

torch: Any = importlib.import_module("torch") if importlib.util.find_spec("torch") else None

TARGETS = {"linear": 1.2, "attention": 1.2}
NO_CASE_UNDER, OVER_SEED = 0.9, 10.0
BATCHES = 4  # of each contestant in a round; the fastest counts, as in a verdict
CHAMPION, SEED = "champion", "seed"

Array: TypeAlias = npt.NDArray[Any]
Call: TypeAlias = Callable[[], object]
Prepare: TypeAlias = Callable[[Case, Mapping[str, Array | None], Array], Call]


def numpy_linear(case: Case, given: Mapping[str, Array | None], out: Array) -> Call:
    x, weight, bias = given["x"], given["weight"], given["bias"]
    assert x is not None and weight is not None
    transposed = weight.T
    if bias is None:
        return lambda: np.matmul(x, transposed, out=out)
    return lambda: np.add(np.matmul(x, transposed, out=out), bias, out=out)


def torch_linear(case: Case, given: Mapping[str, Array | None], out: Array) -> Call:
    x, weight, bias = (None if array is None else torch.from_numpy(array) for array in given.values())
    assert x is not None and weight is not None
    result, transposed = torch.from_numpy(out), weight.T
    if bias is None:
        return lambda: torch.mm(x, transposed, out=result)
    return lambda: torch.addmm(bias, x, transposed, out=result)


def torch_attention(case: Case, given: Mapping[str, Array | None], out: Array) -> Call:
    """Its own causal path where there is no other mask; else one mask, made before the clock runs."""
    q, k, v = (torch.from_numpy(given[name]) for name in ("q", "k", "v"))
    keep, options = given["keep"], {"enable_gqa": True} if case.n_kv_heads != case.n_heads else {}
    if keep is None:
        options["is_causal"] = bool(case.causal)
    else:
        seen = keep[:, None, None, :] != 0
        mask = seen & np.tril(np.ones((case.tokens, case.tokens), np.bool_)) if case.causal else seen
        options["attn_mask"] = torch.from_numpy(np.ascontiguousarray(mask))
    return lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, **options)


PEERS: Mapping[str, Mapping[str, Prepare]] = {
    "linear": {"numpy": numpy_linear, "torch": torch_linear},
    "attention": {"torch": torch_attention},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One case laid out for so many calls a batch, and for each peer the calls, ready to go."""

    workload: Workload
    calls: int
    outputs: Sequence[Array]
    peers: Mapping[str, Sequence[Call]]


def arrays(experiment: Experiment, arena: Arena, workload: Workload, call: int) -> Mapping[str, Array]:
    """What one call is given, as arrays over the very memory that the champion reads and writes."""
    signature = read_signature(experiment)
    example = experiment.evaluation.inputs(workload.case, np.random.default_rng(0))
    shapes = {name: None if array is None else array.shape for name, array in example.items()}
    shapes[signature.output] = workload.shape
    found = {}
    for name, segment, _, _ in workload.buffers:
        start = int(workload.rows[call, workload.columns[name]]) - segment.window_offset
        dtype = signature.inputs.get(name, np.float32)
        size_bytes = math.prod(shapes[name] or ()) * np.dtype(dtype).itemsize
        found[name] = arena.view(segment)[start : start + size_bytes].view(dtype).reshape(shapes[name])
    return found


def stages(judge: Judge, source: str, arena: Arena, rng: np.random.Generator) -> list[Stage]:
    """Every case with its calls; opens the arena."""
    experiment, call_s = judge.experiment, judge.probe(source).call_s
    calls = {name: max(1, math.ceil(VISIT_S / seconds)) for name, seconds in call_s.items()}
    workloads = [
        lay_out(experiment, case, rng, calls[case.name], Placement.FREE, arena) for case in experiment.evaluation.cases
    ]
    arena.open()
    laid_out = []
    for workload in workloads:
        given = [arrays(experiment, arena, workload, call) for call in range(workload.calls)]
        output, inputs = read_signature(experiment).output, read_signature(experiment).inputs
        outputs = [one[output] for one in given]
        peers = {
            name: [prepare(workload.case, {key: one.get(key) for key in inputs}, one[output]) for one in given]
            for name, prepare in PEERS[experiment.name].items()
            if name == "numpy" or torch
        }
        laid_out.append(Stage(workload, workload.calls, outputs, peers))
    return laid_out


def peer_s(stage: Stage, name: str, arena: Arena, cpu: int) -> float:
    """Seconds per call of one batch, by the clock and on the core of the champion's. A result that is not written to
    the champion's pages is freed before the next one: keeping them would cost each call new pages."""
    calls, allowed = stage.peers[name], os.sched_getaffinity(0)
    stage.workload.poison(arena, 0, stage.calls)
    os.sched_setaffinity(0, {cpu} if cpu >= 0 else allowed)
    try:
        started_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        for call in calls:
            call()
        ended_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    finally:
        os.sched_setaffinity(0, allowed)
    return (ended_ns - started_ns) * 1e-9 / stage.calls


def check_peer(stage: Stage, name: str, arena: Arena) -> None:
    stage.workload.poison(arena, 0, stage.calls)
    for out, call in zip(stage.outputs, stage.peers[name], strict=True):
        np.copyto(out, np.asarray(call()))
    check(stage, f"{name}'s", arena)


def arm_s(stage: Stage, name: str, arm: Arm, arena: Arena) -> float:
    stage.workload.poison(arena, 0, stage.calls)
    tick = arm.visit(stage.workload, 0, stage.calls)
    check(stage, f"the {name}'s", arena)
    return tick.seconds / stage.calls


def check(stage: Stage, whose: str, arena: Arena) -> None:
    workload = stage.workload
    workload.copy[:] = arena.view(workload.output)
    mismatch = workload.check(0, stage.calls)
    if mismatch:
        sys.exit(f"{whose} answer is wrong: {mismatch}")


def race(
    stage: Stage, arms: Mapping[str, Arm], arena: Arena, cpu: int, rng: np.random.Generator
) -> Mapping[str, float]:
    """The fastest batch of each contestant, all of them in turns, in another order each time."""
    best: dict[str, float] = {}
    for name in stage.peers:
        check_peer(stage, name, arena)
    for turn in range(BATCHES + 1):  # the first one warms up
        names = [*arms, *stage.peers]
        rng.shuffle(names)
        for name in names:
            arm = arms.get(name)
            seconds = arm_s(stage, name, arm, arena) if arm else peer_s(stage, name, arena, cpu)
            best[name] = min(best.get(name, math.inf), seconds) if turn else math.inf
    return best


def compete(judge: Judge, source: str, rounds: int) -> Mapping[str, Mapping[str, list[float]]]:
    """Seconds per call by case and contestant, one figure a round."""
    rng, stop, arena = np.random.default_rng(), Stop(), Arena()
    artifacts = {CHAMPION: judge.trusted(source), SEED: judge.trusted(judge.seed)}
    laid_out = stages(judge, source, arena, rng)
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        with ExitStack() as stack, alone(stop) as cpu:
            arms = {
                name: stack.enter_context(Arm(judge.experiment, artifact, arena, slot, cpu, stop))
                for slot, (name, artifact) in enumerate(artifacts.items())
            }
            for stage in laid_out:
                for name, seconds in race(stage, arms, arena, cpu, rng).items():
                    found.setdefault(stage.workload.case.name, {}).setdefault(name, []).append(seconds)
    return found


def ratio(times: Mapping[str, Sequence[float]], name: str) -> float:
    """How many times the champion's time another one takes: the median of the rounds."""
    pairs = zip(times[name], times[CHAMPION], strict=True)
    return statistics.median(other / own for other, own in pairs)


def report(experiment: str, found: Mapping[str, Mapping[str, list[float]]]) -> None:
    peers = [name for name in next(iter(found.values())) if name not in (CHAMPION, SEED)]
    print(f"\n{experiment:<14}{'champion us':>12}" + "".join(f"{'x ' + name:>10}" for name in (*peers, SEED)))
    best, over_seed = [], []
    for case, times in found.items():
        ratios = {name: ratio(times, name) for name in (*peers, SEED)}
        best.append(min(ratios[name] for name in peers))
        over_seed.append(ratios[SEED])
        middle_us = 1e6 * statistics.median(times[CHAMPION])
        print(f"{case:<14}{middle_us:>12.2f}" + "".join(f"{value:>10.2f}" for value in ratios.values()))
    mean, mean_seed = statistics.geometric_mean(best), statistics.geometric_mean(over_seed)
    print(f"against the better peer: x{mean:.2f} in the geometric mean, x{min(best):.2f} in the worst case; ", end="")
    print(f"against the seed x{mean_seed:.1f}")
    print(f"targets: x{TARGETS[experiment]:g}, no case under x{NO_CASE_UNDER:g}, x{OVER_SEED:g} against the seed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", choices=sorted(PEERS), action="append", help="one of them (all)")
    parser.add_argument("--rounds", type=int, default=20, help="fresh processes in each (20)")
    parser.add_argument("--source", type=Path, help="instead of the experiment's candidate.c")
    args = parser.parse_args()
    if torch:
        torch.set_num_threads(1)
    for name in args.experiment or sorted(PEERS, reverse=True):
        if not torch and "numpy" not in PEERS[name]:
            print(f"{name}: nothing to compare with here; `pip install torch`", file=sys.stderr)
            continue
        experiment = contract.load(ROOT / name)
        source = (args.source or experiment.candidate_path).read_text(encoding="utf-8")
        found = compete(Judge(experiment, Stop()), source, args.rounds)
        for case, times in found.items():
            for contestant, seconds in times.items():
                row = {"experiment": name, "case": case, "contestant": contestant, "seconds": seconds}
                print(json.dumps({"schema": 1, "benchmark": "peers_kernels"} | row))
        report(name, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())

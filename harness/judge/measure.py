"""Blocks of interleaved visits: artifacts -> log-ratios of times, case by case.

Measures and checks every timed output; what the numbers mean is for stats.py and verdict.py.
"""

import math
import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import numpy as np

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge.clock import Interrupted, Stop
from harness.judge.fault import Fault
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.native import Arm
from harness.judge.toolchain import Artifact
from harness.records import Status

CANDIDATE, RIVAL, SEED = "candidate", "rival", "seed"
BATCH_S = 0.4e-3  # at least; longer where the handshake would be more than its share of it
_HANDSHAKE_SHARE = 0.01
_EMPTY_VISITS = 25
_BATCHES = 3  # of which a visit keeps the fastest
_LONG_VISIT_S = 4e-3  # from here on one batch is a whole visit
_MOST_CALLS = 1024
_TRIES = 4
_FAR_APART = math.log(1.5)  # beyond this, one quad of short visits tells a block's ratio well enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One round of fresh processes: seconds per call by arm and case, and each case's log(candidate / rival)."""

    seconds: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, float]

    @property
    def overall(self) -> float:
        return statistics.fmean(self.ratios.values())

    def log_ratio(self, arm: str, case: str) -> float:
        return math.log(self.seconds[CANDIDATE][case] / self.seconds[arm][case])


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one case is visited: `visit` by candidate and rival, `seed_visit` by the seed, which may be far slower."""

    workload: Workload
    visit: "_Visit"
    seed_visit: "_Visit"
    quads: int


@dataclass(frozen=True, slots=True)
class _Visit:
    """So many batches of so many calls, of which the fastest counts."""

    calls: int
    batches: int

    @classmethod
    def of(cls, call_s: float, batch_s: float) -> "_Visit":
        calls = min(_MOST_CALLS, max(1, math.ceil(batch_s / call_s)))
        return cls(calls, 1 if call_s * calls > _LONG_VISIT_S else _BATCHES)


@dataclass(frozen=True, slots=True)
class Visited:
    """Seconds per call in the fastest batch. `disturbed`: no batch of the visit went by without losing its core."""

    call_s: float
    disturbed: bool


class Bench:
    """The timed cases of one phase, laid out once with contents of its own; every block runs in fresh processes.

    `call_s` is roughly what one call takes, case by case: the rival's and the seed's."""

    def __init__(
        self,
        experiment: Experiment,
        cases: Sequence[Case],
        call_s: Mapping[str, tuple[float, float]],
        batch_s: float,
        rng: np.random.Generator,
        stop: Stop,
    ) -> None:
        self.experiment, self.rng, self.stop = experiment, rng, stop
        self.batch_s = batch_s
        self.arena = Arena()
        self.plans = {case.name: self._plan(case, call_s[case.name]) for case in cases}
        self.arena.open()

    def _plan(self, case: Case, call_s: tuple[float, float]) -> _Plan:
        visit, seed_visit = (_Visit.of(seconds, self.batch_s) for seconds in call_s)
        calls = max(one.calls * one.batches for one in (visit, seed_visit))
        placement = Placement.LEFT if self.rng.integers(2) else Placement.RIGHT
        workload = lay_out(self.experiment, case, self.rng, calls, placement, self.arena)
        return _Plan(workload, visit, seed_visit, quads=1 if visit.batches == 1 else 2)

    def block(self, artifacts: Mapping[str, Artifact]) -> Block:
        """One block of the arms given: quads of candidate and rival by the judge's coin, one visit of the seed."""
        seconds: dict[str, dict[str, float]] = {name: {} for name in artifacts}
        ratios = {}
        with ExitStack() as stack, alone() as cpu:
            arms = {
                name: stack.enter_context(Arm(self.experiment, artifact, self.arena, slot, cpu, self.stop))
                for slot, (name, artifact) in enumerate(artifacts.items())
            }
            names = list(self.plans)
            self.rng.shuffle(names)
            for name in names:
                times = self._quads(arms, self.plans[name])
                for arm, visits in times.items():
                    seconds[arm][name] = statistics.median(visits)
                ratios[name] = _ratio(times[CANDIDATE], times[RIVAL])
        return Block(seconds=seconds, ratios=ratios)

    def _quads(self, arms: Mapping[str, Arm], plan: _Plan) -> Mapping[str, list[float]]:
        times: dict[str, list[float]] = {name: [] for name in arms}
        warm_s = {}
        names = list(arms)
        self.rng.shuffle(names)
        for name in names:  # warms caches and page tables; not counted
            visit = plan.seed_visit if name == SEED else plan.visit
            warm_s[name] = self._visit(name, arms[name], plan, replace(visit, batches=1)).call_s
        visit, quads = plan.visit, plan.quads
        if abs(math.log(warm_s[CANDIDATE] / warm_s[RIVAL])) > _FAR_APART:
            visit, quads = replace(visit, batches=min(visit.batches, 2)), 1
        while len(times[CANDIDATE]) < 2 * quads:
            for name, visited in self._quad(arms, plan, visit):
                times[name].append(visited.call_s)
        if SEED in arms:
            times[SEED].append(self._visit(SEED, arms[SEED], plan, plan.seed_visit).call_s)
        return times

    def _quad(self, arms: Mapping[str, Arm], plan: _Plan, visit: _Visit) -> list[tuple[str, Visited]]:
        """Two visits of each arm in an order of the judge's coin. A disturbed one is dropped with its whole quad, by
        the kernel's counters and not by its time; on a machine that is never quiet the last try counts."""
        first, second = (CANDIDATE, RIVAL) if self.rng.integers(2) else (RIVAL, CANDIDATE)
        for _ in range(_TRIES if visit.batches > 1 else 1):
            quad = [(name, self._visit(name, arms[name], plan, visit)) for name in (first, second, second, first)]
            if not any(visited.disturbed for _, visited in quad):
                break
        return quad

    def _visit(self, name: str, arm: Arm, plan: _Plan, visit: _Visit) -> Visited:
        if self.stop:
            raise Interrupted
        try:
            visited = _undisturbed(arm, plan.workload, visit)
            # After every visit: the next ones bring the same contents, and a look at the end could be foreseen. Of
            # every arm alike: the look leaves the caches cold for whoever comes next.
            check_stateless(arm)
            return visited
        except Fault as fault:
            if name == CANDIDATE:
                raise
            raise JudgeError(
                f"the {name} failed in a timed visit: {fault.reason}.",
                "its code or eval.py's bound does not hold; `judge --file` shows it alone.",
            ) from None

    def close(self) -> None:
        self.arena.close()


def _undisturbed(arm: Arm, workload: Workload, visit: _Visit) -> Visited:
    """A visit of one long batch has no faster one to fall back on: where it lost its core, the best of three counts."""
    visited = checked_visit(arm, workload, visit.calls, visit.batches)
    for _ in range(2 if visit.batches == 1 else 0):
        if not visited.disturbed:
            break
        again = checked_visit(arm, workload, visit.calls, visit.batches)
        visited = min(visited, again, key=lambda one: (one.disturbed, one.call_s))
    return visited


def checked_visit(arm: Arm, workload: Workload, calls: int = 1, batches: int = 1) -> Visited:
    """One visit; every output of it is checked, and poisoned again for the next."""
    ticks = [arm.visit(workload, batch * calls, calls) for batch in range(batches)]
    arm.arena.poison(workload.output)
    mismatch = workload.check(0, batches * calls)
    if mismatch:
        raise Fault(Status.WRONG, mismatch)
    quiet = [tick.seconds for tick in ticks if not tick.disturbed]
    return Visited(min(quiet or [tick.seconds for tick in ticks]) / calls, not quiet)


def check_stateless(arm: Arm) -> None:
    """Fault where anything outlives the calls: in the process, or in outputs of other cases."""
    arm.check_untouched()
    if not arm.arena.is_poisoned:
        raise Fault(Status.FORBIDDEN, "wrote to the outputs of another case")


def _ratio(candidate_s: Sequence[float], rival_s: Sequence[float]) -> float:
    """The middle of the quads' mean log-ratios; two visits of each arm make a quad."""
    logs = [math.log(c / r) for c, r in zip(candidate_s, rival_s, strict=True)]
    return statistics.median(statistics.fmean(logs[i : i + 2]) for i in range(0, len(logs), 2))


@dataclass(frozen=True, slots=True)
class Probe:
    """Roughly how long one call takes, case by case, and how long a batch must last to drown the handshake."""

    call_s: Mapping[str, float]
    batch_s: float


def probe(experiment: Experiment, artifact: Artifact, rng: np.random.Generator, stop: Stop) -> Probe:
    """A first look at an artifact: enough to choose how many calls make a batch."""
    arena = Arena()
    workloads = [lay_out(experiment, case, rng, 1, Placement.LEFT, arena) for case in experiment.evaluation.cases]
    arena.open()
    try:
        with alone() as cpu, Arm(experiment, artifact, arena, 0, cpu, stop) as arm:
            handshake_s = statistics.median(arm.visit(workloads[0], 0, 0).seconds for _ in range(_EMPTY_VISITS))
            call_s = {w.case.name: min(checked_visit(arm, w).call_s for _ in range(3)) for w in workloads}
    finally:
        arena.close()
    return Probe(call_s, max(BATCH_S, handshake_s / _HANDSHAKE_SHARE))


@contextmanager
def alone() -> Iterator[int]:
    """Keep judge and runner on different cores while it lasts; yields the runner's, or -1 where there is only one."""
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        yield -1
        return
    *others, cpu = sorted(allowed)
    os.sched_setaffinity(0, others)
    try:
        yield cpu
    finally:
        os.sched_setaffinity(0, allowed)

"""Blocks of interleaved visits: artifacts -> log-ratios of times, case by case.

Measures and checks every timed output; what the numbers mean is for stats.py and verdict.py.
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge import toolchain
from harness.judge.clock import Interrupted, Stop
from harness.judge.fault import Fault
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.native import Arm
from harness.judge.quiet import alone
from harness.judge.toolchain import Artifact
from harness.records import Status

CANDIDATE, RIVAL, SEED = "candidate", "rival", "seed"
BATCH_S = 0.4e-3  # at least; longer where the handshake would be more than its share of it
_HANDSHAKE_SHARE = 0.01
_EMPTY_VISITS = 25
_LONG_BATCH_S = 4e-3  # from here on one batch is a whole visit, and needs no warming
_MOST_CALLS = 1024
_FAR_APART = math.log(1.5)  # beyond this a look tells a case's ratio well enough


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a case is timed in one block: so many visits of each arm, of so many batches each. A batch of the
    candidate has as many calls as one of the rival's, but where it is far from it and takes about `candidate_s`."""

    visits: int
    batches: int
    candidate_s: float | None = None


LOOK, FULL, FAR = Effort(1, 2), Effort(4, 6), Effort(2, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One round of fresh processes: seconds per call by arm and case, and each case's log(candidate / rival): of the
    best batches in `ratios`, of the middle ones in `usual`."""

    seconds: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, float]
    usual: Mapping[str, float]

    @property
    def overall(self) -> float:
        return statistics.fmean(self.ratios.values())

    def log_ratio(self, arm: str, case: str) -> float:
        return math.log(self.seconds[CANDIDATE][case] / self.seconds[arm][case])

    def efforts(self) -> Mapping[str, Effort]:
        """How much effort each case deserves in the blocks to come, where this one was a look."""
        candidate_s = self.seconds[CANDIDATE]
        return {
            case: replace(FAR, candidate_s=candidate_s[case]) if abs(ratio) > _FAR_APART else FULL
            for case, ratio in self.ratios.items()
        }


@dataclass(frozen=True, slots=True)
class _Visit:
    """So many batches of so many calls."""

    calls: int
    batches: int
    is_long: bool

    @classmethod
    def of(cls, call_s: float, batch_s: float, batches: int) -> "_Visit":
        calls = min(_MOST_CALLS, max(1, math.ceil(batch_s / call_s)))
        is_long = call_s * calls > _LONG_BATCH_S
        return cls(calls, 1 if is_long else batches, is_long)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one case is visited: so many times, and by each arm in its own way."""

    workload: Workload
    visits: int
    by_arm: Mapping[str, _Visit]


Timed: TypeAlias = tuple[bool, float]  # whether judge or runner lost its core meanwhile; seconds per call


@dataclass(frozen=True, slots=True)
class Probe:
    """Roughly how long one call takes, case by case, and how long a batch must last to drown the handshake."""

    call_s: Mapping[str, float]
    batch_s: float


Probes: TypeAlias = tuple[Probe, Probe]  # the rival's and the seed's


class Bench:
    """The timed cases of one phase, laid out once with contents of its own; every block runs in fresh processes."""

    def __init__(
        self,
        experiment: Experiment,
        efforts: Mapping[str, Effort],
        probes: Probes,
        rng: np.random.Generator,
        stop: Stop,
    ) -> None:
        """`efforts` names the cases."""
        self.experiment, self.rng, self.stop = experiment, rng, stop
        self.arena = Arena()
        cases = (case for case in experiment.evaluation.cases if case.name in efforts)
        self.plans = {case.name: self._plan(case, efforts[case.name], probes) for case in cases}
        self.arena.open()

    def _plan(self, case: Case, effort: Effort, probes: Probes) -> _Plan:
        batch_s = max(one.batch_s for one in probes)
        rival_s, seed_s = (one.call_s[case.name] for one in probes)
        call_s = {CANDIDATE: effort.candidate_s or rival_s, RIVAL: rival_s, SEED: seed_s}
        by_arm = {arm: _Visit.of(seconds, batch_s, effort.batches) for arm, seconds in call_s.items()}
        calls = max(one.calls * one.batches for one in by_arm.values())
        workload = lay_out(self.experiment, case, self.rng, calls, Placement.FREE, self.arena)
        return _Plan(workload, effort.visits, by_arm)

    def block(self, artifacts: Mapping[str, Artifact]) -> Block:
        """One block of the arms given: candidate and rival take turns by the judge's coin; the seed has one visit."""
        seconds: dict[str, dict[str, float]] = {name: {} for name in artifacts}
        ratios, usual = {}, {}
        with ExitStack() as stack, alone(self.stop) as cpu:
            for plan in self.plans.values():
                plan.workload.move(self.arena, self.rng)
            # Places and order by the coin, too: what differs between two arms of the same code then has no side.
            arms = {
                name: stack.enter_context(
                    Arm(self.experiment, self._moved(artifacts[name]), self.arena, slot, cpu, self.stop)
                )
                for slot, name in enumerate(self._shuffled(artifacts))
            }
            names = self._shuffled(self.plans)
            for name in names:
                timed = self._timed(arms, self.plans[name])
                for arm, batches in timed.items():
                    seconds[arm][name] = min(batches)[1]
                ratios[name] = math.log(seconds[CANDIDATE][name] / seconds[RIVAL][name])
                usual[name] = math.log(_middle(timed[CANDIDATE]) / _middle(timed[RIVAL]))
        return Block(seconds=seconds, ratios=ratios, usual=usual)

    def _moved(self, artifact: Artifact) -> Artifact:
        """The artifact at another place in memory, so that the luck of where code lies is averaged and not kept."""
        experiment, place = self.experiment, int(self.rng.integers(toolchain.TEXT_PLACES))
        moved = toolchain.relink(artifact, experiment.flags, place, experiment.limits.build_timeout_s, self.stop)
        if self.stop:
            raise Interrupted
        if isinstance(moved, toolchain.Diagnostics):
            raise JudgeError(f"an artifact cannot be linked again: {moved.first_error}", "see that /tmp has room.")
        return moved

    def _timed(self, arms: Mapping[str, Arm], plan: _Plan) -> Mapping[str, list[Timed]]:
        """Every batch of each arm. The fastest of those that nothing disturbed will count, by the kernel's counters
        and not by their time: noise only ever adds, so of many interleaved batches the fastest tell least of it."""
        for name in self._shuffled(arms):  # warms caches and page tables; not counted
            if not plan.by_arm[name].is_long:
                self._visit(name, arms[name], plan.workload, replace(plan.by_arm[name], batches=1))
        timed: dict[str, list[Timed]] = {name: [] for name in arms}
        for name in (*self._turns(plan.visits), *((SEED,) if SEED in arms else ())):
            timed[name] += self._visit(name, arms[name], plan.workload, plan.by_arm[name])
        return timed

    def _shuffled(self, names: Iterable[str]) -> list[str]:
        shuffled = list(names)
        self.rng.shuffle(shuffled)
        return shuffled

    def _turns(self, visits: int) -> Iterator[str]:
        """The order of candidate and rival: quads ABBA or BAAB by the judge's coin."""
        for turn in range(visits):
            if turn % 2 == 0:
                pair = (CANDIDATE, RIVAL) if self.rng.integers(2) else (RIVAL, CANDIDATE)
            yield from pair if turn % 2 == 0 else pair[::-1]

    def _visit(self, name: str, arm: Arm, workload: Workload, visit: _Visit) -> list[Timed]:
        if self.stop:
            raise Interrupted
        try:
            timed = checked_visit(arm, workload, visit.calls, visit.batches)
            # After every visit: the next ones bring the same contents, and a look at the end could be foreseen. Of
            # every arm alike: the look leaves the caches cold for whoever comes next.
            check_stateless(arm)
            return timed
        except Fault as fault:
            if name == CANDIDATE:
                raise
            raise JudgeError(
                f"the {name} failed in a timed visit: {fault.reason}.",
                "its code or eval.py's bound does not hold; `judge --file` shows it alone.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.arena.close()


def checked_visit(arm: Arm, workload: Workload, calls: int = 1, batches: int = 1) -> list[Timed]:
    """One visit, batch by batch; every output of it is checked, and poisoned again for the next."""
    ticks = [arm.visit(workload, batch * calls, calls) for batch in range(batches)]
    arm.arena.poison(workload.output)
    mismatch = workload.check(0, batches * calls)
    if mismatch:
        raise Fault(Status.WRONG, mismatch)
    return [(tick.disturbed, tick.seconds / calls) for tick in ticks]


def _middle(timed: Sequence[Timed]) -> float:
    return statistics.median(seconds for _, seconds in timed)


def check_stateless(arm: Arm) -> None:
    """Fault where anything outlives the calls: in the process, or in outputs of other cases."""
    arm.check_untouched()
    if not arm.arena.is_poisoned:
        raise Fault(Status.FORBIDDEN, "wrote to the outputs of another case")


def probe(experiment: Experiment, artifact: Artifact, rng: np.random.Generator, stop: Stop) -> Probe:
    """A first look at an artifact: enough to choose how many calls make a batch."""
    arena = Arena()
    workloads = [lay_out(experiment, case, rng, 1, Placement.LEFT, arena) for case in experiment.evaluation.cases]
    arena.open()
    try:
        with alone(stop) as cpu, Arm(experiment, artifact, arena, 0, cpu, stop) as arm:
            handshake_s = statistics.median(arm.visit(workloads[0], 0, 0).seconds for _ in range(_EMPTY_VISITS))
            call_s = {w.case.name: min(min(checked_visit(arm, w))[1] for _ in range(3)) for w in workloads}
    finally:
        arena.close()
    return Probe(call_s, max(BATCH_S, handshake_s / _HANDSHAKE_SHARE))

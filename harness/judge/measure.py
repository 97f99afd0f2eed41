"""Blocks of interleaved visits: artifacts -> log-ratios of times, case by case.

Measures and checks every timed output; what the numbers mean is for stats.py and verdict.py.
"""

import math
import statistics
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge.answers import work_of
from harness.judge.arm import Arm
from harness.judge.clock import Interrupted, Stop
from harness.judge.fault import Fault
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.kinds import Kind
from harness.judge.quiet import alone
from harness.judge.toolchain import Artifact
from harness.records import Status

CANDIDATE, RIVAL, SEED = "candidate", "rival", "seed"
BATCH_S = 0.5e-3  # at least; longer where the handshake would be more than its share of it, up to
_LONGEST_BATCH_S = 20e-3  # beyond it the machine is busy, and longer batches would be no quieter
_HANDSHAKE_SHARE = 0.01
_EMPTY_VISITS = 25
_LONG_BATCH_S = 4e-3  # from here on one batch is a whole visit, and needs no warming
_LONG_VISITS, _LONG_VISITS_S = 4, 0.1  # of those as many as this time allows, and at least so many
_MOST_CALLS = 1024
_MOST_BYTES = 4e9  # of arrays for one case, as its work() counts them: each call has its own, and exact answers besides
_LEAST_S = 1e-8  # of a call, where the handshake hides it
_FAR_APART = math.log(1.5)  # beyond this fewer batches tell a case's ratio well enough
_SPARE_BATCHES = 2  # laid out besides, so that a visit cannot be told from the one before
_AUDITS = 8  # one batch in so many is followed by a look at everything, and never the same ones


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a case is timed in one block: so many visits of each arm, of so many batches each, a call taking
    about so many seconds by arm."""

    visits: int
    batches: int
    call_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One round of fresh processes: seconds per call by arm and case, and each case's log(candidate / rival): by the
    best batch of a visit in `ratios`, by the whole visit in `usual`. `vs_seed` is log(candidate / seed), where the seed
    ran."""

    seconds: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, float]
    usual: Mapping[str, float]
    vs_seed: Mapping[str, float] = field(default_factory=dict)

    @property
    def overall(self) -> float:
        return statistics.fmean(self.ratios.values())

    def efforts(self) -> Mapping[str, Effort]:
        """How much effort each case deserves in the blocks to come, where this one was a look. Both arms get the same
        calls, whatever a look found: a look that was disturbed would else put a bias into every block."""
        efforts = {}
        for case, ratio in self.ratios.items():
            call_s = {arm: by_case[case] for arm, by_case in self.seconds.items()}
            is_far = abs(ratio) > _FAR_APART
            shared_s = min(call_s[CANDIDATE], call_s[RIVAL]) if is_far else call_s[RIVAL]
            both = call_s | {CANDIDATE: shared_s, RIVAL: shared_s}
            efforts[case] = Effort(3 if is_far else 12, 2, both)
        return efforts


def look(cases: Iterable[str], rival: "Probe", seed: "Probe") -> Mapping[str, Effort]:
    """The effort of a first look, before anything is known of the candidate."""
    return {
        case: Effort(1, 2, {CANDIDATE: rival.call_s[case], RIVAL: rival.call_s[case], SEED: seed.call_s[case]})
        for case in cases
    }


@dataclass(frozen=True, slots=True)
class _Visit:
    """So many batches of so many calls. `most_visits`: of them in a block, where they are long."""

    calls: int
    batches: int
    is_long: bool
    most_visits: int

    @classmethod
    def of(cls, call_s: float, batch_s: float, batches: int, call_bytes: float) -> "_Visit":
        most = min(_MOST_CALLS, int(_MOST_BYTES / max(call_bytes, 1.0) / (batches + _SPARE_BATCHES)))
        calls = max(1, min(most, math.ceil(batch_s / call_s)))
        is_long = call_s * calls > _LONG_BATCH_S
        most_visits = max(_LONG_VISITS, int(_LONG_VISITS_S / (call_s * calls)))
        return cls(calls, 1 if is_long else batches, is_long, most_visits)


@dataclass(frozen=True, slots=True)
class Plan:
    """How one case is visited: so many times by each arm, in its own way."""

    workload: Workload
    visits: int
    by_arm: Mapping[str, _Visit]


Timed: TypeAlias = tuple[bool, float]  # whether judge or runner lost its core meanwhile; seconds per call


@dataclass(frozen=True, slots=True)
class Probe:
    """Roughly how long one call takes, case by case, and how long a batch must last to drown the handshake."""

    call_s: Mapping[str, float]
    batch_s: float


class Bench:
    """The timed cases of one phase, laid out once with contents of its own; every block runs in fresh processes."""

    def __init__(
        self,
        experiment: Experiment,
        kind: Kind,
        efforts: Mapping[str, Effort],
        batch_s: float,
        rng: np.random.Generator,
        stop: Stop,
    ) -> None:
        """`efforts` names the cases."""
        self.experiment, self.kind, self.rng, self.stop = experiment, kind, rng, stop
        self.arena = Arena()
        cases = (case for case in experiment.evaluation.cases if case.name in efforts)
        self.plans = {case.name: self._plan(case, efforts[case.name], batch_s) for case in cases}
        self.arena.open()

    def _plan(self, case: Case, effort: Effort, batch_s: float) -> Plan:
        call_bytes = work_of(self.experiment, case)["bytes"]
        by_arm = {
            arm: _Visit.of(seconds, batch_s, effort.batches, call_bytes) for arm, seconds in effort.call_s.items()
        }
        calls = max(one.calls * (one.batches + _SPARE_BATCHES) for one in by_arm.values())
        workload = lay_out(self.experiment, case, self.rng, calls, Placement.FREE, self.arena)
        return Plan(workload, min(effort.visits, by_arm[RIVAL].most_visits), by_arm)

    def block(self, artifacts: Mapping[str, Artifact], cases: Collection[str] = ()) -> Block:
        """One block of the arms and cases given, or of all cases: candidate and rival take turns by the judge's coin,
        the seed comes in before and behind them."""
        seconds: dict[str, dict[str, float]] = {name: {} for name in artifacts}
        ratios, usual, vs_seed = {}, {}, {}
        moved = {name: self.kind.moved(one, self.rng, self.stop) for name, one in artifacts.items()}
        with ExitStack() as stack, alone(self.stop) as cpu:
            for plan in self.plans.values():  # those that are not timed too: where things lie tells nothing
                plan.workload.move(self.arena, self.rng)
            # Places and order by the coin, too: what differs between two arms of the same code then has no side.
            arms = {
                name: stack.enter_context(self.kind.arm(moved[name], self.arena, slot, cpu, self.stop))
                for slot, name in enumerate(self._shuffled(artifacts))
            }
            for name in self._shuffled(cases or self.plans):
                timed = self.timed(arms, self.plans[name])
                for arm, visits in timed.items():
                    seconds[arm][name] = _best(visits)
                ours, theirs = timed[CANDIDATE], timed[RIVAL]
                ratios[name] = log_ratio(zip(map(min, ours), map(min, theirs), strict=True))
                usual[name] = log_ratio(zip(map(_mean, ours), map(_mean, theirs), strict=True))
                if SEED in arms:
                    vs_seed[name] = ratio_to_seed(ours, timed[SEED])
        return Block(seconds=seconds, ratios=ratios, usual=usual, vs_seed=vs_seed)

    def timed(self, arms: Mapping[str, Arm], plan: Plan) -> Mapping[str, list[list[Timed]]]:
        """Every visit of each arm, batch by batch. Candidate and rival make theirs two and two next to each other, so
        that what neighbours do to one they do to the other."""
        for name in self._shuffled(arms):  # warms caches and page tables; not counted
            if not plan.by_arm[name].is_long:
                self._visit(name, arms[name], plan, batches=1)
        timed: dict[str, list[list[Timed]]] = {name: [] for name in arms}
        for name in self._turns(plan.visits, with_seed=SEED in arms):
            timed[name].append(self._visit(name, arms[name], plan))
        return timed

    def _shuffled(self, names: Iterable[str]) -> list[str]:
        shuffled = list(names)
        self.rng.shuffle(shuffled)
        return shuffled

    def _turns(self, visits: int, *, with_seed: bool) -> list[str]:
        """The order of candidate and rival: quads ABBA or BAAB by the judge's coin; the seed before and behind them, or
        on one side of a single pair."""
        turns: list[str] = []
        for turn in range(visits):
            pair = turns[-1:-3:-1] if turn % 2 else self._shuffled((CANDIDATE, RIVAL))
            turns += pair
        if with_seed and (visits > 1 or self.rng.integers(2)):
            turns.insert(0, SEED)
        return turns if not with_seed or (visits == 1 and turns[0] == SEED) else [*turns, SEED]

    def _visit(self, name: str, arm: Arm, plan: Plan, batches: int = 0) -> list[Timed]:
        if self.stop:
            raise Interrupted
        visit = plan.by_arm[name]
        order = self.rng.permutation(plan.workload.calls // visit.calls)[: batches or visit.batches].tolist()
        timed: list[Timed] = []
        try:
            for batch in order:
                tick = arm.visit(plan.workload, batch * visit.calls, visit.calls)
                timed.append((tick.disturbed, tick.seconds / visit.calls))
                # What is left for later batches, in outputs or anywhere else, is found at some of them, and at the end
                # of every visit. Of every arm alike: a look leaves the caches cold for whoever comes next.
                if len(timed) == len(order) or not self.rng.integers(_AUDITS):
                    _audit(arm, plan.workload, order[: len(timed)], visit.calls)
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
    """One visit of a workload's first batches; every output of it is checked, and poisoned again for the next."""
    ticks = [arm.visit(workload, batch * calls, calls) for batch in range(batches)]
    arm.arena.poison(workload.output)
    mismatch = workload.check(0, batches * calls)
    if mismatch:
        raise Fault(Status.WRONG, mismatch)
    return [(tick.disturbed, tick.seconds / calls) for tick in ticks]


def _audit(arm: Arm, workload: Workload, batches: Sequence[int], calls: int) -> None:
    """The outputs of these batches as they were at "done"; and nothing anywhere that was not asked for."""
    for batch in batches:
        workload.poison(arm.arena, batch * calls, calls)
        mismatch = workload.check(batch * calls, calls)
        if mismatch:
            raise Fault(Status.WRONG, mismatch)
    check_stateless(arm)


def _best(visits: Iterable[Sequence[Timed]]) -> float:
    return min(batch for visit in visits for batch in visit)[1]


def _mean(visit: Sequence[Timed]) -> Timed:
    return any(disturbed for disturbed, _ in visit), statistics.fmean(seconds for _, seconds in visit)


def log_ratio(pairs: Iterable[tuple[Timed, Timed]]) -> float:
    """log(ours / theirs), the middle one of pairs timed next to each other. Those in which an arm lost its core, by the
    kernel's counters and not by their time, count only where there are no others."""
    logs = [(ours[0] or theirs[0], math.log(ours[1] / theirs[1])) for ours, theirs in pairs]
    return statistics.median([ratio for disturbed, ratio in logs if not disturbed] or [ratio for _, ratio in logs])


def ratio_to_seed(ours: Sequence[Sequence[Timed]], seeds: Sequence[Sequence[Timed]]) -> float:
    """log(candidate / seed) by the candidate's outer visits, next to which the seed's are; by as many batches of
    either, the last ones: a slow seed's visit is one long batch, and the faster of two would be luckier than that."""
    outer = ours[:: max(1, len(ours) - 1)]
    return log_ratio((min(one[-len(seed) :]), min(seed[-len(one) :])) for one, seed in zip(outer, seeds, strict=True))


def check_stateless(arm: Arm) -> None:
    """Fault where anything outlives the calls: in the process, or in outputs of other cases."""
    arm.check_untouched()
    if not arm.arena.is_poisoned:
        raise Fault(Status.FORBIDDEN, "wrote to outputs that were not asked for")


def probe(experiment: Experiment, kind: Kind, artifact: Artifact, rng: np.random.Generator, stop: Stop) -> Probe:
    """A first look at an artifact: enough to choose how many calls make a batch."""
    arena = Arena()
    workloads = [lay_out(experiment, case, rng, 1, Placement.LEFT, arena) for case in experiment.evaluation.cases]
    arena.open()
    try:
        with alone(stop) as cpu, kind.arm(artifact, arena, 0, cpu, stop) as arm:
            handshake_s = statistics.median(arm.visit(workloads[0], 0, 0).seconds for _ in range(_EMPTY_VISITS))
            single_s = {w.case.name: min(min(checked_visit(arm, w))[1] for _ in range(3)) for w in workloads}
    finally:
        arena.close()
    call_s = {name: max(seconds - handshake_s, _LEAST_S) for name, seconds in single_s.items()}
    return Probe(call_s, min(max(BATCH_S, handshake_s / _HANDSHAKE_SHARE), _LONGEST_BATCH_S))

"""Blocks of interleaved visits: artifacts -> log-ratios of times, case by case.

Measures and checks every timed output; what the numbers mean is for stats.py and verdict.py.
"""

import math
import statistics
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import NamedTuple, Self

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
VISIT_S = 0.5e-3  # at least; longer where the handshake would be more than its share of it, up to
_LONGEST_VISIT_S = 20e-3  # beyond it the machine is busy, and longer visits would be no quieter
_HANDSHAKE_SHARE = 0.01
_EMPTY_VISITS = 25
VISITS = 16  # of each arm to a case, in a block
_FAR_VISITS, _LOOK_VISITS = 4, 2
LOOKS_NOISE = math.sqrt(VISITS / _LOOK_VISITS)  # times a block's
_FAR_APART = math.log(1.5)  # beyond this fewer visits tell a case's ratio well enough
_MOST_APART = 100  # in time, up to which both arms get calls by the faster one
_LONG_VISIT_S = 4e-3  # from here on a visit needs no warming
_LONG_VISITS, _LONG_VISITS_S = 4, 0.1  # of those as many as this time allows, and at least so many
_RENEWED_S = 5.0  # likewise of those whose contents are made anew, and take longer than the calls
_MOST_CALLS = 1024
_MOST_BYTES = 4e9  # of arrays for one case, as its work() counts them: each call has its own, and exact answers besides
_LAID_OUT = 4  # visits' contents at most, of which each draws one: it cannot be told from the one before
_LEAST_CALLS = 8  # laid out, where a visit is a call: more than one input has a say
_LEAST_S = 1e-8  # of a call, where the handshake hides it


@dataclass(frozen=True, slots=True)
class Effort:
    """How thoroughly a case is timed in one block: so many visits of each arm, a call taking about so many seconds by
    arm."""

    visits: int
    call_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One round of fresh processes: seconds per call by arm and case, and each case's log(candidate / rival): the
    middle one of its pairs of visits in `ratios`, their mean in `means`. `vs_seed` is log(candidate / seed), where the
    seed ran."""

    seconds: Mapping[str, Mapping[str, float]]
    ratios: Mapping[str, float]
    means: Mapping[str, float]
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
            faster_s, slower_s = sorted((call_s[CANDIDATE], call_s[RIVAL]))
            is_far = abs(ratio) > _FAR_APART
            shared_s = max(faster_s, slower_s / _MOST_APART) if is_far else call_s[RIVAL]
            both = call_s | {CANDIDATE: shared_s, RIVAL: shared_s}
            efforts[case] = Effort(_FAR_VISITS if is_far else VISITS, both)
        return efforts


def look(cases: Iterable[str], rival: "Probe", seed: "Probe") -> Mapping[str, Effort]:
    """The effort of a first look, before anything is known of the candidate."""
    return {
        case: Effort(_LOOK_VISITS, {CANDIDATE: rival.call_s[case], RIVAL: rival.call_s[case], SEED: seed.call_s[case]})
        for case in cases
    }


@dataclass(frozen=True, slots=True)
class Plan:
    """How one case is visited: so many times by each arm, which makes so many calls; `warmed` are the arms that come
    once more before, not counted."""

    workload: Workload
    visits: int
    calls: Mapping[str, int]
    warmed: Collection[str]


class Timed(NamedTuple):
    """A visit: whether judge or runner lost its core meanwhile; seconds per call."""

    disturbed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Probe:
    """Roughly how long one call takes, case by case, and how long a visit must last to drown the handshake."""

    call_s: Mapping[str, float]
    visit_s: float


class Bench:
    """The timed cases of one phase, laid out once with contents of its own; every block runs in fresh processes."""

    def __init__(
        self,
        experiment: Experiment,
        kind: Kind,
        efforts: Mapping[str, Effort],
        visit_s: float,
        rng: np.random.Generator,
        stop: Stop,
    ) -> None:
        """`efforts` names the cases."""
        self.experiment, self.kind, self.rng, self.stop = experiment, kind, rng, stop
        self.arena = Arena()
        cases = (case for case in experiment.evaluation.cases if case.name in efforts)
        self.plans = {case.name: self._plan(case, efforts[case.name], visit_s) for case in cases}
        self.arena.open()

    def _plan(self, case: Case, effort: Effort, visit_s: float) -> Plan:
        most_calls = _MOST_BYTES / max(1.0, work_of(self.experiment, case)["bytes"])
        most = max(1, min(_MOST_CALLS, int(most_calls / _LAID_OUT)))
        calls = {arm: min(most, math.ceil(visit_s / call_s)) for arm, call_s in effort.call_s.items()}
        least = max(1, min(_LEAST_CALLS, int(most_calls)))
        laid_out, began_s = max(least, min(_LAID_OUT, effort.visits) * max(calls.values())), time.perf_counter()
        workload = lay_out(self.experiment, case, self.rng, laid_out, Placement.FREE, self.arena)
        renewed_s = calls[RIVAL] * (time.perf_counter() - began_s) / laid_out if self.kind.renews else 0.0
        lasts_s = {arm: calls[arm] * call_s for arm, call_s in effort.call_s.items()}
        fitting = min(_LONG_VISITS_S / lasts_s[RIVAL], _RENEWED_S / renewed_s if renewed_s else math.inf)
        visits = min(effort.visits, max(_LONG_VISITS, int(fitting)))
        return Plan(workload, visits, calls, [arm for arm, seconds in lasts_s.items() if seconds <= _LONG_VISIT_S])

    def block(self, artifacts: Mapping[str, Artifact], cases: Collection[str] = ()) -> Block:
        """One block of the arms and cases given, or of all cases: candidate and rival take turns by the judge's coin,
        the seed comes in before and behind them."""
        seconds: dict[str, dict[str, float]] = {name: {} for name in artifacts}
        ratios, means, vs_seed = {}, {}, {}
        luck = self.rng.random()  # the same place for all: much of what a place costs is then no difference
        with ThreadPoolExecutor() as linkers:
            links = linkers.map(lambda one: self.kind.moved(one, luck, self.stop), artifacts.values())
            moved = dict(zip(artifacts, links, strict=True))
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
                    seconds[arm][name] = statistics.median(one.seconds for one in visits)
                logs = list(map(log_ratio, timed[CANDIDATE], timed[RIVAL]))
                ratios[name] = middle(logs)
                means[name] = statistics.fmean(ratio for _, ratio in logs)
                if SEED in arms:
                    vs_seed[name] = ratio_to_seed(timed[CANDIDATE], timed[SEED])
        return Block(seconds=seconds, ratios=ratios, means=means, vs_seed=vs_seed)

    def timed(self, arms: Mapping[str, Arm], plan: Plan) -> Mapping[str, list[Timed]]:
        """Every visit of each arm. Candidate and rival make theirs two and two next to each other, so that what
        neighbours do to one they do to the other."""
        for name in self._shuffled(arms):  # caches and page tables; not counted
            if name in plan.warmed:
                self._visit(name, arms[name], plan)
        timed: dict[str, list[Timed]] = {name: [] for name in arms}
        for name in turns(plan.visits, self.rng, with_seed=SEED in arms):
            timed[name].append(self._visit(name, arms[name], plan))
        return timed

    def _shuffled(self, names: Iterable[str]) -> list[str]:
        shuffled = list(names)
        self.rng.shuffle(shuffled)
        return shuffled

    def _visit(self, name: str, arm: Arm, plan: Plan) -> Timed:
        if self.stop:
            raise Interrupted
        workload, calls = plan.workload, plan.calls[name]
        start = calls * int(self.rng.integers(workload.calls // calls))
        try:
            tick = arm.visit(workload, start, calls)
            workload.poison(arm.arena, start, calls)
            mismatch = workload.check(start, calls)
            if mismatch:
                raise Fault(Status.WRONG, mismatch)
            check_stateless(arm)
            return Timed(tick.disturbed, tick.seconds / calls)
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


def turns(visits: int, rng: np.random.Generator, *, with_seed: bool) -> list[str]:
    """The order of candidate and rival: quads ABBA or BAAB by the judge's coin; the seed before and behind them."""
    made: list[str] = []
    for turn in range(visits):
        first = [CANDIDATE, RIVAL] if rng.integers(2) else [RIVAL, CANDIDATE]
        made += made[-1:-3:-1] if turn % 2 else first
    return [SEED, *made, SEED] if with_seed else made


def checked_visit(arm: Arm, workload: Workload, calls: int = 1, visits: int = 1) -> list[Timed]:
    """Visits to a workload's first calls; every output of them is checked, and poisoned again for the next."""
    ticks = [arm.visit(workload, visit * calls, calls) for visit in range(visits)]
    arm.arena.poison(workload.output)
    mismatch = workload.check(0, visits * calls)
    if mismatch:
        raise Fault(Status.WRONG, mismatch)
    return [Timed(tick.disturbed, tick.seconds / calls) for tick in ticks]


def log_ratio(ours: Timed, theirs: Timed) -> tuple[bool, float]:
    """log(ours / theirs) of two visits next to each other, and whether either lost its core."""
    return ours.disturbed or theirs.disturbed, math.log(ours.seconds / theirs.seconds)


def middle(logs: Iterable[tuple[bool, float]]) -> float:
    """Pairs in which an arm lost its core, by the kernel's counters and not by their time, count only where there are
    no others."""
    logs = list(logs)
    return statistics.median([ratio for disturbed, ratio in logs if not disturbed] or [ratio for _, ratio in logs])


def ratio_to_seed(ours: Sequence[Timed], seeds: Sequence[Timed]) -> float:
    """log(candidate / seed), by the candidate's outer visits: the seed's are before and behind all others."""
    return middle(map(log_ratio, (ours[0], ours[-1]), seeds))


def check_stateless(arm: Arm) -> None:
    """Fault where anything outlives the calls: in the process, or in outputs of other cases."""
    arm.check_untouched()
    if not arm.arena.is_poisoned:
        raise Fault(Status.FORBIDDEN, "wrote to outputs that were not asked for")


def probe(experiment: Experiment, kind: Kind, artifact: Artifact, rng: np.random.Generator, stop: Stop) -> Probe:
    """A first look at an artifact: enough to choose how many calls make a visit. The handshake is asked for at several
    moments, since a loud one would stay for as long as this judge does."""
    arena = Arena()
    workloads = [lay_out(experiment, case, rng, 1, Placement.LEFT, arena) for case in experiment.evaluation.cases]
    arena.open()
    try:
        with alone(stop) as cpu, kind.arm(artifact, arena, 0, cpu, stop) as arm:
            empty_s, single_s = math.inf, {}
            for one in workloads:
                empty_s = min(empty_s, statistics.median(arm.visit(one, 0, 0).seconds for _ in range(_EMPTY_VISITS)))
                single_s[one.case.name] = min(checked_visit(arm, one)[0].seconds for _ in range(3))
    finally:
        arena.close()
    call_s = {name: max(seconds - empty_s, _LEAST_S) for name, seconds in single_s.items()}
    return Probe(call_s, min(max(VISIT_S, empty_s / _HANDSHAKE_SHARE), _LONGEST_VISIT_S))

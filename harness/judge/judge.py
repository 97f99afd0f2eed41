"""One candidate's way through the judge: gate, build, validation, measurement, re-verification; out comes a verdict.

The order is the whole of it; how each step works is the business of the module that it calls. `prepare` and `measure`
may run at once, each in a thread of its own and for one source at a time.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np

from harness.contract import CPU, Case, Experiment
from harness.errors import JudgeError, Unfit
from harness.judge import measure, remarks, roofline, stats, verdict
from harness.judge.answers import status_of, work_of
from harness.judge.checks import lay_out_checks
from harness.judge.clock import Interrupted, Stop
from harness.judge.comparison import Compared, Comparison
from harness.judge.diagnostics import Diagnostics
from harness.judge.fault import Fault, refuse
from harness.judge.inputs import Arena, Workload
from harness.judge.kinds import open_kind
from harness.judge.machine import fingerprint
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Bench, Block, Effort, Probe
from harness.judge.noise import BLOCKS, Noise, known
from harness.judge.quiet import alone, aside
from harness.judge.toolchain import Artifact, cache_folder
from harness.judge.verdict import Finding, Prepared, Rivals, Standings, against_seed, beside, refuse_impossible
from harness.records import Status, Verdict

_AMONG = 40  # winners that may be measured again in a row, each with a chance to take a title by luck
VALIDATED_WITHIN = 20  # times the limit of one visit, all those of a validation: nobody else measures meanwhile


class Judge:
    """Judges candidates of one experiment on this machine; builds and probes each rival once."""

    def __init__(
        self, experiment: Experiment, stop: Stop, *, check_artifact: bool = True, require_sandbox: bool = False
    ) -> None:
        self.experiment = experiment
        self.stop = stop
        self._check_artifact = check_artifact  # off only to show that the process alone holds, too
        self.seed = experiment.seed_path.read_text(encoding="utf-8")
        self.kind = open_kind(experiment, stop)
        self._noise: Noise | None = None
        self._ceiling: roofline.Ceiling | None = None
        self._validated_within_s = VALIDATED_WITHIN * experiment.limits.timeout_s
        self.unguarded: tuple[str, ...] = ()
        self._rng = np.random.default_rng()  # seeded by the system: nothing that a candidate could know
        self._artifacts: dict[str, Artifact] = {}
        self._probes: dict[str, Probe] = {}
        self.trusted(self.seed)
        if require_sandbox and self.unguarded:
            raise JudgeError(
                f"this kernel does not give the sandbox all it needs: no {', no '.join(self.unguarded)}.",
                "run it where Landlock and seccomp are on, or without --require-sandbox for candidates that you trust.",
            )

    def judge(self, source: str, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        """The verdict on one source. The candidate's faults are in it; only the harness's own are raised."""
        return self.measure(self.prepare(source), rivals, standings, alpha)

    def prepare(
        self, source: str, objects: Mapping[str, str] = MappingProxyType({}), *, is_thorough: bool = False
    ) -> Prepared:
        """Everything before the measurement, which needs no rival. `objects`: where code was first seen."""
        started_s = time.monotonic()
        artifact = fault = None
        try:
            with aside(self.stop):
                artifact = self._built(source)
                _refuse_known(artifact, objects)
                if self._check_artifact:
                    refuse(self.kind.look_into(artifact))
            if self.kind.is_runnable:
                self._validate(artifact, is_thorough=is_thorough)
        except Fault as found:
            fault = found.with_traceback(None)  # which holds on to whole arenas
        return Prepared(source=source, artifact=artifact, fault=fault, seconds=time.monotonic() - started_s)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        """The verdict on what was prepared, against the rivals of this moment."""
        return self._stated(prepared, lambda artifact: self._judge(prepared.source, artifact, rivals, standings, alpha))

    def remeasure(self, source: str, champion: str | None = None) -> Verdict:
        """An earlier winner once more, against the seed: `accepted` where it is faster over all cases, `specialist`
        where it is on some. Beside a champion it is `best` where it beats that one, `specialist` of the cases where it
        does. Its faults are in the verdict, as in `judge`."""
        prepared = self.prepare(source, is_thorough=True)
        return self._stated(prepared, lambda artifact: self._remeasure(artifact, champion))

    def _stated(self, prepared: Prepared, decide: Callable[[Artifact], Verdict]) -> Verdict:
        """A verdict with what it rests on: the machine, what its kernel lacks, and the time that it took."""
        started_s = time.monotonic()
        try:
            found = decide(prepared.admitted)
        except Fault as fault:
            found = fault.verdict()
        return replace(
            found,
            object_digest=prepared.object_digest,
            unguarded=self._gone_without,
            machine=fingerprint(self.experiment),
            seconds=round(prepared.seconds + time.monotonic() - started_s, 3),
        )

    @property
    def _gone_without(self) -> tuple[str, ...]:
        """What this kernel lacks of the sandbox, and the ceiling where it was asked for and could not be had."""
        lacks_ceiling = self._ceiling is roofline.UNKNOWN and self.experiment.device == CPU
        return (*self.unguarded, "ceiling") if lacks_ceiling else self.unguarded

    def _judge(self, source: str, candidate: Artifact, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        if self.kind.lacks:
            return self._untimed()
        screening = self.compare(candidate, rivals.champion, alpha)
        finding = screening.finding()
        provisional = status_of(self.experiment, finding, standings)
        found = screening.report(finding, provisional)
        if not provisional.is_winner:
            return found
        refuse_impossible(found)
        return self._verify(source, rivals, finding, standings, alpha)

    def _remeasure(self, candidate: Artifact, champion: str | None) -> Verdict:
        if self.kind.lacks:
            return self._untimed()
        again = self.compare(candidate, self.seed, stats.ALPHA, confirms=True)
        finding = again.finding()
        status, reason = against_seed(finding)
        found = again.report(finding, status)
        if status.is_winner:
            refuse_impossible(found)
        if champion is None or not status.is_winner:
            return beside(replace(found, reason=reason), None)
        duel = self.compare(candidate, champion, stats.ALPHA / _AMONG)
        finding = duel.finding()
        if finding.is_win:
            duel = self.compare(candidate, champion, stats.ALPHA, confirms=True)
            finding = duel.finding().of_both(finding)
        status = Status.BEST if finding.beats_champion else Status.SPECIALIST if finding.beats_on else status
        return beside(replace(found, reason=reason, status=status), duel.report(finding, status))

    def _untimed(self) -> Verdict:
        return Verdict(status=Status.UNMEASURED, reason=f"{self.kind.lacks}: built and checked, not timed")

    def _verify(self, source: str, rivals: Rivals, first: Finding, standings: Standings, alpha: float) -> Verdict:
        """A would-be winner once more, from the compiler on; only what is measured now is reported, and only what was
        proved both times is won."""
        candidate = self.prepare(source, is_thorough=True).admitted
        again = self.compare(candidate, rivals.champion, stats.ALPHA, confirms=True)
        finding = again.finding().of_both(first)
        won = finding.beats_on
        finding = replace(finding, beats_on=tuple(case for case in won if case not in rivals.specialists))
        status = status_of(self.experiment, finding, standings)
        if status is not Status.BEST:  # whom no specialist could stop
            held = tuple(case for case in won if self._holds(candidate, rivals, case, alpha))
            finding = replace(finding, beats_on=held)
            status = status_of(self.experiment, finding, standings)
        found = again.report(finding, status)
        if status.is_winner:
            refuse_impossible(found)
            remarks.keep(self.experiment, cache_folder(), source, candidate.remarks)
            return found
        why = verdict.unconfirmed(status_of(self.experiment, first, standings), won)
        return replace(found, reason=f"{why}: {found.reason}")

    def _holds(self, candidate: Artifact, rivals: Rivals, case_name: str, alpha: float) -> bool:
        """Whether a win over the champion on one case is also one over that case's specialist: asked for the first
        time, so at a case's share of the error rate."""
        if case_name not in rivals.specialists:
            return True
        cases = [case for case in self.experiment.evaluation.cases if case.name == case_name]
        share = alpha / len(self.experiment.evaluation.cases)
        again = self.compare(candidate, rivals.specialists[case_name], share, cases, confirms=True)
        return again.finding().beats_champion

    def compare(
        self,
        candidate: Artifact,
        rival_source: str,
        alpha: float,
        cases: Sequence[Case] = (),
        *,
        confirms: bool = False,
    ) -> Compared:
        """A quick look, and where that leaves anything open, blocks until the evidence is clear: more of them
        where this is the last word."""
        cases = cases or self.experiment.evaluation.cases
        rival, seed = self.trusted(rival_source), self.trusted(self.seed)
        if self._ceiling is None:
            is_here = self.experiment.device == CPU  # a device's own is not known
            self._ceiling = roofline.ceiling(self.stop) if is_here else roofline.UNKNOWN
        noise = self._noise = self._noise or known(self.experiment, cache_folder(), partial(self._same, rival_source))
        probes = self.probe(rival_source), self.probe(self.seed)
        visit_s = min(one.visit_s for one in probes)  # which hangs on the machine, and on how loud it was just then
        duel = {CANDIDATE: candidate, RIVAL: rival}
        trio = duel if rival is seed else duel | {SEED: seed}
        usual = noise.over([case.name for case in cases])
        with self._bench(measure.look((case.name for case in cases), *probes), visit_s) as bench:
            comparison = Comparison(
                alpha=alpha,
                look=bench.block(trio),
                look_noise=measure.LOOKS_NOISE * usual,
                seed_arm=RIVAL if rival is seed else SEED,
                overall=stats.Evidence(prior=usual),
                by_case={case.name: stats.Evidence(prior=noise.by_case[case.name]) for case in cases},
                work={case.name: work_of(self.experiment, case) for case in cases},
                ceiling=self._ceiling,
                confirms=confirms,
            )
            if comparison.is_doubtful:
                comparison.look = min(comparison.look, bench.block(trio), key=lambda look: look.overall)
        while not comparison.is_over:
            with self._bench(comparison.look.efforts(), visit_s) as bench:  # a winner has won on more than one's inputs
                for _ in range(stats.MIN_BLOCKS):
                    if not comparison.is_over:
                        comparison.add(bench.block(trio if comparison.wants_seed else duel, comparison.wanted))
        return comparison

    def _bench(self, efforts: Mapping[str, Effort], visit_s: float) -> Bench:
        return Bench(self.experiment, self.kind, efforts, visit_s, self._rng, self.stop)

    def _same(self, source: str) -> Sequence[Block]:
        """Blocks in which both arms are the same code."""
        artifact, one = self.trusted(source), self.probe(source)
        arms = {CANDIDATE: artifact, RIVAL: artifact}
        try:
            with self._bench(measure.look(one.call_s, one, one), one.visit_s) as bench:
                efforts = bench.block(arms).efforts()
            with self._bench(efforts, one.visit_s) as bench:
                return [bench.block(arms) for _ in range(BLOCKS)]
        except Fault as fault:
            raise self._unfit(source, fault) from None

    def _unfit(self, source: str, fault: Fault) -> Unfit:
        which, hint = "champion", "`verify` measures the winners again; `judge --against FILE` takes another rival."
        if source == self.seed:
            which, hint = "seed", f"nothing can be judged without it: mend {self.experiment.seed_path}."
        return Unfit(f"{self.experiment.name}: the {which} is {fault.status} here: {fault.reason}", hint)

    def _built(self, source: str) -> Artifact:
        refuse(self.kind.inspect(source, self.stop))
        built = self.kind.build(source, self.stop)
        if self.stop:
            raise Interrupted
        if isinstance(built, Diagnostics):
            raise Fault(Status.BUILD_FAILED, built.first_error, built.text)
        return built

    def trusted(self, source: str) -> Artifact:
        """A source that is trusted to work here; Unfit where it does not."""
        if source not in self._artifacts:
            try:
                built = self.prepare(source).admitted
                if not self.kind.lacks:
                    self._probes[source] = measure.probe(self.experiment, self.kind, built, self._rng, self.stop)
            except Fault as fault:
                raise self._unfit(source, fault) from None
            self._artifacts[source] = built
            remarks.keep(self.experiment, cache_folder(), source, built.remarks)
        return self._artifacts[source]

    def probe(self, source: str) -> Probe:
        """How long a trusted source's calls take, roughly."""
        self.trusted(source)
        return self._probes[source]

    def _validate(self, artifact: Artifact, *, is_thorough: bool) -> None:
        """Every check; Fault at the first miss. The code lies where it may lie when it is timed."""
        left_s = self._validated_within_s
        with ExitStack() as stack:
            with aside(self.stop):
                moved = self.kind.moved(artifact, self._rng.random(), self.stop)
                laid_out = list(lay_out_checks(self.experiment, self._rng, stack, is_thorough=is_thorough))
            for arena, workloads in laid_out:
                left_s = self._visit(moved, arena, workloads, left_s)

    def _visit(self, artifact: Artifact, arena: Arena, workloads: Sequence[Workload], left_s: float) -> float:
        """What is left of the seconds that all calls may take together."""
        with alone(self.stop) as cpu, self.kind.arm(artifact, arena, 0, cpu, self.stop) as arm:
            self.unguarded = arm.unguarded
            for workload in workloads:
                (timed,) = measure.checked_visit(arm, workload)
                left_s -= timed.seconds
                if left_s < 0:
                    raise Fault(Status.TIMED_OUT, f"all checks together took more than {self._validated_within_s:g} s")
            measure.check_stateless(arm)
        return left_s


def _refuse_known(artifact: Artifact, objects: Mapping[str, str]) -> None:
    if artifact.digest in objects:
        raise Fault(Status.DUPLICATE, f"compiles to the same code as {objects[artifact.digest]}")

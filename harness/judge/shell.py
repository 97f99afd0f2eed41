"""Judges by a metric that a command prints: the same steps and the same test as for times, on runs instead of visits.

A block is one run of each side, in an order drawn by the judge. Where every run of a source gives the same number, one
longer block decides exactly (docs/adr/0013-a-metric-that-a-command-prints.md). How a command is run is command.py's.
"""

import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge import command, roofline, stats, verdict
from harness.judge.clock import Stop
from harness.judge.comparison import Compared, Comparison
from harness.judge.fault import Fault
from harness.judge.judge import Judge
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Block
from harness.judge.toolchain import Artifact
from harness.judge.verdict import Finding, Prepared
from harness.metric import MAXIMIZE, Command
from harness.records import CaseResult, Estimate, Status, Verdict

Result = TypeVar("Result")
_LEAST_NOISE = 0.01  # of a block, before any was seen: two runs of the seed that nearly agree say little
_TRIES = 3  # of a run that does not end, and of one that fails with a source that is known to work


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """What runs that never vary have shown: the number of each arm. `seed_noise`: where the seed's own does vary."""

    command: Command
    values: Mapping[str, float]
    is_better: bool
    seed_noise: float

    def finding(self) -> Finding:
        return Finding(
            beats_champion=self.is_better,
            beats_on=(self.command.metric,) if self.is_better else (),
            beats_seed=self._vs_seed().low > 1,
            vs_champion=verdict.estimate([self.command.log_ratio(self.values[CANDIDATE], self.values[RIVAL])], 0.0),
            noise=0.0,
        )

    def report(self, finding: Finding, status: Status) -> Verdict:
        ours, seed, name = self.values[CANDIDATE], self.values.get(SEED, self.values[RIVAL]), self.command.metric
        is_same = finding.vs_champion.ratio == 1
        case = CaseResult(
            median_s=ours,
            low_s=ours,
            high_s=ours,
            seed_s=seed,
            speedup=self._vs_seed(),
            vs_champion=finding.vs_champion,
        )
        return Verdict(
            status=status,
            reason=f"the same {name} as the champion's" if is_same else _change(self.command, finding),
            speedup=case.speedup,
            vs_champion=finding.vs_champion,
            median_s=ours,
            seed_s=seed,
            cases={name: case},
            specialist_of=finding.beats_on if status is Status.SPECIALIST else (),
            noise=finding.noise,
        )

    def _vs_seed(self) -> Estimate:
        seed = self.values.get(SEED, self.values[RIVAL])
        return verdict.estimate([self.command.log_ratio(self.values[CANDIDATE], seed)], self.seed_noise)


@dataclass(kw_only=True)
class MetricComparison(Comparison):
    """One of runs that vary, without a word of time in what it says."""

    command: Command

    def report(self, finding: Finding, status: Status) -> Verdict:
        reason = _change(self.command, finding)
        if status is Status.TIE:
            within = f"(x{finding.vs_champion.low:.3f} to x{finding.vs_champion.high:.3f})"
            reason = f"no difference from the champion's {self.command.metric} that could be shown {within}"
        return replace(super().report(finding, status), reason=reason)


def _change(command: Command, finding: Finding) -> str:
    ratio = finding.vs_champion.ratio
    change = ratio if command.goal == MAXIMIZE else 1 / ratio
    return f"{command.metric} {abs(change - 1):.2%} {'higher' if change >= 1 else 'lower'} than the champion's"


class MetricJudge(Judge):
    """Judges candidates of an experiment with a command. A trusted source is given another run where one fails: a
    script that hangs now and then ends no search."""

    def __init__(self, experiment: Experiment, stop: Stop, *, require_sandbox: bool = False) -> None:
        if require_sandbox:
            raise JudgeError(
                f"{experiment.name}: its command and its candidates run with your rights, in no sandbox.",
                "run it without --require-sandbox if you trust them; docs/security.md says what is left.",
            )
        assert experiment.command is not None
        self.command = experiment.command
        self._first: dict[str, float] = {}  # the first number of each source, by digest
        self._varied: set[str] = set()  # the digests of those that gave two numbers
        self._spreads: list[float] = []  # by how much runs of trusted sources differed from the first of the same
        self._hung: Counter[str] = Counter()  # runs of each source that were run again
        self._output = ""  # of the candidate's last run that ended well
        super().__init__(experiment, stop)
        self.unguarded = ("sandbox",)
        self._run(RIVAL, self.trusted(self.seed))

    def trusted(self, source: str) -> Artifact:
        if source not in self._artifacts:
            try:
                self._artifacts[source] = self._tried(lambda: self.prepare(source).admitted)
            except Fault as fault:
                raise self._unfit(source, fault) from None
        return self._artifacts[source]

    def compare(
        self,
        candidate: Artifact,
        rival_source: str,
        alpha: float,
        cases: Sequence[Case] = (),
        *,
        confirms: bool = False,
    ) -> Compared:
        """A quick look, one exact block where nothing varies, and where that leaves anything open, pairs of runs."""
        rival, seed = self.trusted(rival_source), self.trusted(self.seed)
        duel = {CANDIDATE: candidate, RIVAL: rival}
        trio = duel if rival is seed else duel | {SEED: seed}
        look, name = self._block(trio), self.command.metric
        prior = max(_LEAST_NOISE, stats.SIGMAS * statistics.median(self._spreads))
        if not self._vary(duel):
            alpha /= 2  # one half is the exact block's, the other that of the blocks that may follow
            is_better = self._is_better(duel, look, stats.exact_runs(alpha))
            if is_better is not None:
                values = {arm: by_case[name] for arm, by_case in look.seconds.items()}
                seed_noise = prior if seed.digest in self._varied else 0.0
                return Exact(command=self.command, values=values, is_better=is_better, seed_noise=seed_noise)
        comparison = MetricComparison(
            alpha=alpha,
            look=look,
            look_noise=prior,
            seed_arm=RIVAL if rival is seed else SEED,
            overall=stats.Evidence(prior=prior),
            by_case={name: stats.Evidence(prior=prior)},
            work={name: {}},
            ceiling=roofline.UNKNOWN,
            confirms=confirms,
            command=self.command,
        )
        while not comparison.is_over:
            comparison.add(self._block(trio if comparison.wants_seed else duel))
        return comparison

    def _vary(self, sides: Mapping[str, Artifact]) -> bool:
        """Whether one of these two was ever seen to give two numbers; what others did says nothing of them."""
        return any(artifact.digest in self._varied for artifact in sides.values())

    def _is_better(self, duel: Mapping[str, Artifact], look: Block, runs: int) -> bool | None:
        """Whether the candidate is better where nothing varies; None at the first run that differs from an earlier one
        of the same source. Were the two sides alike, all runs of one agreeing on one number and all of the other on a
        worse one would be one order out of the many that the judge could have drawn."""
        if look.overall >= 0:
            return False
        order = list(duel) * runs
        self._rng.shuffle(order)
        for name in order:
            self._run(name, duel[name])
            if self._vary(duel):
                return None
        return True

    def _block(self, artifacts: Mapping[str, Artifact]) -> Block:
        """One run of each side, in an order by the coin."""
        order = list(artifacts)
        self._rng.shuffle(order)
        values = {name: self._run(name, artifacts[name]) for name in order}
        ours, case = values[CANDIDATE], self.command.metric
        ratios = {case: self.command.log_ratio(ours, values[RIVAL])}
        return Block(
            seconds={name: {case: value} for name, value in values.items()},
            ratios=ratios,
            means=ratios,
            vs_seed={case: self.command.log_ratio(ours, values[SEED])} if SEED in values else {},
        )

    def _stated(self, prepared: Prepared, decide: Callable[[Artifact], Verdict]) -> Verdict:
        """With what the candidate printed last, as a failure has it, and how often it hung."""
        self._output = ""
        found = super()._stated(prepared, decide)
        if found.status.is_failure:
            return found
        hung = self._hung[prepared.artifact.digest] if prepared.artifact else 0
        reason = f"{found.reason}; runs that hung and were run again: {hung}" if hung else found.reason
        return replace(found, detail=self._output, reason=reason)

    def _run(self, name: str, artifact: Artifact) -> float:
        """The number of one run: a fault of the candidate's is its own, another side's the judge's."""
        if name == CANDIDATE:
            ran = self._ran(artifact)
            self._output = ran.output
            return ran.value
        try:
            value = self._tried(lambda: self._ran(artifact)).value
        except Fault as fault:
            raise self._unfit(artifact.content.decode(), fault) from None
        self._spreads.append(abs(self.command.log_ratio(value, self._first[artifact.digest])))
        return value

    def _ran(self, artifact: Artifact) -> command.Ran:
        ran = self._ended(artifact)
        if self._first.setdefault(artifact.digest, ran.value) != ran.value:
            self._varied.add(artifact.digest)
        return ran

    def _ended(self, artifact: Artifact) -> command.Ran:
        """One run that ends. A script may hang now and then; whoever's run it is, it meets the same patience."""
        for _ in range(_TRIES):
            try:
                return command.run(self.experiment, self.command, artifact.content.decode(), self.stop)
            except Fault as fault:
                if fault.status is not Status.TIMED_OUT:
                    raise
                self._hung[artifact.digest] += 1
                reason, detail = fault.reason, fault.detail
        raise Fault(Status.TIMED_OUT, f"{reason}, {_TRIES} times in a row", detail)

    def _validate(self, artifact: Artifact, *, is_thorough: bool) -> None:
        """One run that ends well; right or wrong is the command's to say."""
        self._ran(artifact)

    def _tried(self, step: Callable[[], Result]) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return step()
            except Fault as fault:
                if fault.status is not Status.CRASHED:
                    raise
        return step()

    def _remeasure(self, candidate: Artifact, champion: str | None) -> Verdict:
        found = super()._remeasure(candidate, champion)
        return replace(found, reason=found.reason.replace("faster", "better").replace("slower", "worse"))

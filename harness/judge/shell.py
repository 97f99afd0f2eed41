"""Judges by a metric that a command prints: the same steps and the same test as for times, on runs instead of visits.

A block is one run of each side, in an order drawn by the judge. Where every run of a source gives the same number, one
longer block decides exactly (docs/adr/0013-a-metric-that-a-command-prints.md). How a command is run is command.py's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.contract import Case, Experiment
from harness.errors import JudgeError
from harness.judge import command, roofline, stats
from harness.judge.clock import Stop
from harness.judge.comparison import Comparison
from harness.judge.fault import Fault
from harness.judge.judge import Judge
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Block
from harness.judge.toolchain import Artifact
from harness.judge.verdict import Finding, Prepared
from harness.metric import MAXIMIZE, Command
from harness.records import Status, Verdict

Result = TypeVar("Result")
_LEAST_NOISE = 0.01  # of a block, before any was seen: two runs of the seed that nearly agree say little
_TRIES = 3  # of a source that is known to work


@dataclass(kw_only=True)
class MetricComparison(Comparison):
    """`is_better` is what runs that never vary have shown; None where they do vary, and the blocks tell."""

    command: Command
    is_better: bool | None = None

    @property
    def beats_champion(self) -> bool:
        return super().beats_champion if self.is_better is None else self.is_better

    @property
    def beats_on(self) -> tuple[str, ...]:
        return (self.command.metric,) if self.beats_champion else ()

    @property
    def is_over(self) -> bool:
        return self.is_better is not None or super().is_over

    def report(self, finding: Finding, status: Status) -> Verdict:
        return replace(super().report(finding, status), reason=self._headline(finding, status))

    def _headline(self, finding: Finding, status: Status) -> str:
        """verdict.headline, without a word of time."""
        ratio, name = finding.vs_champion.ratio, self.command.metric
        change = ratio if self.command.goal == MAXIMIZE else 1 / ratio
        if self.is_better is False and ratio == 1:
            return f"the same {name} as the champion's"
        if status is Status.TIE and self.is_better is None:
            within = f"(x{finding.vs_champion.low:.3f} to x{finding.vs_champion.high:.3f})"
            return f"no difference from the champion's {name} that could be shown {within}"
        return f"{name} {abs(change - 1):.2%} {'higher' if change >= 1 else 'lower'} than the champion's"


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
        self._varies = False
        self._output = ""  # of the candidate's last run that ended well
        super().__init__(experiment, stop)
        self.unguarded = ("sandbox",)
        seed = self.trusted(self.seed)
        again = self._run(RIVAL, seed)
        self._spread = abs(self.command.log_ratio(again, self._first[seed.digest]))

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
        seed_often: bool = False,
    ) -> MetricComparison:
        """A quick look, one exact block where nothing varies, and where that leaves anything open, pairs of runs."""
        rival, seed = self.trusted(rival_source), self.trusted(self.seed)
        duel = {CANDIDATE: candidate, RIVAL: rival}
        trio = duel if rival is seed else duel | {SEED: seed}
        look, name = self._block(trio), self.command.metric
        may_be_exact = not self._varies
        prior = max(_LEAST_NOISE, stats.SIGMAS * self._spread)
        comparison = MetricComparison(
            alpha=alpha / 2 if may_be_exact else alpha,  # the other half is the exact block's
            look=look,
            seed_arm=RIVAL if rival is seed else SEED,
            overall=stats.Evidence(prior=prior),
            by_case={name: stats.Evidence(prior=prior)},
            work={name: {}},
            ceiling=roofline.UNKNOWN,
            command=self.command,
        )
        if may_be_exact:
            runs = stats.exact_runs(comparison.alpha)
            comparison.is_better = self._is_better(duel, look, runs)
            if comparison.is_better is not None:
                comparison.overall.prior = comparison.by_case[name].prior = stats.FLOOR
                for _ in range(runs if comparison.is_better else 1):  # each pair said what the look said
                    comparison.add(look)
        while not comparison.is_over:
            comparison.add(self._block(duel if comparison.blocks and not seed_often else trio))
        return comparison

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
            if self._varies:
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
            usual=ratios,
            vs_seed={case: self.command.log_ratio(ours, values[SEED])} if SEED in values else {},
        )

    def _stated(self, prepared: Prepared, decide: Callable[[Artifact], Verdict]) -> Verdict:
        """With what the candidate printed last, as a failure has it."""
        self._output = ""
        found = super()._stated(prepared, decide)
        return found if found.status.is_failure else replace(found, detail=self._output)

    def _run(self, name: str, artifact: Artifact) -> float:
        """The number of one run: a fault of the candidate's is its own, another side's the judge's."""
        if name == CANDIDATE:
            ran = self._ran(artifact)
            self._output = ran.output
            return ran.value
        try:
            return self._tried(lambda: self._ran(artifact)).value
        except Fault as fault:
            raise self._unfit(artifact.content.decode(), fault) from None

    def _ran(self, artifact: Artifact) -> command.Ran:
        ran = command.run(self.experiment, self.command, artifact.content.decode(), self.stop)
        if self._first.setdefault(artifact.digest, ran.value) != ran.value:
            self._varies = True
        return ran

    def _validate(self, artifact: Artifact) -> None:
        """One run that ends well; right or wrong is the command's to say."""
        self._ran(artifact)

    def _tried(self, step: Callable[[], Result]) -> Result:
        for _ in range(_TRIES - 1):
            try:
                return step()
            except Fault as fault:
                if fault.status not in (Status.CRASHED, Status.TIMED_OUT):
                    raise
        return step()

    def _remeasure(self, candidate: Artifact) -> Verdict:
        found = super()._remeasure(candidate)
        return replace(found, reason=found.reason.replace("faster", "better").replace("slower", "worse"))

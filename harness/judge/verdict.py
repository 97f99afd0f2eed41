"""Outputs and samples -> Verdict: pure functions, and the house's default idea of a winner.

`accept` is what an experiment's eval.py imports, or replaces by its own.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.judge import stats
from harness.judge.fault import Fault
from harness.judge.toolchain import Artifact
from harness.records import CaseResult, Estimate, Status, Verdict

ACCEPTED_WITHIN = 0.9
LOOK_NOISE = 0.05
IMPOSSIBLE = 1.5  # of the measured ceiling, which a busy hour may have put too low


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A source with which all is done that comes before measuring: its artifact, and what was found against it, if
    anything was. `seconds`: that this took."""

    source: str
    artifact: Artifact | None = None
    fault: Fault | None = None
    seconds: float = 0.0

    @property
    def admitted(self) -> Artifact:
        """What may be measured; raises what was found against it."""
        if self.fault:
            raise self.fault
        assert self.artifact is not None
        return self.artifact

    @property
    def object_digest(self) -> str:
        return self.artifact.digest if self.artifact else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """What a candidate is measured against: the champion's source, and where a case has another best, that one's."""

    champion: str
    specialists: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the measurement proved, each part at the search's error rate; what it means is the experiment's to say.
    `noise` is how much a block varied, None where one quick look was enough. `is_doubted`: faster in most blocks and
    visits, but not on average. `beats_seed` is what the interval says, no proof."""

    beats_champion: bool
    beats_on: tuple[str, ...]
    beats_seed: bool
    vs_champion: Estimate
    noise: float | None = None
    is_doubted: bool = False

    @property
    def is_win(self) -> bool:
        return self.beats_champion or bool(self.beats_on)

    def of_both(self, first: "Finding") -> "Finding":
        """These numbers, and of what they prove only what an independent measurement before had proved, too: this one
        asks less of a candidate, because so few get here."""
        return replace(
            self,
            beats_champion=self.beats_champion and first.beats_champion,
            beats_on=tuple(case for case in self.beats_on if case in first.beats_on),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """What a candidate is up against besides the champion's speed: the tags of earlier ones."""

    is_new_combination: bool


def accept(finding: Finding, standings: Standings) -> Status:
    """Best beats the champion, a specialist the best of a case on that case; accepted is nearly as good, and new."""
    if finding.beats_champion:
        return Status.BEST
    if finding.beats_on:
        return Status.SPECIALIST
    is_close = finding.vs_champion.ratio >= ACCEPTED_WITHIN
    if finding.beats_seed and is_close and standings.is_new_combination:
        return Status.ACCEPTED
    return Status.SLOWER if finding.vs_champion.high < math.exp(-stats.MARGIN) else Status.TIE


def against_seed(finding: Finding) -> tuple[Status, str]:
    """What a measurement says of a candidate whose one rival was the seed, and in a few words why."""
    if finding.beats_champion:
        return Status.ACCEPTED, "faster than the seed"
    if finding.beats_on:
        return Status.SPECIALIST, f"faster than the seed on {', '.join(finding.beats_on)}"
    if finding.vs_champion.high < math.exp(-stats.MARGIN):
        return Status.SLOWER, "slower than the seed"
    return Status.TIE, "no faster than the seed"


def estimate(logs: Sequence[float], noise: float) -> Estimate:
    """Log-ratios of times (below 0 is faster) -> a ratio above 1 where the candidate is faster, with its interval."""
    place = stats.locate(logs, noise)
    return Estimate(ratio=math.exp(-place.middle), low=math.exp(-place.high), high=math.exp(-place.low))


def over_seed(logs: Sequence[float], noise: float) -> Estimate:
    """The same against the seed, which lies elsewhere in every block: a few of them tell less than candidate and
    champion side by side."""
    return estimate(logs, max(noise, LOOK_NOISE))


def case_result(
    *, candidate_s: Sequence[float], seed_s: float, vs_seed: Sequence[float], vs_champion: Sequence[float], noise: float
) -> CaseResult:
    """One case over the blocks of a measurement: the candidate's time, and its log-ratios turned into ratios."""
    place = stats.locate([math.log(value) for value in candidate_s], noise)
    return CaseResult(
        median_s=math.exp(place.middle),
        low_s=math.exp(place.low),
        high_s=math.exp(place.high),
        seed_s=seed_s,
        speedup=over_seed(vs_seed, noise),
        vs_champion=estimate(vs_champion, noise),
    )


def beside(found: Verdict, champion: Verdict | None) -> Verdict:
    """What was found against the seed alone, with how it stands to the champion from a measurement against that one."""
    cases = {
        name: replace(one, vs_champion=champion.cases[name].vs_champion if champion else None)
        for name, one in found.cases.items()
    }
    won = champion.specialist_of if champion else ()
    return replace(found, vs_champion=champion.vs_champion if champion else None, cases=cases, specialist_of=won)


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(math.log(value) for value in values) / len(values))


def headline(status: Status, cases: Mapping[str, CaseResult], finding: Finding) -> str:
    """One line of why."""
    ratio = finding.vs_champion.ratio
    if ratio > 0.5:
        change = f"{abs(1 - 1 / ratio):.1%} {'less' if ratio >= 1 else 'more'} time than the champion"
    else:
        change = f"{1 / ratio:.1f} times the champion's time"
    if status is Status.SPECIALIST:
        return f"beats the champion of {', '.join(finding.beats_on)}; over all cases {change}"
    if status is Status.TIE:
        within = f"(x{finding.vs_champion.low:.3f} to x{finding.vs_champion.high:.3f})"
        if finding.is_doubted:
            return f"faster in most visits, but not on average {within}"
        if finding.noise and finding.noise > stats.TOO_NOISY:
            return f"this machine is too noisy to decide: a block varies by {finding.noise:.0%} {within}"
        return f"no difference from the champion that could be shown {within}"
    if status is Status.SLOWER:
        worst = min(cases, key=lambda name: _versus(cases[name]), default="")
        return f"{change}; worst on {worst} (x{_versus(cases[worst]):.2f})" if worst else change
    return change


def unconfirmed(claimed: Status, won: Sequence[str]) -> str:
    """What became of a would-be winner that is none: `won` are the cases on which it beat the champion both times."""
    if won:
        return f"beats the champion on {', '.join(won)}, but not who is best there; over all cases"
    return f"looked {claimed}, but not when measured again"


def refuse_impossible(found: Verdict) -> None:
    """Work that is done faster than this machine can do it was done at another time, or is less than was stated."""
    for name, case in found.cases.items():
        if case.of_ceiling and case.of_ceiling > IMPOSSIBLE:
            raise Fault(
                Status.FORBIDDEN,
                f"case {name}: {case.of_ceiling:.1f} times what this machine can do at most: not all of it was done "
                "in the timed call, or eval.py's work() states too much",
            )


def _versus(result: CaseResult) -> float:
    return result.vs_champion.ratio if result.vs_champion else result.speedup.ratio

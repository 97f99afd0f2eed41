"""One measurement of a candidate against a rival: blocks come in, a finding and its numbers come out."""

import math
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.judge import stats, verdict
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Block
from harness.judge.roofline import Ceiling
from harness.judge.verdict import LOOK_NOISE, Finding
from harness.records import CaseResult, Status, Verdict

LOST, LOST_CASE = math.log(1.25), math.log(1.1)  # by this much in a look, overall and in every case
_LOST_NOISES = 4  # and by so many times its noise
_DOUBTFUL = math.log(2.5)  # so far a neighbour that works in bursts may throw a look


class Compared(Protocol):
    """A measurement that is over."""

    def finding(self) -> Finding: ...
    def report(self, finding: Finding, status: Status) -> Verdict: ...


@dataclass(slots=True, kw_only=True)
class Comparison:
    """`look` is the quick first block: it can lose a comparison, but proves nothing and is not part of the evidence.
    `look_noise` is how much such a block varies, where that is more than usual. `seed_arm` names the arm that is the
    seed: where the champion is still the seed, it is not run twice. One that `confirms` is the last word, and asks for
    more blocks and for the mean besides."""

    alpha: float
    look: Block
    look_noise: float = 0.0
    seed_arm: str = SEED
    overall: stats.Evidence
    by_case: Mapping[str, stats.Evidence]
    work: Mapping[str, Mapping[str, float]]  # flops and bytes of a call
    ceiling: Ceiling
    confirms: bool = False
    blocks: list[Block] = field(default_factory=list)
    partial: list[Block] = field(default_factory=list)  # of some cases only, once nothing else is left to find out
    _looks: tuple[int, ...] = ()  # after so many blocks it is asked whether a proof is borne out

    def add(self, block: Block) -> None:
        for name, value in block.ratios.items():
            self.by_case[name].add(value)
        if block.ratios.keys() != self.by_case.keys():
            self.partial.append(block)
            return
        self.blocks.append(block)
        self.overall.add(block.overall)
        # Asked after every block, a mean would some time be what one hopes for; asked once only, one wild block among
        # a winner's first would cost it the title.
        if not self._looks and self._is_proved(self.overall, self.alpha):
            self._looks = (len(self.blocks), min(2 * len(self.blocks), stats.MAX_BLOCKS))

    @property
    def is_doubtful(self) -> bool:
        """Whether the look should be taken once more before it sends the candidate home."""
        return self.is_over and self.look.overall < _DOUBTFUL

    @property
    def wants_seed(self) -> bool:
        """Whether the next block needs the seed: the first does, and of a last word as many as an interval needs."""
        return len(self.blocks) < (stats.MIN_BLOCKS if self.confirms else 1)

    @property
    def wanted(self) -> Collection[str]:
        """The cases that the next block is to time: all of them, until the whole is settled and well enough measured to
        be reported; then those that may still be won."""
        needs_all = self.wants_seed or self._looks or not self._is_settled
        return tuple(self.by_case) if needs_all else self._open

    @property
    def beats_champion(self) -> bool:
        return self._is_proved(self.overall, self.alpha) and self._is_borne_out(self.overall, self.by_case)

    @property
    def beats_on(self) -> tuple[str, ...]:
        """The cases won, each at its share of the error rate."""
        proved = {name: one for name, one in self.by_case.items() if self._is_proved(one, self._share)}
        return tuple(name for name, evidence in proved.items() if self._is_borne_out(evidence, (name,)))

    @property
    def is_over(self) -> bool:
        """Proved, lost, or not worth another block; a last word also tells how far from the seed it is."""
        if self.confirms and self.wants_seed:
            return False
        if not self.blocks:
            lost = max(LOST, _LOST_NOISES * self._noise())
            return self.look.overall > lost and min(self.look.ratios.values()) > LOST_CASE
        if len(self.blocks) + len(self.partial) >= stats.MAX_BLOCKS:
            return True
        if self._looks:
            return len(self.blocks) == self._looks[-1] or (len(self.blocks) == self._looks[0] and self.beats_champion)
        return self._is_settled and not self._open

    def finding(self) -> Finding:
        # Of fewer blocks than a last word has this is a guess, which no more than asks for a last word.
        vs_seed = verdict.estimate(self._vs_seed(), self._noise())
        return Finding(
            beats_champion=self.beats_champion,
            beats_on=self.beats_on,
            beats_seed=vs_seed.low > 1,
            vs_champion=verdict.estimate([block.overall for block in self._seen()], self._noise()),
            noise=self.overall.scale if self.blocks else None,
            is_doubted=self._is_proved(self.overall, self.alpha) and not self.beats_champion,
        )

    def report(self, finding: Finding, status: Status) -> Verdict:
        cases = {name: self._case(name) for name in self.by_case}
        return Verdict(
            status=status,
            reason=verdict.headline(status, cases, finding),
            speedup=verdict.over_seed(self._vs_seed(), self._noise()),
            vs_champion=finding.vs_champion,
            median_s=verdict.geometric_mean([case.median_s for case in cases.values()]),
            seed_s=verdict.geometric_mean([case.seed_s for case in cases.values()]),
            cases=cases,
            specialist_of=finding.beats_on if status is Status.SPECIALIST else (),
            noise=finding.noise,
            blocks=tuple(
                {name: round(math.exp(-ratio), 6) for name, ratio in block.ratios.items()}
                for block in (*self.blocks, *self.partial)
            ),
        )

    def _case(self, name: str) -> CaseResult:
        blocks = [*self._seen(), *self._partial_of(name)]
        result = verdict.case_result(
            candidate_s=[block.seconds[CANDIDATE][name] for block in blocks],
            seed_s=statistics.median(block.seconds[self.seed_arm][name] for block in self._seeded()),
            vs_seed=[self._ratios_to_seed(block)[name] for block in self._seeded()],
            vs_champion=[block.ratios[name] for block in blocks],
            noise=self.by_case[name].scale if self.blocks else self._noise(),
        )
        flops, moved = (float(self.work[name].get(key, 0)) for key in ("flops", "bytes"))
        return replace(result, flops=flops, bytes=moved, ceiling_s=self.ceiling.seconds(flops, moved))

    @property
    def _share(self) -> float:
        return self.alpha / len(self.by_case)

    @property
    def _is_settled(self) -> bool:
        """Whether the candidate has lost over all cases."""
        return bool(self.blocks) and (self.overall.is_clear_loss or self.overall.is_hopeless(self.alpha))

    @property
    def _open(self) -> Collection[str]:
        """The cases that are not proved and not given up."""
        is_lost = self.overall.is_clear_loss
        left = {name: one for name, one in self.by_case.items() if one.is_promising or not is_lost}
        return [
            name
            for name, one in left.items()
            if not self._is_proved(one, self._share) and not one.is_hopeless(self._share, stats.CASE_BLOCKS)
        ]

    def _partial_of(self, name: str) -> list[Block]:
        return [block for block in self.partial if name in block.ratios]

    def _is_proved(self, evidence: stats.Evidence, alpha: float) -> bool:
        once = max(alpha, stats.ALPHA / len(self.by_case))  # slow places are no likelier where more is asked for
        return evidence.proves_faster(alpha) and (not self.confirms or evidence.outweighs_slow_places(once))

    def _is_borne_out(self, evidence: stats.Evidence, cases: Iterable[str]) -> bool:
        """Whether all blocks together bear out most of them, and all visits: code that is fast in lucky places or on
        lucky inputs alone does not win."""
        names = tuple(cases)
        blocks = [block for block in (*self.blocks, *self.partial) if block.means.keys() >= set(names)]
        means = (statistics.fmean(block.means[name] for name in names) for block in blocks)
        return evidence.is_faster_on_average and (not self.confirms or statistics.median(means) < 0)

    def _noise(self) -> float:
        return self.overall.scale if self.blocks else max(LOOK_NOISE, self.look_noise)

    def _seen(self) -> list[Block]:
        return self.blocks or [self.look]

    def _seeded(self) -> list[Block]:
        return [block for block in self._seen() if self.seed_arm in block.seconds]

    def _ratios_to_seed(self, block: Block) -> Mapping[str, float]:
        return block.ratios if self.seed_arm == RIVAL else block.vs_seed

    def _vs_seed(self) -> list[float]:
        return [statistics.fmean(self._ratios_to_seed(block).values()) for block in self._seeded()]

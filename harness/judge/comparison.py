"""One measurement of a candidate against a rival: blocks come in, a finding and its numbers come out."""

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from harness.judge import stats, verdict
from harness.judge.measure import CANDIDATE, RIVAL, SEED, Block
from harness.judge.roofline import Ceiling
from harness.judge.verdict import Finding
from harness.records import CaseResult, Status, Verdict

LOST, LOST_CASE = math.log(1.25), math.log(1.1)  # by this much in a look, overall and in every case
LOOK_NOISE = 0.05
TYPICALLY = math.log(1.01)  # by how much a winner's usual batch may lag, for the noise in it
_DOUBTED_BLOCKS = 16  # of a proof that the usual batch does not bear out; then it is over


class Compared(Protocol):
    """A measurement that is over."""

    def finding(self) -> Finding: ...
    def report(self, finding: Finding, status: Status) -> Verdict: ...


@dataclass(slots=True, kw_only=True)
class Comparison:
    """`look` is the quick first block: it can lose a comparison, but proves nothing and is not part of the evidence.
    `seed_arm` names the arm that is the seed: where the champion is still the seed, it is not run twice."""

    alpha: float
    look: Block
    seed_arm: str = SEED
    overall: stats.Evidence
    by_case: Mapping[str, stats.Evidence]
    work: Mapping[str, Mapping[str, float]]  # flops and bytes of a call
    ceiling: Ceiling
    blocks: list[Block] = field(default_factory=list)

    def add(self, block: Block) -> None:
        self.blocks.append(block)
        self.overall.add(block.overall)
        for name, value in block.ratios.items():
            self.by_case[name].add(value)

    @property
    def beats_champion(self) -> bool:
        return self.overall.proves_faster(self.alpha) and self._is_typical(self.by_case)

    @property
    def beats_on(self) -> tuple[str, ...]:
        """The cases won, each at its share of the error rate."""
        share = self.alpha / len(self.by_case)
        proved = [name for name, evidence in self.by_case.items() if evidence.proves_faster(share)]
        return tuple(name for name in proved if self._is_typical((name,)))

    @property
    def is_over(self) -> bool:
        """Proved, lost, or not worth another block."""
        cases = self.by_case.values()
        if not self.blocks:
            return self.look.overall > LOST and min(self.look.ratios.values()) > LOST_CASE
        if self.overall.is_clear_loss and not any(evidence.is_promising for evidence in cases):
            return True
        if self.beats_champion or len(self.blocks) >= stats.MAX_BLOCKS or self.is_doubted:
            return True
        share = self.alpha / len(self.by_case)
        undecided = [evidence for name, evidence in self.by_case.items() if name not in self.beats_on]
        return self.overall.is_hopeless(self.alpha) and all(evidence.is_hopeless(share) for evidence in undecided)

    @property
    def is_doubted(self) -> bool:
        """Faster by its best batches, and not by its usual ones."""
        proved = self.overall.proves_faster(self.alpha) and len(self.blocks) >= _DOUBTED_BLOCKS
        return proved and not self._is_typical(self.by_case)

    def finding(self) -> Finding:
        vs_seed = verdict.estimate(self._vs_seed(), self._noise())
        return Finding(
            beats_champion=self.beats_champion,
            beats_on=self.beats_on,
            beats_seed=vs_seed.low > 1,
            vs_champion=verdict.estimate([block.overall for block in self._seen()], self._noise()),
            noise=self.overall.scale if self.blocks else None,
            is_doubted=self.is_doubted,
        )

    def report(self, finding: Finding, status: Status) -> Verdict:
        cases = {name: self._case(name) for name in self.by_case}
        return Verdict(
            status=status,
            reason=verdict.headline(status, cases, finding),
            speedup=verdict.estimate(self._vs_seed(), self._noise()),
            vs_champion=finding.vs_champion,
            median_s=verdict.geometric_mean([case.median_s for case in cases.values()]),
            seed_s=verdict.geometric_mean([case.seed_s for case in cases.values()]),
            cases=cases,
            specialist_of=finding.beats_on if status is Status.SPECIALIST else (),
            noise=finding.noise,
        )

    def _case(self, name: str) -> CaseResult:
        result = verdict.case_result(
            candidate_s=[block.seconds[CANDIDATE][name] for block in self._seen()],
            seed_s=statistics.median(block.seconds[self.seed_arm][name] for block in self._seeded()),
            vs_seed=[self._ratios_to_seed(block)[name] for block in self._seeded()],
            vs_champion=[block.ratios[name] for block in self._seen()],
            noise=self.by_case[name].scale if self.blocks else LOOK_NOISE,
        )
        flops, moved = (float(self.work[name].get(key, 0)) for key in ("flops", "bytes"))
        return replace(result, flops=flops, bytes=moved, ceiling_s=self.ceiling.seconds(flops, moved))

    def _is_typical(self, cases: Iterable[str]) -> bool:
        """Whether usual batches bear out the best, and all blocks together most of them: code that is fast on lucky
        inputs or in lucky places alone does not win."""
        names = tuple(cases)
        usual = (statistics.fmean(block.usual[name] for name in names) for block in self.blocks)
        best = (statistics.fmean(block.ratios[name] for name in names) for block in self.blocks)
        return statistics.median(usual) < TYPICALLY and statistics.fmean(best) < 0

    def _noise(self) -> float:
        return self.overall.scale if self.blocks else LOOK_NOISE

    def _seen(self) -> list[Block]:
        return self.blocks or [self.look]

    def _seeded(self) -> list[Block]:
        return [block for block in self._seen() if self.seed_arm in block.seconds]

    def _ratios_to_seed(self, block: Block) -> Mapping[str, float]:
        return block.ratios if self.seed_arm == RIVAL else block.vs_seed

    def _vs_seed(self) -> list[float]:
        return [statistics.fmean(self._ratios_to_seed(block).values()) for block in self._seeded()]

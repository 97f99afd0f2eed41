"""One measurement of a candidate against a rival: blocks come in, a finding and its numbers come out."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from harness.judge import stats, verdict
from harness.judge.measure import CANDIDATE, SEED, Block
from harness.judge.verdict import Finding
from harness.records import CaseResult, Status, Verdict


@dataclass(slots=True, kw_only=True)
class Comparison:
    """`seed_arm` names the arm that is the seed: where the champion is still the seed, it is not run twice."""

    alpha: float
    noise: float
    seed_arm: str = SEED
    overall: stats.Evidence
    by_case: Mapping[str, stats.Evidence]
    work: Mapping[str, Mapping[str, float]]  # flops and bytes of a call
    blocks: list[Block] = field(default_factory=list)

    def add(self, block: Block) -> None:
        self.blocks.append(block)
        self.overall.add(block.overall)
        for name, value in block.ratios.items():
            self.by_case[name].add(value)

    @property
    def beats_champion(self) -> bool:
        return self.overall.proves_faster(self.alpha)

    @property
    def beats_on(self) -> tuple[str, ...]:
        """The cases won, each at its share of the error rate."""
        share = self.alpha / len(self.by_case)
        return tuple(name for name, evidence in self.by_case.items() if evidence.proves_faster(share))

    @property
    def is_over(self) -> bool:
        """Proved, lost, or not worth another block."""
        cases = self.by_case.values()
        if self.overall.is_clear_loss and not any(evidence.is_promising for evidence in cases):
            return True
        if self.beats_champion or len(self.blocks) >= stats.MAX_BLOCKS:
            return True
        share = self.alpha / len(self.by_case)
        undecided = [evidence for name, evidence in self.by_case.items() if name not in self.beats_on]
        return self.overall.is_hopeless(self.alpha) and all(evidence.is_hopeless(share) for evidence in undecided)

    def finding(self) -> Finding:
        vs_seed = verdict.estimate(self._vs_seed(), self.noise)
        return Finding(
            beats_champion=self.beats_champion,
            beats_on=self.beats_on,
            beats_seed=vs_seed.low > 1,
            vs_champion=verdict.estimate(self.overall.values, self.overall.scale),
        )

    def report(self, finding: Finding, status: Status) -> Verdict:
        cases = {name: self._case(name) for name in self.by_case}
        return Verdict(
            status=status,
            reason=verdict.headline(status, cases, finding),
            speedup=verdict.estimate(self._vs_seed(), self.noise),
            vs_champion=finding.vs_champion,
            median_s=verdict.geometric_mean([case.median_s for case in cases.values()]),
            seed_s=verdict.geometric_mean([case.seed_s for case in cases.values()]),
            cases=cases,
            specialist_of=finding.beats_on if status is Status.SPECIALIST else (),
        )

    def _case(self, name: str) -> CaseResult:
        evidence = self.by_case[name]
        result = verdict.case_result(
            candidate_s=[block.seconds[CANDIDATE][name] for block in self.blocks],
            seed_s=statistics.median(block.seconds[self.seed_arm][name] for block in self._seeded()),
            vs_seed=[block.log_ratio(self.seed_arm, name) for block in self._seeded()],
            vs_champion=evidence.values,
            noise=evidence.scale,
        )
        work = self.work[name]
        return replace(result, flops=float(work.get("flops", 0)), bytes=float(work.get("bytes", 0)))

    def _seeded(self) -> list[Block]:
        return [block for block in self.blocks if self.seed_arm in block.seconds]

    def _vs_seed(self) -> list[float]:
        return [
            math.fsum(block.log_ratio(self.seed_arm, name) for name in self.by_case) / len(self.by_case)
            for block in self._seeded()
        ]

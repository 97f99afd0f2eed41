"""The statistics of a verdict: pure functions and one small accumulator, no clock and no process.

A block gives one number d = log(candidate's time / rival's time), below 0 where the candidate is faster. Whether that
is more than luck is asked by a test martingale: under "no faster than the margin" each factor exp(λz)/cosh(λz) has mean
at most 1 whenever z is symmetric, whatever scale was chosen before; so the product may be looked at after every block.
It proves where the middle lies. That the mean bears it out, luck that is not symmetric included, is asked besides.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

LAMBDAS = (0.25, 0.5, 1.0, 2.0, 4.0)
MARGIN = 0.005
ALPHA = 0.05
MIN_BLOCKS = 8
FUTILITY_BLOCKS = 6
MAX_BLOCKS = 64
CASE_BLOCKS = 24  # in which a case must look winnable, once the whole is lost
TOO_NOISY = 0.05  # of a block: no number of blocks that anyone waits for could then show a gain of some percent
SLOW_PLACE = 0.08  # a loss that some places of the code may cost, too rarely to have been seen yet
_BAD_PLACE = 0.12  # a loss that the place of the code may cost all of one block
_MEAN_TAIL = 0.01
_PRIOR_BLOCKS = 2
SIGMAS = 1.4826  # in a median absolute deviation
_Z_MOST = 3.0
_KINDNESS = 0.8  # standard errors in a candidate's favour; more of them find hardly more winners, and prolong ties
FLOOR = 1e-4  # a scale of zero would turn rounding into evidence
_EXACT_RUNS = 6  # at least: as many as an interval needs


def exact_runs(alpha: float) -> int:
    """How many runs of each of two sides decide where no run ever varies: were the sides alike, only one in
    (2k over k) orders of k runs each would put all that gave the better number on one given side."""
    k = _EXACT_RUNS
    while math.comb(2 * k, k) * alpha < 1:
        k += 1
    return k


def _t_quantile(tail: float, freedom: int) -> float:
    """Of Student's distribution, by its expansion about the normal one: within 1 % from seven degrees of freedom on."""
    z = statistics.NormalDist().inv_cdf(1 - tail)
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + (first + (second + third / freedom) / freedom) / freedom


def log_cosh(x: float) -> float:
    return abs(x) + math.log1p(math.exp(-2 * abs(x))) - math.log(2)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What the blocks so far say of one comparison. `prior` is the noise of a block before any was seen."""

    prior: float
    values: list[float] = field(default_factory=list)
    _logs: list[float] = field(default_factory=lambda: [0.0] * len(LAMBDAS))

    @property
    def scale(self) -> float:
        """The noise of a block as known before the next one: the prior counts like two blocks among those seen, in a
        median, so that a prior from a louder or a quieter hour is soon outvoted."""
        n = len(self.values)
        if n < 2:
            return max(self.prior, FLOOR)
        middle = statistics.median(self.values)
        seen = [abs(value - middle) * n / (n - 0.8) for value in self.values]
        return max(FLOOR, SIGMAS * statistics.median([*seen, *[self.prior / SIGMAS] * _PRIOR_BLOCKS]))

    def add(self, value: float) -> None:
        # Cut on both sides alike, so still symmetric; one wild block then costs about as much as one good block gains.
        z = max(-_Z_MOST, min(_Z_MOST, -(value + MARGIN) / self.scale))
        self._logs = [log + rate * z - log_cosh(rate * z) for log, rate in zip(self._logs, LAMBDAS, strict=True)]
        self.values.append(value)

    @property
    def log_e(self) -> float:
        top = max(self._logs)
        return top + math.log(sum(math.exp(log - top) for log in self._logs) / len(LAMBDAS))

    def proves_faster(self, alpha: float) -> bool:
        return len(self.values) >= MIN_BLOCKS and self.log_e >= -math.log(alpha)

    @property
    def is_faster_on_average(self) -> bool:
        """By Student's bound on the mean: it feels blocks that are far off, which the product above cuts."""
        n = len(self.values)
        far = _t_quantile(_MEAN_TAIL, n - 1) * statistics.stdev(self.values) / math.sqrt(n)
        return statistics.fmean(self.values) + far < 0

    def outweighs_slow_places(self, alpha: float) -> bool:
        """The blocks so far gained more than slow places would cost that only one series in 1/alpha of as many blocks
        never meets: were a part p of all places slow, n blocks would miss them with a probability of exp(-np)."""
        return -sum(self.values) >= SLOW_PLACE * -math.log(alpha)

    @property
    def is_clear_loss(self) -> bool:
        """After a few blocks: slower in each by far more than a block's noise, and in all by more than bad luck with
        one place. A neighbour's burst can throw one block by any amount, and hardly two."""
        is_slow = sum(self.values) > _BAD_PLACE and min(self.values) > max(0.02, 4 * self.scale)
        return is_slow and len(self.values) > 1

    @property
    def is_promising(self) -> bool:
        """The blocks so far leave a gain beyond the margin within reach of the noise."""
        return min(self.values) < -MARGIN + 2 * self.scale

    def is_hopeless(self, alpha: float, within: int = MAX_BLOCKS) -> bool:
        """After some blocks: even at the kind end of what was seen, those that are left could not prove a gain."""
        n = len(self.values)
        if n < FUTILITY_BLOCKS:
            return False
        kind_z = -(statistics.median(self.values) + MARGIN) / self.scale + _KINDNESS / math.sqrt(n)
        kind_z = min(_Z_MOST, kind_z)
        growth = max(rate * kind_z - log_cosh(rate * kind_z) for rate in LAMBDAS)
        return self.log_e + growth * max(0, within - n) < -math.log(alpha)


@dataclass(frozen=True, slots=True)
class Location:
    """A Hodges-Lehmann estimate with the interval of the signed-rank test."""

    middle: float
    low: float
    high: float


def locate(values: Sequence[float], noise: float) -> Location:
    """Where the values lie, at 95 %. Fewer than six cannot carry such an interval: `noise` then stands in for them."""
    n = len(values)
    if n < 6:
        half = 1.96 * noise * 1.25 / math.sqrt(n)
        return Location(statistics.median(values), statistics.median(values) - half, statistics.median(values) + half)
    averages = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
    skip = _signed_rank_quantile(n)
    return Location(statistics.median(averages), averages[skip], averages[-1 - skip])


@cache
def _signed_rank_quantile(n: int, tail: float = 0.025) -> int:
    """How many averages to cut from either end so that at most `tail` lies beyond; -1 where n is too small."""
    counts = [1]
    for rank in range(1, n + 1):
        longer = counts + [0] * rank
        for total, ways in enumerate(counts):
            longer[total + rank] += ways
        counts = longer
    below, k = 0, 0
    while below + counts[k] <= tail * 2**n:
        below += counts[k]
        k += 1
    return k - 1

"""Attempts as a search would make them, for the tests of what keeps and shows them."""

import random
from collections.abc import Iterator, Sequence

from harness.records import Attempt, Candidate, CaseResult, Choices, Estimate, Proposal, Status, Usage, Verdict

CASES = ("decode", "decode-wide", "small-batch", "batch", "odd")
MACHINE = "Example CPU (AVX2), 2 cores, gcc 12.2.0, Linux 6.1"
TAGS = ("avx2", "split bias and no-bias paths", "pointer row traversal", "4 accumulators")
MEASURED = (Status.SLOWER, Status.TIE, Status.ACCEPTED, Status.SPECIALIST, Status.BEST)


def estimate(ratio: float) -> Estimate:
    return Estimate(ratio=ratio, low=ratio * 0.99, high=ratio * 1.01)


def cases(ratio: float, **others: float) -> dict[str, CaseResult]:
    ratios = {case: others.get(case.replace("-", "_"), ratio) for case in CASES}
    return {
        case: CaseResult(
            median_s=40e-6 / one,
            low_s=39e-6 / one,
            high_s=41e-6 / one,
            seed_s=40e-6,
            speedup=estimate(one),
            vs_champion=estimate(0.97),
            flops=1e6,
            bytes=4e5,
            ceiling_s=9e-6,
        )
        for case, one in ratios.items()
    }


def verdict(status: Status, ratio: float = 0.9, reason: str = "", machine: str = MACHINE, **others: float) -> Verdict:
    if status not in MEASURED:
        return Verdict(status=status, reason=reason or "output 5 of decode is 3.25, must be 3.5")
    return Verdict(
        status=status,
        reason=reason or "3.1% less time than the champion",
        speedup=estimate(ratio),
        vs_champion=estimate(1.03),
        median_s=40e-6 / ratio,
        seed_s=40e-6,
        cases=cases(ratio, **others),
        specialist_of=("odd",) if status is Status.SPECIALIST else (),
        machine=machine,
        seconds=1.5,
    )


def attempt(
    number: int,
    status: Status = Status.SLOWER,
    ratio: float = 0.9,
    tags: Sequence[str] = TAGS,
    reason: str = "",
    model: str = "gpt-4.1-mini",
    choices: Choices | None = None,
    machine: str = MACHINE,
    **others: float,
) -> Attempt:
    source = f"/* {number} */\nvoid linear(void) {{}}\n" + "    x += 1;\n" * 100
    readable = status is not Status.UNREADABLE
    return Attempt(
        number=number,
        parent="seed",
        model=model,
        at="2026-11-21T05:52:14Z",
        candidate=Candidate(source=source, digest=f"{number:064x}", tags=tuple(tags)) if readable else None,
        verdict=verdict(status, ratio, reason, machine, **others),
        usage=Usage(prompt_tokens=3000, completion_tokens=900, cached_tokens=1000, cost_usd=0.00214),
        choices=choices,
    )


def proposal(number: int) -> Proposal:
    return Proposal(
        number=number,
        parent="seed",
        model="gpt-4.1-mini",
        reply="I unroll the inner loop.\n\n```c\nvoid linear(void) {}\n```\n" + "// more\n" * 300,
        asked_at="2026-11-21T05:52:14Z",
        seconds=4.5,
        usage=Usage(prompt_tokens=3000, completion_tokens=900),
    )


def search(attempts: int, seed: int = 1) -> Iterator[Attempt]:
    """A long search: mostly failures and losers, now and then a winner, gains that get smaller."""
    draw = random.Random(seed)
    isas, factors = ("scalar", "avx2", "avx512"), ("2", "4", "8")
    best = 1.0
    for number in range(1, attempts + 1):
        tags = (draw.choice(isas), f"unrolled by {draw.choice(factors)}", f"{draw.choice(factors)} accumulators")
        status = draw.choices((*MEASURED[:2], Status.WRONG, Status.BUILD_FAILED, Status.UNREADABLE), (5, 2, 2, 1, 1))[0]
        ratio = best * draw.uniform(0.5, 0.99)
        chance = draw.random()
        if number in (3, 10, 30, 60) or chance < 0.004:
            status, ratio = Status.BEST, best + 0.5 / number**0.5
            best = ratio
        elif number in (5, 20) or chance < 0.02:
            status = draw.choice((Status.ACCEPTED, Status.SPECIALIST))
        reason = f"candidate.c:{number}: error: '{draw.choice('abcdefgh')}' undeclared; took {ratio:.2f}"
        yield attempt(number, status, ratio, tags, reason=reason)

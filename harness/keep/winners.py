"""The rows of a search's winners, and which of them hold a title: pure functions of what was measured, and where.

Times of two machines are never compared: every rank is among the rows of one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.records import Attempt, CaseResult, Estimate, Status, Verdict

NAME_CHARS = 12  # of a commit: the name of its file in winners/
SHORTEST_COMMIT = 7  # digits alone, fewer than these, are an attempt's number
_FAILURE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRow:
    """The baseline as the newest winner's measurement found it, or the first on this machine."""

    attempt: int
    at: str
    median_s: float | None
    cases: Mapping[str, float]
    machine: str
    ceilings: Mapping[str, float] = field(default_factory=dict)  # seconds, of cases where it is known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Winner:
    """An accepted candidate, as it was measured last on `machine`; `failed_on` is a machine where it did not hold, and
    `failure` why. Compared by identity: what is made of a row is then remembered with the row."""

    attempt: int
    at: str
    model: str
    status: Status
    speedup: Estimate | None
    median_s: float | None
    seed_s: float | None
    tags: tuple[str, ...]
    cases: Mapping[str, CaseResult]
    machine: str
    specialist_of: tuple[str, ...] = ()
    commit: str | None = None
    failed_on: str = ""
    failure: str = ""
    gain: float | None = None

    def is_of(self, machine: str) -> bool:
        return is_same_machine(self.machine, machine)

    def fails_on(self, machine: str) -> bool:
        return bool(self.failed_on) and is_same_machine(self.failed_on, machine)


def worth(measured: Winner | CaseResult | Verdict) -> float:
    """What ranks: the gain by way of the champions, or of the first of them that over the seed."""
    return measured.gain or (measured.speedup.ratio if measured.speedup else 0.0)


def is_same_machine(one: str, other: str) -> bool:
    """Whether times of the two may be ranked: by their fingerprints, and nowhere else than here."""
    return one == other


def award(winners: Sequence[Winner], machine: str) -> tuple[int | None, dict[str, int]]:
    """The titles among the rows of a machine, where nobody holds one: the champion is the fastest over all cases; the
    specialist of a case is the fastest of those that surely beat the champion there: with dozens of rows, only by
    intervals that are apart."""
    here = [one for one in winners if one.is_of(machine) and not one.fails_on(machine)]
    faster = (one for one in here if one.speedup and one.speedup.low > 1)
    champion = max(faster, key=worth, default=None)
    best: dict[str, tuple[float, int]] = {}
    for winner in here:
        for case, result in winner.cases.items():
            of_champion = champion.cases.get(case) if champion else None
            most = worth(of_champion) * of_champion.speedup.high / of_champion.speedup.ratio if of_champion else 1.0
            if worth(result) * result.speedup.low / result.speedup.ratio > most:
                best[case] = max(best.get(case, (0.0, 0)), (worth(result), winner.attempt))
    return champion.attempt if champion else None, {case: attempt for case, (_, attempt) in best.items()}


def is_ahead(champion: Winner, specialist: Winner | None, case: str) -> bool:
    """Whether a new champion takes a case over from its specialist: by what each has gained there."""
    if specialist is None or case not in specialist.cases:
        return True
    return case in champion.cases and worth(champion.cases[case]) >= worth(specialist.cases[case])


def combination(tags: Sequence[str]) -> str:
    """A short name of these traits in any order."""
    return hashlib.sha256("\n".join(sorted(set(tags))).encode()).hexdigest()[:8]


def takes_from(winner: Winner, holder: Winner | None, case: str) -> bool:
    """Whether one that beats the champion on a case takes it from its holder: where their intervals beside the champion
    are apart, since the two never met."""
    if holder is None or case not in holder.cases:
        return True
    ours, theirs = winner.cases[case], holder.cases[case]
    low, high = ours.vs_champion or ours.speedup, theirs.vs_champion or theirs.speedup
    return worth(ours) * low.low / low.ratio > worth(theirs) * high.high / high.ratio


def placed(verdict: Verdict, champion: Winner | None) -> Verdict:
    """The verdict with its gains. How the seed lies in memory may cost it more than two winners differ, so that its
    ratios, measured hours apart, do not say which is the faster; candidate and champion were timed side by side."""
    if champion is None or verdict.vs_champion is None:
        return verdict
    cases = {
        name: replace(result, gain=worth(champion.cases[name]) * result.vs_champion.ratio)
        if result.vs_champion and name in champion.cases
        else result
        for name, result in verdict.cases.items()
    }
    return replace(verdict, gain=worth(champion) * verdict.vs_champion.ratio, cases=cases)


def rebased(winner: Winner, before: Winner, now: Winner) -> Winner:
    """A winner of the machine on which the champion was measured again: what all are worth moves as the champion's
    did, for what changed is the hour and its seed; how they rank, each found out side by side, is as it was."""
    if winner.attempt == now.attempt or not (winner.is_of(now.machine) and before.is_of(now.machine)):
        return winner
    cases = {
        name: replace(result, gain=worth(result) * worth(now.cases[name]) / worth(before.cases[name]))
        if name in before.cases and name in now.cases
        else result
        for name, result in winner.cases.items()
    }
    return replace(winner, gain=worth(winner) * worth(now) / worth(before), cases=cases)


def winner_of(attempt: Attempt) -> Winner:
    verdict = attempt.verdict
    return Winner(
        attempt=attempt.number,
        at=attempt.at,
        model=attempt.model,
        status=verdict.status,
        speedup=verdict.speedup,
        median_s=verdict.median_s,
        seed_s=verdict.seed_s,
        tags=traits(attempt),
        cases=verdict.cases,
        machine=verdict.machine,
        specialist_of=verdict.specialist_of,
        gain=verdict.gain,
    )


def measured_again(winner: Winner, verdict: Verdict) -> Winner:
    """The row with what was measured now; where nothing could be timed, its old numbers stay those of their machine."""
    if not verdict.status.is_winner:
        failure = verdict.reason if verdict.cases else f"{verdict.status.replace('_', ' ')}: {verdict.reason}"
        winner = replace(winner, failed_on=verdict.machine, failure=failure[:_FAILURE_CHARS])
    elif winner.fails_on(verdict.machine):
        winner = replace(winner, failed_on="", failure="")
    if not verdict.cases:
        return winner
    return replace(
        winner,
        speedup=verdict.speedup,
        median_s=verdict.median_s,
        seed_s=verdict.seed_s,
        cases=verdict.cases,
        machine=verdict.machine,
        gain=verdict.gain,
    )


def traits(attempt: Attempt) -> tuple[str, ...]:
    """What sets an attempt apart: what its source was found to say, else the choices it was made from."""
    if attempt.candidate and attempt.candidate.tags:
        return attempt.candidate.tags
    return tuple(f"{kind}={value}" for kind, value in (attempt.choices or {}).items())


def seed_row(number: int, at: str, verdict: Verdict) -> SeedRow:
    return SeedRow(
        attempt=number,
        at=at,
        median_s=verdict.seed_s,
        cases={name: result.seed_s for name, result in verdict.cases.items()},
        ceilings={name: result.ceiling_s for name, result in verdict.cases.items() if result.ceiling_s},
        machine=verdict.machine,
    )

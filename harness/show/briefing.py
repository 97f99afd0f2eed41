"""What a prompt tells of the standings: the parent with its times, and where the best and the specialists stand; and
of the last failure.

Plain lines, pure: state in, text out. Times of another machine are left out: here they may rank otherwise.
"""

from collections.abc import Mapping

from harness.keep.scores import Scores
from harness.keep.winners import SHORTEST_COMMIT, Winner, is_same_machine, worth
from harness.records import SEED, Attempt, CaseResult, Estimate, Verdict
from harness.show.verdict import printable
from harness.show.words import duration, gain, percent, plain, rates

_RECENT = 10  # attempts, after which a failure is memory's alone


def standings(scores: Scores, machine: str, parent: str = "") -> str:
    """Where the champion's time goes on this machine, case by case, and who is better there. Where the champion is the
    parent itself, `parent_times` says the first, and this no more than the second."""
    if not is_same_machine(scores.machine, machine):
        return ""
    champion = scores.champion
    if champion is None:
        return "" if parent == SEED else _seed_times(scores, machine)
    is_parent = champion is _winner(scores, parent)
    lines = [] if is_parent else [f"The best so far (attempt {champion.attempt}){_over_seed(champion.speedup)}."]
    for case, result in champion.cases.items():
        holder = scores.specialists.get(case, champion)
        better = "" if holder is champion else f"attempt {holder.attempt} is better here{_on(holder, case)}"
        if not is_parent:
            lines.append("; ".join(filter(None, (_case(case, result, scores.unit), better))))
        elif better:
            lines.append(f"{case}: {better}")
    return "\n".join(lines)


def parent_times(scores: Scores, ref: str, machine: str, verdict: Verdict | None = None) -> str:
    """What a parent takes on this machine, case by case; nothing where it is not known. Of a winner by its newest
    measurement, of another attempt by its verdict."""
    if ref == SEED:
        return _seed_times(scores, machine)
    found = _winner(scores, ref) or verdict
    if found is None or not is_same_machine(found.machine, machine):
        return ""
    return "\n".join(_case(case, result, scores.unit) for case, result in found.cases.items())


def parent_note(scores: Scores, ref: str, verdict: Verdict | None = None) -> str:
    """What an attempt's parent is, in a few words; nothing where nothing is known of it."""
    if ref == SEED:
        return "the seed, the baseline of every speed-up"
    winner = _winner(scores, ref)
    if winner is None:
        return f"no winner, {plain(verdict.status)}{_over_seed(verdict.speedup)}" if verdict else ""
    held = scores.held_by(winner)
    title = f"the specialist of {', '.join(held)}" if held else f"a winner, {winner.status}"
    if winner is scores.champion:
        title = "the best so far"
    return f"{title}{_over_seed(winner.speedup)}{'' if winner.is_of(scores.machine) else ' on another machine'}"


def last_failure(failed: Attempt | None, number: int, room_chars: int) -> str:
    """What the last failed run printed, or the compiler said, cut in the middle; nothing where that is long ago."""
    if failed is None or number - failed.number > _RECENT:
        return ""
    verdict = failed.verdict
    text = "\n".join(printable(line.expandtabs()) for line in verdict.detail.splitlines())
    if len(text) > room_chars:
        end = room_chars // 2
        text = f"{text[:end]}\n[{len(text) - 2 * end} characters left out]\n{text[-end:]}"
    return f"attempt {failed.number} {plain(verdict.status)}: {printable(verdict.reason)}\n\n{text}"


def ahead(scores: Scores, machine: str) -> Mapping[int, str]:
    """The specialists and where each is better than the best over all, in words; the furthest ahead first."""
    champion, found = scores.champion, dict[int, list[tuple[float, str]]]()
    if champion is None or not is_same_machine(scores.machine, machine):
        return {}
    for case, holder in scores.specialists.items():
        if holder is not champion and case in holder.cases:
            ours, theirs = champion.cases.get(case), worth(holder.cases[case])
            lead = theirs / worth(ours) if ours else theirs
            found.setdefault(holder.attempt, []).append((lead, f"{case}{_on(holder, case)}"))
    order = sorted(found, key=lambda number: -max(lead for lead, _ in found[number]))
    return {number: ", ".join(words for _, words in found[number]) for number in order}


def _winner(scores: Scores, ref: str) -> Winner | None:
    return next((one for one in scores.winners if ref == str(one.attempt) or _is_commit(one, ref)), None)


def _is_commit(winner: Winner, ref: str) -> bool:
    return winner.commit is not None and len(ref) >= SHORTEST_COMMIT and winner.commit.startswith(ref)


def _case(case: str, result: CaseResult, unit: str) -> str:
    gflops, gbytes, share = rates(result)
    line = f"{case}: {duration(result.median_s, unit)}, {gain(result.speedup.ratio)} over the seed"
    if not gflops:
        return line
    return line + f", {gflops} GFLOP/s, {gbytes} GB/s" + (f", {share} of the machine's ceiling" if share else "")


def _on(holder: Winner, case: str) -> str:
    return f" ({gain(holder.cases[case].speedup.ratio)})" if case in holder.cases else ""


def _seed_times(scores: Scores, machine: str) -> str:
    seed = scores.seed
    verb = "takes" if scores.unit == "s" else "has"
    cases = seed.cases if seed and is_same_machine(seed.machine, machine) else {}
    # Scores of an older version have them with their winners alone.
    best = {case: winner.cases[case].ceiling_s for case, winner in scores.specialists.items() if case in winner.cases}
    known = {case: ceiling_s for case, ceiling_s in best.items() if ceiling_s} | dict(seed.ceilings if seed else {})
    shares = {
        case: f", {percent(known[case] / seed_s)} of the machine's ceiling"
        for case, seed_s in cases.items()
        if case in known
    }
    return "\n".join(
        f"{case}: the seed {verb} {duration(seed_s, scores.unit)}{shares.get(case, '')}"
        for case, seed_s in cases.items()
    )


def _over_seed(speedup: Estimate | None) -> str:
    return f", {gain(speedup.ratio)} over the seed" if speedup else ""

"""Winners that were measured again, in words or JSON: what holds, what does not. Pure: what was found in, text out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.keep.scores import START, Scores
from harness.keep.winners import NAME_CHARS, SeedRow, Winner, is_same_machine
from harness.records import Verdict, to_json
from harness.show.verdict import printable
from harness.show.words import duration, gain, plain, with_interval

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Remeasured:
    """A winner measured again: its row as it stood, None for what the search started from, and what came out, None
    where no file of it is left. One that no row speaks of, of an earlier search, is known by its `archived` file."""

    attempt: int = START
    before: Winner | None
    verdict: Verdict | None
    archived: str = ""

    @property
    def name(self) -> str:
        if self.archived:
            return self.archived
        if self.attempt == START:
            return "the start"
        commit = self.before.commit if self.before else None
        return commit[:NAME_CHARS] if commit else f"attempt {self.attempt}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that was measured again, the scores as they stand now, and of the scores before what may have changed:
    `held_before` are the cases of each specialist, by its attempt."""

    measured: Sequence[Remeasured]
    scores: Scores
    champion_before: Winner | None
    held_before: Mapping[int, Sequence[str]]
    seed_before: SeedRow | None


def progress_text(one: Remeasured | str) -> str:
    """A line for the moment when it was measured, or for what is to be said before."""
    return one if isinstance(one, str) else f"{one.name}: {_now(one)}"


def progress_json(one: Remeasured | str) -> str:
    if isinstance(one, str):
        return json.dumps({"schema": SCHEMA, "event": "note", "text": one})
    return json.dumps({"schema": SCHEMA, "event": "measured", **_record(one)})


def meaning(one: Remeasured, outcome: Outcome) -> str:
    """What the new measurement says of the old one, and of titles that were lost or won by it."""
    return "; ".join(filter(None, (_claim(one), _title(one, outcome), _cases(one, outcome))))


def _claim(one: Remeasured) -> str:
    """An earlier claim holds where the two intervals overlap, or where it is more than that now."""
    verdict, claimed = one.verdict, one.before.speedup if one.before else None
    if verdict is None:
        return "skipped: no file of it is left"
    if not verdict.status.is_winner or verdict.speedup is None:
        return f"fails here: {_fault(verdict)}"
    if claimed is None or verdict.speedup.high >= claimed.low:
        return "holds"
    change = f"{gain(claimed.ratio)} -> {gain(verdict.speedup.ratio)}"
    return f"{change}: less than {'on the other machine' if _is_elsewhere(one) else 'was claimed'}"


def _title(one: Remeasured, outcome: Outcome) -> str:
    champion, before = outcome.scores.champion, outcome.champion_before
    is_best, was_best = (row is not None and row.attempt == one.attempt for row in (champion, before))
    if is_best:
        return "" if was_best else "the best now"
    if not was_best or one.verdict is None:
        return ""
    new = Remeasured(attempt=champion.attempt, before=champion, verdict=None).name if champion else "the seed"
    return f"no longer the best: {new} is"


def _cases(one: Remeasured, outcome: Outcome) -> str:
    before = outcome.held_before.get(one.attempt, ())
    row = outcome.scores.winner(one.attempt)
    held = outcome.scores.held_by(row) if row else ()
    lost, won = ([case for case in some if case not in others] for some, others in ((before, held), (held, before)))
    is_best = outcome.scores.champion_attempt == one.attempt  # of every case that has no specialist
    parts = [
        f"no longer a specialist of {', '.join(lost)}" if lost and not is_best else "",
        f"now the specialist of {', '.join(won)}" if won else "",
    ]
    return "; ".join(filter(None, parts))


def _is_elsewhere(one: Remeasured) -> bool:
    return bool(one.before and one.verdict) and not is_same_machine(_machine(one.before), _machine(one.verdict))


def _machine(row: Winner | Verdict | None) -> str:
    return row.machine if row else ""


def _fault(verdict: Verdict) -> str:
    """Where it could be timed, the reason says all; else how it failed comes first."""
    return printable(verdict.reason if verdict.cases else f"{plain(verdict.status)}: {verdict.reason}")


def _now(one: Remeasured) -> str:
    if one.verdict is None:
        return "no file of it is left, skipped"
    if one.verdict.speedup is None:
        return f"fails here: {_fault(one.verdict)}"
    return f"{with_interval(one.verdict.speedup)}{'' if one.verdict.status.is_winner else f', {one.verdict.reason}'}"


def outcome_text(name: str, outcome: Outcome) -> str:
    """A table of everything measured, where the search stands now, and what is left to do."""
    rows = [("winner", "attempt", "before", "now", "what it means")]
    rows += [
        (one.name, _attempt(one), _before(one), _interval(one.verdict), meaning(one, outcome))
        for one in outcome.measured
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join([*(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    ]
    elsewhere = dict.fromkeys(_machine(one.before) for one in outcome.measured if _is_elsewhere(one))
    lines += [f"† on {printable(machine)}" for machine in elsewhere]
    return "\n".join(["", *(line.rstrip() for line in lines), "", *_standing(name, outcome)])


def _attempt(one: Remeasured) -> str:
    return "" if one.attempt == START else str(one.attempt)


def _before(one: Remeasured) -> str:
    claimed = one.before.speedup if one.before else None
    return f"{gain(claimed.ratio)}{' †' if _is_elsewhere(one) else ''}" if claimed else ""


def _interval(verdict: Verdict | None) -> str:
    return with_interval(verdict.speedup) if verdict and verdict.speedup else "-"


def _standing(name: str, outcome: Outcome) -> list[str]:
    scores, before, seed = outcome.scores, outcome.seed_before, outcome.scores.seed
    champion = scores.champion
    best = Remeasured(attempt=champion.attempt, before=champion, verdict=None).name if champion else "the seed"
    speed = f", {gain(champion.speedup.ratio)} over the seed" if champion and champion.speedup else ""
    lines = [f"{name}: the best on this machine is {best}{speed}"]
    if seed and is_same_machine(seed.machine, scores.machine):
        there = " on the other machine" if before and not is_same_machine(before.machine, seed.machine) else ""
        was = f", before {duration(before.median_s, scores.unit)}{there}" if before else ""
        lines.append(f"the seed takes {duration(seed.median_s, scores.unit)}{was}")
    if any(one.archived for one in outcome.measured):
        lines.append("winners of earlier searches hold no title; seed --from NAME starts a search from one")
    return [*lines, "SCORES.json and its pages are written; nothing is committed."]


def outcome_json(name: str, outcome: Outcome) -> str:
    """A line for each winner and one for where the search stands now."""
    scores = outcome.scores
    rows = [
        {"schema": SCHEMA, "event": "winner", **_record(one), "meaning": meaning(one, outcome)}
        for one in outcome.measured
    ]
    champion = (
        {"attempt": scores.champion.attempt, "speedup": to_json(scores.champion.speedup)} if scores.champion else None
    )
    close = {"experiment": name, "champion": champion, "specialists": scores.specialist_attempts}
    rows.append({"schema": SCHEMA, "event": "close", **close, "seed": to_json(scores.seed), "machine": scores.machine})
    return "\n".join(map(json.dumps, rows))


def _record(one: Remeasured) -> dict[str, Any]:
    before, verdict = one.before, one.verdict
    return {
        "attempt": None if one.archived else one.attempt,
        "commit": before.commit if before else one.archived or None,
        "before": {"speedup": to_json(before.speedup), "machine": before.machine} if before else None,
        "status": verdict.status.value if verdict else None,
        "reason": verdict.reason if verdict else "no file of it is left",
        "speedup": to_json(verdict.speedup) if verdict else None,
        "machine": verdict.machine if verdict else None,
    }

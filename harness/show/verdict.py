"""A verdict for the terminal and for scripts. Pure: records in, text out."""

import json
from typing import Any

from harness.keep.artifacts import shortened
from harness.records import Estimate, Verdict, to_json
from harness.show.words import duration, percent, with_interval

SCHEMA = 1


def verdict_json(verdict: Verdict) -> str:
    """One JSON object on one line."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "speedup": verdict.speedup.ratio if verdict.speedup else None,
        "interval": _interval(verdict.speedup),
        "vs_champion": _comparison(verdict.vs_champion),
        "cases": {
            name: {
                "median_s": case.median_s,
                "interval_s": [case.low_s, case.high_s],
                "seed_s": case.seed_s,
                "speedup": case.speedup.ratio,
                "interval": _interval(case.speedup),
                "vs_champion": _comparison(case.vs_champion),
                "of_ceiling": case.of_ceiling,
            }
            for name, case in verdict.cases.items()
        },
        "violations": to_json(verdict.violations),
        "detail": verdict.detail,
        "unguarded": list(verdict.unguarded),
        "noise": verdict.noise,
        "blocks": to_json(verdict.blocks),
        "machine": verdict.machine,
        "seconds": verdict.seconds,
    }
    return json.dumps(document)


def verdict_text(name: str, verdict: Verdict, unit: str = "s") -> str:
    lines = [f"{name}: {verdict.status} - {printable(verdict.reason)}"]
    if verdict.speedup:
        lines.append(f"  against the seed      {with_interval(verdict.speedup)}")
    if verdict.vs_champion:
        lines.append(f"  against the champion  {with_interval(verdict.vs_champion)}")
    if verdict.cases:
        head = f"  {'case':<16}{'time' if unit == 's' else 'metric':>10}{'seed':>10}{'of ceiling':>12}"
        lines.append(f"{head}  {'against the seed':<28}against the champion")
    for case, result in verdict.cases.items():
        versus = with_interval(result.vs_champion) if result.vs_champion else ""
        share = "" if result.of_ceiling is None else percent(result.of_ceiling)
        times = f"{duration(result.median_s, unit):>10}{duration(result.seed_s, unit):>10}{share:>12}"
        lines.append(f"  {case:<16}{times}  {with_interval(result.speedup):<28}{versus}")
    for violation in verdict.violations:
        where = f"line {violation.line}: " if violation.line else ""
        lines.append(f"  {where}{printable(violation.message)} ({violation.rule})")
    if verdict.status.is_failure and verdict.detail:  # what a good run has printed is left to files and JSON
        lines += [f"  | {printable(line)}" for line in shortened(verdict).detail.splitlines()]
    noise = f", noise of a block {verdict.noise:.1%}" if verdict.noise else ""
    lines.append(f"  {verdict.seconds:.2f} s on {verdict.machine}{noise}")
    return "\n".join(lines)


def printable(text: str) -> str:
    """Text that came from a candidate, without anything that could move a terminal's cursor."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _interval(estimate: Estimate | None) -> list[float] | None:
    return [estimate.low, estimate.high] if estimate else None


def _comparison(estimate: Estimate | None) -> dict[str, Any] | None:
    return {"ratio": estimate.ratio, "interval": _interval(estimate)} if estimate else None

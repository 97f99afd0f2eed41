"""Scores as Markdown. Pure: state in, text out; nothing is written or decided.

What candidates, models and compilers said is quoted as data: on one line, without anything that Markdown would act on.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from harness.keep.scores import MAX_WINNERS, Scores
from harness.keep.state import PICTURE
from harness.keep.usage import PRICES_AS_OF
from harness.keep.winners import NAME_CHARS, Winner, worth
from harness.records import Status, Usage
from harness.show.words import (
    cost,
    counts,
    duration,
    escape,
    gain,
    rates,
    table,
    table_head,
    table_row,
    with_interval,
)


def scores_md(scores: Scores) -> str:
    """SCORES.md, from scratch."""
    return "\n".join(
        (
            f"# {escape(scores.experiment)}: scores\n",
            _headline(scores),
            _best_per_case(scores),
            _baseline(scores),
            _tokens(scores),
            _winners(scores),
            _champion_cases(scores.champion, scores.unit) if scores.champion else "",
            "## The search\n",
            f"![search]({PICTURE})\n" if scores.has_times else "",
            counts(scores.counts, scores.last_attempt),
        )
    )


def _headline(scores: Scores) -> str:
    champion = scores.champion
    if champion is None:
        here = " on this machine" if scores.winners else ""
        return f"**No winner yet{here}** after {scores.last_attempt} attempts.\n"
    over = f"**{gain(champion.speedup.ratio)} over the seed**" if champion.speedup else "**A winner**"
    interval = f" [{champion.speedup.low:.3f}, {champion.speedup.high:.3f}]" if champion.speedup else ""
    median, seed = (duration(one, scores.unit) for one in (champion.median_s, champion.seed_s))
    times = f": {median} against {seed}" if champion.median_s else ""
    return f"Best so far: {over}{interval}, attempt {champion.attempt}{times}.\n"


def _best_per_case(scores: Scores) -> str:
    rows = []
    for case, holder in scores.specialists.items():
        if case in holder.cases:
            best = holder.cases[case]
            median = duration(best.median_s, scores.unit)
            rows.append((escape(case), median, gain(best.speedup.ratio), str(holder.attempt)))
    return table(("Case", "Best", "Win", "Attempt"), "lrrr", rows) if rows else ""


def _baseline(scores: Scores) -> str:
    if scores.seed is None:
        return "Seed: not measured yet.\n"
    cases = ", ".join(f"{escape(case)} {duration(seed_s, scores.unit)}" for case, seed_s in scores.seed.cases.items())
    median = duration(scores.seed.median_s, scores.unit)
    return f"Seed: {median}{f' ({cases})' if cases else ''} on {escape(scores.seed.machine)}.\n"


def _tokens(scores: Scores) -> str:
    total = scores.usage
    rows = []
    for name, one in (("All models", total), *_per_model(scores.usage_by_model)):
        tokens = (one.prompt_tokens, one.completion_tokens, one.cached_tokens, one.total_tokens)
        rows.append((name, *(f"{count:,}" for count in tokens), cost(one)))
    head = ("Tokens", "Prompt", "Completion", "Cached", "Total", "Estimated cost")
    note = f"\nPrices of {PRICES_AS_OF}; `unknown` where a model is not in the table.\n" if total.total_tokens else ""
    return table(head, "lrrrrr", rows) + note


def _per_model(usage: Mapping[str, Usage]) -> Iterable[tuple[str, Usage]]:
    return [(escape(model), one) for model, one in usage.items()] if len(usage) > 1 else ()


def _winners(scores: Scores) -> str:
    """The best of this machine first, then what failed here, those of other machines, and the seed as the last row."""
    machine = scores.machine

    def rank(winner: Winner) -> tuple[bool, bool, float, int]:
        return not winner.is_of(machine), winner.fails_on(machine), -worth(winner), -winner.attempt

    ranked = sorted(scores.winners, key=rank)
    rows = [_winner_row(one, _title(one, scores), one.is_of(machine), scores.suffix, scores.unit) for one in ranked]
    seed = scores.seed
    seed_s = duration(seed.median_s, scores.unit) if seed else "unknown"
    rows.append(table_row((_minute(seed.at) if seed else "", "", seed_s, seed_s, gain(1.0), "", "the seed")))
    head = table_head(("Timestamp", "Model", "Median", "Seed", "Win", "Commit", "Notes"), "llrrrll")
    notes = []
    if not all(winner.is_of(machine) for winner in ranked):
        notes.append("† Measured on another machine: shown, not ranked.\n")
    if any(winner.gain for winner in ranked):
        notes.append("Ranked by times taken side by side with the champion of the hour; `Win` is over the seed.\n")
    if scores.winners_left_out:
        notes.append(f"{scores.winners_left_out} older winners are under `winners/` only; {MAX_WINNERS} are listed.\n")
    return "\n".join(["## Winners\n", head, *rows, "", *notes])


@lru_cache(maxsize=4 * MAX_WINNERS)
def _winner_row(winner: Winner, title: str, is_here: bool, suffix: str, unit: str) -> str:
    """A row never changes but with these arguments, so it is worded once for all the times the page is written."""
    name = winner.commit[:NAME_CHARS] if winner.commit else ""
    cells = (
        _minute(winner.at),
        escape(winner.model),
        duration(winner.median_s, unit),
        duration(winner.seed_s, unit),
        (gain(winner.speedup.ratio) if winner.speedup else "") + ("" if is_here else " †"),
        f"[`{name}`](winners/{name}{suffix})" if name else "",
        escape(_note(winner, title)),
    )
    return table_row(cells)


def _title(winner: Winner, scores: Scores) -> str:
    """What a winner is on the machine of the scores."""
    held = scores.held_by(winner)
    if winner is scores.champion:
        return "best winner"
    if held:
        return f"specialist of {', '.join(held)}"
    if winner.fails_on(scores.machine):
        return f"fails on this machine ({winner.failure})"
    return {Status.BEST: "former best", Status.SPECIALIST: "former specialist"}.get(winner.status, "accepted")


def _note(winner: Winner, title: str) -> str:
    first, *rest = winner.tags or ("",)
    used = f", used {', '.join(rest)}" if rest else ""
    return f"{title}{': ' if first else ''}{first}{used}"


@lru_cache(maxsize=4)
def _champion_cases(champion: Winner, unit: str) -> str:
    rows = [
        (
            escape(case),
            duration(result.median_s, unit),
            duration(result.seed_s, unit),
            with_interval(result.speedup),
            *rates(result),
        )
        for case, result in champion.cases.items()
    ]
    head = ("Case", "Median", "Seed", "Win [interval]", "GFLOP/s", "GB/s", "Of ceiling")
    return "## The best, case by case\n\n" + table(head, "lrrrrrr", rows)


def _minute(at: str) -> str:
    return escape(at[:16].replace("T", " "))

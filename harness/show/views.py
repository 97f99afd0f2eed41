"""What a running search says: to people on a live view, as plain lines in pipes, as JSON lines to scripts.

Shows what it is told and decides nothing. What candidates and models said is stripped of all that acts on a terminal.
"""

import json
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from harness.keep.scores import Scores
from harness.records import Attempt, Proposal, Status, to_json
from harness.show.words import cost, duration, gain, plain

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is known before the first attempt; `resumed_from` is the last one of earlier runs, 0 for a fresh search."""

    experiment: str
    proposer: str
    total: int
    resumed_from: int
    machine: str


class View(Protocol):
    """What a run tells about itself, in the order in which it happens."""

    def open(self, header: Header) -> None: ...
    def note(self, text: str) -> None: ...
    def asking(self, number: int) -> None: ...
    def replied(self, proposal: Proposal) -> None: ...
    def judging(self, number: int) -> None: ...
    def attempt(self, attempt: Attempt, scores: Scores) -> None: ...
    def close(self, reason: str, scores: Scores | None) -> None: ...


def choose_view(json: bool, plain: bool, stdout: TextIO | None) -> View:
    """JSON where asked for; the live view where somebody watches; else plain lines."""
    if json:
        return Json(stdout)
    if stdout and stdout.isatty() and not plain:
        from harness.show.live import Live, console_of  # rich is for people who watch: a pipe need not wait for it

        console = console_of(stdout)
        if not console.is_dumb_terminal:
            return Live(console)
    return Plain(stdout)


def harmless(text: str) -> str:
    """One line without control characters, escape sequences or directional marks."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class Json:
    """One JSON object a line, and nothing else."""

    def __init__(self, stdout: TextIO | None) -> None:
        self._stdout = stdout

    def open(self, header: Header) -> None:
        self._say("open", **to_json(header))

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def asking(self, number: int) -> None:
        self._say("asking", attempt=number)

    def replied(self, proposal: Proposal) -> None:
        self._say(
            "reply",
            attempt=proposal.number,
            parent=proposal.parent,
            model=proposal.model,
            seconds=proposal.seconds,
            finish_reason=proposal.finish_reason,
            usage=to_json(proposal.usage),
        )

    def judging(self, number: int) -> None:
        self._say("judging", attempt=number)

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        verdict, winner = attempt.verdict, scores.winner(attempt.number)
        self._say(
            "attempt",
            attempt=attempt.number,
            parent=attempt.parent,
            model=attempt.model,
            status=attempt.status.value,
            reason=verdict.reason,
            speedup=to_json(verdict.speedup),
            vs_champion=to_json(verdict.vs_champion),
            median_s=verdict.median_s,
            tags=list(attempt.candidate.tags) if attempt.candidate else [],
            commit=(winner.commit or None) if winner else None,
            usage=to_json(attempt.usage),
            **_standing(scores),
        )

    def close(self, reason: str, scores: Scores | None) -> None:
        self._say("close", reason=reason, **(_standing(scores) if scores else {}))

    def _say(self, event: str, **values: Any) -> None:
        print(json.dumps({"schema": SCHEMA, "event": event, **values}), file=self._stdout, flush=True)


def _standing(scores: Scores) -> dict[str, Any]:
    champion = scores.champion
    best = {"attempt": champion.attempt, "speedup": to_json(champion.speedup)} if champion else None
    return {"champion": best, "last_attempt": scores.last_attempt, "total_usage": to_json(scores.usage)}


class Plain:
    """A line an attempt, for pipes and logs."""

    def __init__(self, stdout: TextIO | None) -> None:
        self._stdout = stdout

    def open(self, header: Header) -> None:
        for line in opening(header):
            self._say(line)

    def note(self, text: str) -> None:
        self._say(text)

    def asking(self, number: int) -> None:
        pass  # a log needs no line for what it will know the end of

    def replied(self, proposal: Proposal) -> None:
        pass

    def judging(self, number: int) -> None:
        pass

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        columns = f"{attempt.number:>5}  {plain(attempt.status):<12}  {speed_text(attempt):>7}"
        print(f"{columns}  {harmless(attempt.verdict.reason)}".rstrip(), file=self._stdout, flush=True)
        if attempt.status is Status.BEST:
            self._say(best_line(scores))

    def close(self, reason: str, scores: Scores | None) -> None:
        for line in _closing(reason, scores):
            self._say(line)

    def _say(self, line: str) -> None:
        print(harmless(line), file=self._stdout, flush=True)


def opening(header: Header) -> list[str]:
    after = f", going on after attempt {header.resumed_from}" if header.resumed_from else ""
    attempts = f"{header.total} attempt{'' if header.total == 1 else 's'}"
    return [header.proposer, f"{header.experiment}: {attempts}{after}", header.machine]


def _closing(reason: str, scores: Scores | None) -> list[str]:
    return [*([best_line(scores), spent_line(scores)] if scores else []), reason]


def best_line(scores: Scores) -> str:
    champion = scores.champion
    if champion is None:
        return "no winner yet"
    speed = f"{gain(champion.speedup.ratio)} over the seed, " if champion.speedup else ""
    median, seed = (duration(one, scores.unit) for one in (champion.median_s, champion.seed_s))
    times = f" ({median} against {seed})" if champion.median_s else ""
    return f"best: {speed}attempt {champion.attempt}{times}"


def spent_line(scores: Scores) -> str:
    usage = scores.usage
    tokens = f"{usage.prompt_tokens:,} prompt, {usage.completion_tokens:,} completion, {usage.cached_tokens:,} cached"
    return f"tokens: {tokens}; cost {cost(usage)}" if usage.total_tokens else "tokens: none sent"


def speed_text(attempt: Attempt) -> str:
    return gain(attempt.verdict.speedup.ratio) if attempt.verdict.speedup else ""

"""The terminal while a search runs: a live view for people, plain lines for pipes, JSON lines for scripts.

Shows what it is told and decides nothing. What candidates and models said is stripped of all that acts on a terminal.
"""

import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from harness.keep.scores import Scores
from harness.records import Attempt, Status, to_json
from harness.show.words import cost, duration, gain

SCHEMA = 1
_ROWS = 8
_COLOURS = {Status.BEST: "bold green", Status.SPECIALIST: "green", Status.ACCEPTED: "green", Status.TIE: "yellow"}
_FAILED, _LOST = "red", "dim"


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
    def judging(self, number: int) -> None: ...
    def attempt(self, attempt: Attempt, scores: Scores) -> None: ...
    def close(self, reason: str, scores: Scores | None) -> None: ...


def choose_view(json: bool, plain: bool, stdout: TextIO) -> View:
    """JSON where asked for; the live view where somebody watches; else plain lines."""
    if json:
        return Json(stdout)
    console = Console(file=stdout, highlight=False)
    return Plain(stdout) if plain or not console.is_terminal or console.is_dumb_terminal else Live(console)


def harmless(text: str) -> str:
    """One line without control characters, escape sequences or directional marks."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


class Json:
    """One JSON object a line, and nothing else."""

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def open(self, header: Header) -> None:
        self._say("open", **to_json(header))

    def note(self, text: str) -> None:
        self._say("note", text=text)

    def asking(self, number: int) -> None:
        self._say("asking", attempt=number)

    def judging(self, number: int) -> None:
        self._say("judging", attempt=number)

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        verdict = attempt.verdict
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

    def __init__(self, stdout: TextIO) -> None:
        self._stdout = stdout

    def open(self, header: Header) -> None:
        for line in _opening(header):
            self._say(line)

    def note(self, text: str) -> None:
        self._say(text)

    def asking(self, number: int) -> None:
        pass  # a log needs no line for what it will know the end of

    def judging(self, number: int) -> None:
        pass

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        columns = f"{attempt.number:>5}  {_plain(attempt.status):<12}  {_speed(attempt):>7}"
        print(f"{columns}  {harmless(attempt.verdict.reason)}".rstrip(), file=self._stdout, flush=True)
        if attempt.status is Status.BEST:
            self._say(_best(scores))

    def close(self, reason: str, scores: Scores | None) -> None:
        for line in _closing(reason, scores):
            self._say(line)

    def _say(self, line: str) -> None:
        print(harmless(line), file=self._stdout, flush=True)


class Live:
    """Progress, champion and the last attempts, redrawn in place; notes scroll by above."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: deque[Attempt] = deque(maxlen=_ROWS)
        self._scores: Scores | None = None
        self._judging = 0  # what is asked for beside it is no news
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("starting", total=None, left="")
        self._began_s = time.monotonic()
        self._screen = Screen(
            get_renderable=self.render,
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def open(self, header: Header) -> None:
        for line in _opening(header):
            self._console.print(Text(harmless(line)))
        self._progress.update(self._task, total=header.total)
        self._began_s = time.monotonic()
        self._screen.start()

    def asking(self, number: int) -> None:
        if not self._judging:
            self._progress.update(self._task, description=f"asking for attempt {number}")

    def judging(self, number: int) -> None:
        self._judging = number
        self._progress.update(self._task, description=f"judging attempt {number}")

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        self._rows.append(attempt)
        self._scores, self._judging = scores, 0
        self._progress.advance(self._task)
        self._progress.update(self._task, left=self._time_left())
        if attempt.status.is_winner:
            self.note(f"attempt {attempt.number} is {_plain(attempt.status)}: {_speed(attempt)} over the seed")

    def note(self, text: str) -> None:
        self._console.print(Text(harmless(text)))

    def close(self, reason: str, scores: Scores | None) -> None:
        self._scores = scores or self._scores
        self._progress.update(self._task, description="ended", left="")
        self._screen.stop()
        self._console.print(Text(harmless(reason)))

    def render(self) -> Group:
        """The whole view as it stands."""
        scores = self._scores
        facts = [_best(scores), _spent(scores)] if scores else []
        return Group(self._progress, *(Text(harmless(fact)) for fact in facts), self._table())

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1), expand=True, show_header=False)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for attempt in self._rows:
            reason = Text(harmless(attempt.verdict.reason), style="dim")
            status = Text(_plain(attempt.status), style=_colour(attempt.status))
            table.add_row(str(attempt.number), status, _speed(attempt), reason)
        return table

    def _time_left(self) -> str:
        """By the mean of this run's attempts so far."""
        task = self._progress.tasks[self._task]
        left_s = (time.monotonic() - self._began_s) / task.completed * ((task.total or 0) - task.completed)
        return f"about {_clock(left_s)} left" if left_s >= 1 else ""


def _opening(header: Header) -> list[str]:
    after = f", going on after attempt {header.resumed_from}" if header.resumed_from else ""
    attempts = f"{header.total} attempt{'' if header.total == 1 else 's'}"
    return [header.proposer, f"{header.experiment}: {attempts}{after}", header.machine]


def _closing(reason: str, scores: Scores | None) -> list[str]:
    return [*([_best(scores), _spent(scores)] if scores else []), reason]


def _best(scores: Scores) -> str:
    champion = scores.champion
    if champion is None:
        return "no winner yet"
    speed = f"{gain(champion.speedup.ratio)} over the seed, " if champion.speedup else ""
    median, seed = (duration(one, scores.unit) for one in (champion.median_s, champion.seed_s))
    times = f" ({median} against {seed})" if champion.median_s else ""
    return f"best: {speed}attempt {champion.attempt}{times}"


def _spent(scores: Scores) -> str:
    usage = scores.usage
    tokens = f"{usage.prompt_tokens:,} prompt, {usage.completion_tokens:,} completion, {usage.cached_tokens:,} cached"
    return f"tokens: {tokens}; cost {cost(usage)}" if usage.total_tokens else "tokens: none sent"


def _speed(attempt: Attempt) -> str:
    return gain(attempt.verdict.speedup.ratio) if attempt.verdict.speedup else ""


def _plain(status: Status) -> str:
    return status.replace("_", " ")


def _colour(status: Status) -> str:
    return _COLOURS.get(status, _FAILED if status.is_failure else _LOST)


def _clock(seconds: float) -> str:
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 2 else f"{60 * minutes + rest_s} s"

"""The live view, for people who watch: progress, champion and the last attempts, redrawn in place."""

import time
from collections import deque
from typing import TextIO

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from harness.keep.scores import Scores
from harness.records import Attempt, Proposal, Status
from harness.show.views import Header, best_line, harmless, opening, speed_text, spent_line
from harness.show.words import plain

_ROWS = 8
_COLOURS = {Status.BEST: "bold green", Status.SPECIALIST: "green", Status.ACCEPTED: "green", Status.TIE: "yellow"}
_FAILED, _LOST = "red", "dim"


def console_of(stdout: TextIO) -> Console:
    return Console(file=stdout, highlight=False)


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
        for line in opening(header):
            self._console.print(Text(harmless(line)))
        self._progress.update(self._task, total=header.total)
        self._began_s = time.monotonic()
        self._screen.start()

    def asking(self, number: int) -> None:
        if not self._judging:
            self._progress.update(self._task, description=f"asking for attempt {number}")

    def replied(self, proposal: Proposal) -> None:
        pass  # it is judged at once, or what is judged now says why it waits

    def judging(self, number: int) -> None:
        self._judging = number
        self._progress.update(self._task, description=f"judging attempt {number}")

    def attempt(self, attempt: Attempt, scores: Scores) -> None:
        self._rows.append(attempt)
        self._scores, self._judging = scores, 0
        self._progress.advance(self._task)
        self._progress.update(self._task, left=self._time_left())
        if attempt.status.is_winner:
            self.note(f"attempt {attempt.number} is {plain(attempt.status)}: {speed_text(attempt)} over the seed")

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
        facts = [best_line(scores), spent_line(scores)] if scores else []
        return Group(self._progress, *(Text(harmless(fact)) for fact in facts), self._table())

    def _table(self) -> Table:
        table = Table(box=None, padding=(0, 1), expand=True, show_header=False)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        for attempt in self._rows:
            reason = Text(harmless(attempt.verdict.reason), style="dim")
            status = Text(plain(attempt.status), style=_colour(attempt.status))
            table.add_row(str(attempt.number), status, speed_text(attempt), reason)
        return table

    def _time_left(self) -> str:
        """By the mean of this run's attempts so far."""
        task = self._progress.tasks[self._task]
        left_s = (time.monotonic() - self._began_s) / task.completed * ((task.total or 0) - task.completed)
        return f"about {_clock(left_s)} left" if left_s >= 1 else ""


def _colour(status: Status) -> str:
    return _COLOURS.get(status, _FAILED if status.is_failure else _LOST)


def _clock(seconds: float) -> str:
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 2 else f"{60 * minutes + rest_s} s"

"""`status --watch`: the page again whenever it changes, from another terminal, until Ctrl-C. Takes no lock."""

import time
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from harness.contract import Experiment
from harness.show import pages

_EVERY_S = 0.25


def watch(experiment: Experiment, as_json: bool, stdout: TextIO) -> Iterator[str]:
    """On a terminal in place, elsewhere one page after the other: with JSON, an object for each change."""
    changes = _changes(experiment, as_json)
    console = Console(file=stdout, highlight=False)
    if as_json or not console.is_terminal or console.is_dumb_terminal:
        yield from changes
        return
    with Live(console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live:
        for page in changes:
            live.update(Text(page), refresh=True)


def _changes(experiment: Experiment, as_json: bool) -> Iterator[str]:
    last = ""
    while True:
        page = pages.status(experiment, as_json)
        if page != last:
            yield page
        last = page
        time.sleep(_EVERY_S)

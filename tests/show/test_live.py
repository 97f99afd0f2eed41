import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness.keep.scores import Scores
from harness.records import Attempt, Status
from harness.show.live import Live
from harness.show.views import Header, Json, Plain, View, choose_view, harmless
from keep.samples import MACHINE, attempt, proposal, search

ROOT = Path(__file__).parents[2]
HEADER = Header(experiment="linear", proposer="builtin: no model was named", total=20, resumed_from=0, machine=MACHINE)
NASTY = "[bold red]x[/bold red] [/] [link=http://e]y[/link] \x1b[2J\x1b]0;title\x07 \x9b1m \u202eleft\nnext"


def _play(view: View, *attempts: Attempt) -> Scores:
    scores = Scores(search="s1", experiment="linear")
    view.open(HEADER)
    for one in attempts:
        view.asking(one.number)
        view.replied(proposal(one.number))
        view.judging(one.number)
        scores.fold(one)
        view.attempt(one, scores)
    return scores


def _frame(*attempts: Attempt, width: int = 100, colours: bool = False) -> str:
    """What the live view shows after these attempts, as text."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=True, color_system="standard" if colours else None, _environ={}
    )
    view = Live(console)
    scores = Scores(search="s1", experiment="linear")
    for one in attempts:
        scores.fold(one)
        view.attempt(one, scores)
    with console.capture() as captured:
        console.print(view.render())
    return captured.get()


def test_plain_lines_tell_an_attempt_each() -> None:
    out = io.StringIO()
    _play(
        Plain(out),
        attempt(1, Status.WRONG, reason="output 5 is off"),
        attempt(2, Status.SLOWER, 0.91, reason="9% more"),
    )
    assert out.getvalue().splitlines()[3:] == [
        "    1  wrong                  output 5 is off",
        "    2  slower         x0.910  9% more",
    ]


def test_plain_lines_open_with_who_searches_what_and_where() -> None:
    out = io.StringIO()
    Plain(out).open(HEADER)
    assert out.getvalue().splitlines() == ["builtin: no model was named", "linear: 20 attempts", MACHINE]


def test_a_resumed_search_says_where_it_goes_on() -> None:
    out = io.StringIO()
    Plain(out).open(Header(experiment="linear", proposer="x", total=1, resumed_from=7, machine="m"))
    assert out.getvalue().splitlines()[1] == "linear: 1 attempt, going on after attempt 7"


def test_a_note_is_one_harmless_line() -> None:
    out = io.StringIO()
    Plain(out).note("another machine:\x1b[2J\nmeasuring")
    assert out.getvalue() == "another machine: [2J measuring\n"


def test_a_note_is_an_event_of_its_own_in_json() -> None:
    out = io.StringIO()
    Json(out).note("another machine")
    assert json.loads(out.getvalue()) == {"schema": 1, "event": "note", "text": "another machine"}


def test_plain_lines_close_with_the_best_the_cost_and_the_reason() -> None:
    out = io.StringIO()
    view = Plain(out)
    scores = _play(view, attempt(1, Status.BEST, 1.5))
    view.close("20 attempts made", scores)
    assert out.getvalue().splitlines()[-3:] == [
        "best: x1.500 over the seed, attempt 1 (26.7 µs against 40.0 µs)",
        "tokens: 3,000 prompt, 900 completion, 1,000 cached; cost $0.0021",
        "20 attempts made",
    ]


def test_json_is_one_object_a_line_with_schema_and_event() -> None:
    out = io.StringIO()
    view = Json(out)
    scores = _play(view, attempt(1, Status.BEST, 1.5))
    view.close("done", scores)
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [one["event"] for one in said] == ["open", "asking", "reply", "judging", "attempt", "close"]
    assert {one["schema"] for one in said} == {1}


def test_a_json_attempt_has_status_reason_speedup_and_champion() -> None:
    out = io.StringIO()
    _play(Json(out), attempt(1, Status.BEST, 1.5, reason="33% less time"))
    said = json.loads(out.getvalue().splitlines()[-1])
    assert (said["attempt"], said["status"], said["reason"]) == (1, "best", "33% less time")
    assert said["speedup"] == pytest.approx({"ratio": 1.5, "low": 1.485, "high": 1.515})
    assert said["champion"]["attempt"] == 1


def test_json_after_an_error_closes_without_standings() -> None:
    out = io.StringIO()
    Json(out).close("stopped by an error", None)
    assert json.loads(out.getvalue()) == {"schema": 1, "event": "close", "reason": "stopped by an error"}


def test_the_live_view_shows_the_champion_the_last_attempts_and_the_cost() -> None:
    shown = _frame(*search(14))
    assert "best: x1.447 over the seed, attempt 10" in shown
    assert " 14  unreadable" in shown and "  6  " not in shown
    assert "cost $0.0300" in shown


@pytest.mark.parametrize("width", [30, 44, 80, 200])
def test_no_line_of_the_live_view_is_wider_than_the_terminal(width: int) -> None:
    lines = _frame(*search(14), attempt(15, Status.WRONG, reason="long " * 80), width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_an_attempt_takes_one_line_however_long_its_reason() -> None:
    assert len(_frame(attempt(1, Status.WRONG, reason="long " * 80)).splitlines()) == 4


def test_statuses_are_coloured() -> None:
    assert "\x1b[31mwrong" in _frame(attempt(1, Status.WRONG), colours=True)


def test_words_of_a_candidate_cannot_act_on_the_terminal() -> None:
    shown = _frame(attempt(1, Status.WRONG, reason=NASTY), width=300)
    assert "[bold red]x[/bold red] [/] [link=http://e]y[/link]" in shown
    assert not {char for char in shown if not char.isprintable()} - {"\n"}


def test_words_of_a_candidate_cannot_act_on_a_pipe() -> None:
    out = io.StringIO()
    _play(Plain(out), attempt(1, Status.WRONG, reason=NASTY))
    assert len(out.getvalue().splitlines()) == 4
    assert not {char for char in out.getvalue() if not char.isprintable()} - {"\n"}


def test_harmless_text_is_one_printable_line() -> None:
    assert harmless(NASTY).isprintable()


def test_json_goes_before_everything_else() -> None:
    assert isinstance(choose_view(True, True, sys.stdout), Json)


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(choose_view(False, False, io.StringIO()), Plain)


def _in_a_terminal(program: str, **environ: str) -> str:
    """What a program prints when its output is a real terminal."""
    ours, theirs = pty.openpty()
    setting = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    setting |= {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))), "TERM": "xterm-256color", **environ}
    child = subprocess.Popen([sys.executable, "-c", program], stdout=theirs, env=setting)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # how Linux says that the other end has been closed
        pass
    finally:
        os.close(ours)
        child.wait()
    return seen.decode()


RUN = """
import sys
from keep.samples import attempt
from harness.records import Status
from harness.keep.scores import Scores
from harness.show.views import Header, choose_view
view = choose_view(False, {plain}, sys.stdout)
scores = Scores(search="s", experiment="linear")
view.open(Header(experiment="linear", proposer="p", total=2, resumed_from=0, machine="m"))
scores.fold(attempt(1, Status.BEST, 1.5)); view.attempt(attempt(1, Status.BEST, 1.5), scores)
view.close("1 attempt made", scores)
"""


def test_a_terminal_gets_the_live_view_and_keeps_its_last_frame() -> None:
    seen = _in_a_terminal(RUN.format(plain=False))
    assert "1/2" in seen and "\x1b[" in seen
    assert "1 attempt made" in seen.splitlines()[-1]


def test_plain_is_plain_in_a_terminal_too() -> None:
    assert "\x1b" not in _in_a_terminal(RUN.format(plain=True))


def test_no_color_is_heeded() -> None:
    seen = _in_a_terminal(RUN.format(plain=False), NO_COLOR="1")
    assert "\x1b[32m" not in seen and "\x1b[1;32m" not in seen


def test_a_dumb_terminal_gets_plain_lines() -> None:
    assert "\x1b" not in _in_a_terminal(RUN.format(plain=False), TERM="dumb")

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.ask.tokens import TokenCounter, estimate, upper_bound
from harness.contract import ROOT

COUNT = "from harness.ask.tokens import TokenCounter; c = TokenCounter(); print(c.count('a' * 30), c.name)"


def run(code: str, **environ: str) -> tuple[str, float]:
    """What the code prints in a process of its own, and how long that took."""
    began_s = time.monotonic()
    command, env = [sys.executable, "-c", code], {**os.environ, **environ}
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip(), time.monotonic() - began_s


def unreachable(tmp_path: Path, port: int) -> dict[str, str]:
    proxy = f"http://127.0.0.1:{port}"
    return {
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "NO_PROXY": "",
        "no_proxy": "",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "TIKTOKEN_CACHE_DIR": str(tmp_path / "tables"),
    }


def test_an_estimate_lies_below_its_upper_bound() -> None:
    text = "for (int i = 0; i < n; i++) { sum += x[i]; }\n" * 20
    assert 0 < estimate(text) < upper_bound(text) <= len(text)


@pytest.mark.parametrize("text", ["", "\ud800", "é" * 10])
def test_any_text_has_an_estimate(text: str) -> None:
    assert estimate(text) >= 0


def test_a_table_that_cannot_be_downloaded_gives_a_labelled_estimate(tmp_path: Path) -> None:
    output, _ = run(COUNT, **unreachable(tmp_path, 9))
    assert output == "10 estimate"


def test_a_network_that_never_answers_costs_about_a_second(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        output, seconds = run(COUNT, **unreachable(tmp_path, silent.getsockname()[1]))
    assert (output, seconds < 2.5) == ("10 estimate", True)


def test_a_failure_is_remembered_and_not_tried_again(tmp_path: Path) -> None:
    tried = COUNT + "; import sys; print('tiktoken' in sys.modules)"
    run(COUNT, **unreachable(tmp_path, 9))
    assert run(tried, **unreachable(tmp_path, 9))[0] == "10 estimate\nFalse"


def test_a_failure_of_yesterday_is_forgotten(tmp_path: Path) -> None:
    tried = COUNT + "; import sys; print('tiktoken' in sys.modules)"
    run(COUNT, **unreachable(tmp_path, 9))
    note = tmp_path / "cache" / "loop.py" / "no-tiktoken"
    os.utime(note, (time.time() - 90_000,) * 2)
    assert run(tried, **unreachable(tmp_path, 9))[0] == "10 estimate\nTrue"


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder is wanted")
    assert run(COUNT, **unreachable(tmp_path, 9))[0] == "10 estimate"


def test_making_a_counter_neither_imports_nor_asks_anything(tmp_path: Path) -> None:
    code = "import sys; from harness.ask.tokens import TokenCounter; TokenCounter(); print('tiktoken' in sys.modules)"
    assert run(code, **unreachable(tmp_path, 9))[0] == "False"


def test_a_prompt_that_surely_fits_is_rendered_without_tiktoken(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from harness.ask.prompt import Context\nfrom harness.ask.rendering import render\n"
        "from harness.ask.tokens import TokenCounter\n"
        "from harness.contract import ROOT, load\n"
        "from harness.records import Parent\n"
        "linear = load(ROOT / 'linear')\n"
        "context = Context(experiment=linear, number=1, parent=Parent(ref='seed', source='int a;'), machine={})\n"
        "print(render(linear, context, TokenCounter()).counted_by, 'tiktoken' in sys.modules)\n"
    )
    assert run(code, **unreachable(tmp_path, 9))[0] == "estimate False"


def test_the_decision_is_made_once_for_a_counter(tmp_path: Path) -> None:
    folder = tmp_path / "loop.py"
    folder.mkdir()
    note = folder / "no-tiktoken"
    note.touch()
    counter = TokenCounter({"XDG_CACHE_HOME": str(tmp_path), "TIKTOKEN_CACHE_DIR": str(tmp_path / "tables")})
    first = counter.name
    note.unlink()
    assert (first, counter.name) == ("estimate", "estimate")

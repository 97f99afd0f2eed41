"""The copy that a command runs in, laid out for real: what cannot be a file there, or cannot be copied, is said so."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from scratch import Done, is_plain_error, loop

SOURCE = "def f():\n    return 7\n"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """An experiment with a command, and a folder `results` in what is copied for each run."""
    (tmp_path / "f.py").write_text(SOURCE)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "old").write_text("m: 1\n")
    done = loop(
        *("new", "./made", "--source", "f.py", "--function", "f", "--metric", "m", "--goal", "minimize"),
        *("--eval-command", "sed -n 's/.*return /m: /p' f.py", "--with", "results"),
        cwd=tmp_path,
    )
    assert done.code == 0, done.err
    return tmp_path / "made"


def changed(made: Path, **command: str) -> Path:
    path = made / "experiment.json"
    manifest: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"command": manifest["command"] | command}))
    return made


def judged(made: Path) -> Done:
    return loop("judge", made, "--file", made / "naive.py")


@pytest.mark.parametrize("path", ["results", "results/old/new"])
@pytest.mark.parametrize("key", ["output", "place"])
def test_what_cannot_be_a_file_in_the_copy_is_named(made: Path, key: str, path: str) -> None:
    done = judged(changed(made, **{key: path}))
    assert is_plain_error(done), done.err
    assert f"command.{key} is {path}, which cannot be a file in its copy" in done.err


def test_what_cannot_be_copied_for_a_run_is_named(made: Path) -> None:
    os.mkfifo(made / "project" / "results" / "pipe")
    done = judged(made)
    assert is_plain_error(done), done.err
    assert "cannot copy" in done.err and "results/pipe` is a named pipe" in done.err


def test_a_candidate_may_be_run_where_the_seed_may(made: Path) -> None:
    command = "test -x f.py && sed -n 's/.*return /m: /p' f.py"
    assert "ended with 1" in judged(changed(made, run=command)).err
    (made / "naive.py").chmod(0o755)
    assert judged(made).code == 0

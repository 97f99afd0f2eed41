"""`verify`, and a search that moved to another machine: real runs over a small experiment with one winner. Another
machine is what SCORES.json says the winner was measured on."""

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import scratch
from documented import differences
from scratch import Done, fenced, git, loop

ELSEWHERE = "Other CPU (AVX-512), 8 cores, gcc 13.1.0, Linux 6.8"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the experiment, searched until it had a winner."""
    repository = tmp_path_factory.mktemp("searched")
    experiment = scratch.write_total(repository / "total")
    scratch.make_repository(repository)
    replies = scratch.write_replies(repository / "replies", fenced(scratch.FASTER))
    assert loop(experiment, "--model", replies, "--json").statuses == ["best"]
    return repository


@pytest.fixture
def experiment(searched: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(searched, tmp_path / "repository")) / "total"


@pytest.fixture
def moved(experiment: Path) -> Path:
    """The experiment as another machine's search left it, freshly cloned: without runs/."""
    shutil.rmtree(experiment / "runs")
    path = experiment / "SCORES.json"
    here = _scores(experiment)["machine"]
    path.write_text(path.read_text().replace(json.dumps(here), json.dumps(ELSEWHERE)))
    return experiment


def _scores(experiment: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((experiment / "SCORES.json").read_text())
    return found


def _winner_file(experiment: Path) -> Path:
    (path,) = (experiment / "winners").iterdir()
    return path


def _go_on(experiment: Path, *arguments: str) -> Done:
    replies = scratch.write_replies(experiment.parent / "more", scratch.PROSE, scratch.PROSE)
    return loop(experiment, "--model", replies, "--no-commit", *arguments)


def _total(experiment: Path) -> str:
    return _winner_file(experiment).stem


def _claim(experiment: Path, speedup: Mapping[str, float]) -> None:
    scores = _scores(experiment)
    (winner,) = scores["winners"]
    (experiment / "SCORES.json").write_text(json.dumps(scores | {"winners": [winner | {"speedup": speedup}]}))


def test_a_champion_that_holds_is_said_to_hold_and_nothing_is_committed(experiment: Path) -> None:
    # What was claimed is held to an interval; one that is sure to be reached keeps the machine's hour out of this test.
    _claim(experiment, {"ratio": 1.5, "low": 1.4, "high": 1.6})
    head = git(experiment.parent, "rev-parse", "HEAD")
    done = loop("verify", experiment)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{_total(experiment)}: x")
    assert "holds" in done.out and "nothing is committed" in done.out
    assert git(experiment.parent, "rev-parse", "HEAD") == head
    event = scratch.journal(experiment)[-1]
    assert (event["kind"], event["attempt"], event["number"]) == ("verified", 1, 1)
    assert _scores(experiment)["winners"][0]["speedup"] == event["verdict"]["speedup"]


def test_a_title_that_is_lost_goes_to_a_winner_that_is_measured_too(experiment: Path) -> None:
    _winner_file(experiment).write_text(scratch.WRONG)
    scores = _scores(experiment)
    former = scores["winners"][0] | {"attempt": 2, "commit": "c0ffee" * 6 + "c0de"}
    (experiment / "winners" / f"{former['commit'][:12]}.c").write_text(scratch.FASTER)
    (experiment / "SCORES.json").write_text(json.dumps(scores | {"winners": [*scores["winners"], former]}))
    done = loop("verify", experiment, "--json")
    assert {line["schema"] for line in done.lines} == {1}
    assert differences("verify", done.lines, unseen=["note"]) == []
    assert [line["event"] for line in done.lines] == ["measured", "measured", "winner", "winner", "close"], done.err
    champion, next_best = done.lines[2:4]
    assert (champion["status"], next_best["status"]) == ("wrong", "accepted")
    assert champion["meaning"].startswith("fails here: wrong: ")
    assert champion["meaning"].endswith(f"; no longer the best: {former['commit'][:12]} is")
    assert (experiment / "candidate.c").read_text() == scratch.FASTER


def test_another_winner_is_measured_beside_the_champion_and_takes_no_title_by_luck(experiment: Path) -> None:
    scores = _scores(experiment)
    other = scores["winners"][0] | {"attempt": 2, "commit": "c0ffee" * 6 + "c0de"}
    (experiment / "winners" / f"{other['commit'][:12]}.c").write_text(scratch.FASTER)
    (experiment / "SCORES.json").write_text(json.dumps(scores | {"winners": [*scores["winners"], other]}))
    assert loop("verify", experiment, "--all").code == 0
    first, second = (event["verdict"] for event in scratch.journal(experiment)[-2:])
    assert first["vs_champion"] is None and second["vs_champion"] is not None
    assert math.isclose(second["gain"], first["speedup"]["ratio"] * second["vs_champion"]["ratio"])
    assert _scores(experiment)["champion_attempt"] == 1


def test_a_winner_without_a_file_is_skipped_and_keeps_its_row(experiment: Path) -> None:
    _winner_file(experiment).unlink()
    before = _scores(experiment)
    done = loop("verify", experiment)
    assert (done.code, _scores(experiment)) == (0, before)
    assert "skipped: no file of it is left" in done.out


@pytest.fixture
def seeded(experiment: Path) -> Path:
    """The experiment after its seed.py: nothing has won in this search, and winners/ has the winner before."""
    assert loop("seed", experiment).code == 0
    return experiment


def test_all_measures_the_archived_winners_of_earlier_searches_and_gives_them_no_title(seeded: Path) -> None:
    done = loop("verify", seeded, "--all")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("to be measured: 0 of this search, 1 archived without a row in its scores\n")
    assert f"\n{_total(seeded)}: x" in done.out and "holds" in done.out
    assert _scores(seeded)["winners"] == []


def test_an_archived_winner_is_a_line_of_json_without_an_attempt(seeded: Path) -> None:
    _winner_file(seeded).write_text(scratch.WRONG)
    done = loop("verify", seeded, "--all", "--json")
    assert differences("verify", done.lines) == []
    assert [line["event"] for line in done.lines] == ["note", "measured", "winner", "close"]
    found = done.lines[2]
    assert (found["attempt"], found["commit"], found["status"]) == (None, _total(seeded), "wrong")


def test_where_nothing_has_won_verify_says_so(tmp_path: Path) -> None:
    fresh = scratch.write_total(tmp_path / "total")
    done = loop("verify", fresh)
    assert scratch.is_plain_error(done), done.err
    assert "total has no winner to verify." in done.err and "--loop 10" in done.err
    assert not (fresh / "runs").exists()


def test_on_another_machine_a_search_measures_its_champion_first(moved: Path) -> None:
    done = _go_on(moved, "--plain")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    told = lines.index("another machine: measuring the champion here first")
    assert lines[told + 1].startswith(f"{_total(moved)}: x")
    assert scratch.kinds(moved) == ["seeded", "verified", "proposed", "judged"]
    scores = _scores(moved)
    assert ELSEWHERE not in (scores["machine"], scores["seed"]["machine"], scores["winners"][0]["machine"])
    assert scores["champion_attempt"] == 1


def test_a_search_whose_champion_fails_on_this_machine_goes_on_from_the_seed(moved: Path) -> None:
    _winner_file(moved).write_text(scratch.WRONG)
    done = _go_on(moved, "--json")
    assert (done.code, done.err) == (0, "")
    notes = [line["text"] for line in done.lines if line["event"] == "note"]
    assert notes[-1] == "no champion here: going on from seed"
    assert [line["parent"] for line in done.lines if line["event"] == "attempt"] == ["seed"]
    assert (moved / "candidate.c").read_text() == scratch.SEED
    prompt = (moved / "runs" / "0002" / "prompt.md").read_text()
    assert scratch.SEED in prompt and "fails on this machine (`wrong: " in prompt

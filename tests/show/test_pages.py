"""The verbs that only look: each page says what it promises, in words and as JSON, also while nothing is there yet."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from documented import differences
from harness import catalog, contract
from harness.contract import Experiment
from harness.errors import HarnessError
from harness.keep.artifacts import Artifacts
from harness.keep.scores import Scores
from harness.records import Attempt, Candidate, Status, Usage
from harness.show import pages
from keep.samples import attempt, proposal
from scratch import FASTER, SEED, write_total

COMMIT = "1f6d0c2aa5b3"
REPLY = "Four sums.\x1b[2J\n"


@pytest.fixture
def fresh(tmp_path: Path) -> Experiment:
    """An experiment that was never searched."""
    return contract.load(write_total(tmp_path / "total"))


def _winner() -> Attempt:
    made = attempt(2, Status.BEST, 2.5)
    return replace(made, candidate=Candidate(source=FASTER, digest="2", tags=("unrolled",)))


@pytest.fixture
def searched(fresh: Experiment) -> Experiment:
    """Two attempts: one that was wrong, and the champion."""
    scores = Scores(search="s1", experiment="total")
    for one in (attempt(1, Status.WRONG), _winner()):
        scores.fold(one)
        answer = replace(proposal(one.number), reply=REPLY)
        artifacts = Artifacts(fresh.runs, fresh.suffix)
        artifacts.asked(one.number, "the prompt")
        artifacts.write(answer, one)
    scores.committed(2, COMMIT)
    (fresh.folder / "SCORES.json").write_text(scores.text())
    fresh.winners.mkdir()
    (fresh.winners / f"{COMMIT}.c").write_text(FASTER)
    return fresh


def test_the_status_of_a_fresh_search_says_how_to_begin(fresh: Experiment) -> None:
    text = pages.status(fresh, as_json=False)
    assert text.splitlines()[0] == "total: 0 attempts"
    assert text.splitlines()[-1].endswith(f"python loop.py {fresh.folder} --loop 10")


def test_the_status_names_the_champion_with_its_gain_and_commit(searched: Experiment) -> None:
    (best,) = [line for line in pages.status(searched, as_json=False).splitlines() if line.startswith("  best")]
    assert "x2.500 over the seed" in best and "attempt 2" in best and COMMIT in best


def test_the_status_counts_how_attempts_ended(searched: Experiment) -> None:
    assert "1 wrong" in pages.status(searched, as_json=False)


def test_the_status_as_json_is_one_line_with_a_schema(searched: Experiment) -> None:
    text = pages.status(searched, as_json=True)
    found = json.loads(text)
    assert (len(text.splitlines()), found["schema"], found["attempts"], found["champion"]["attempt"]) == (1, 1, 2, 2)


def test_an_unknown_cost_is_not_shown_as_nothing(fresh: Experiment) -> None:
    scores = Scores(search="s1", experiment="total")
    scores.fold(replace(attempt(1), usage=Usage(prompt_tokens=5, cost_usd=None)))
    (fresh.folder / "SCORES.json").write_text(scores.text())
    assert "unknown" in pages.status(fresh, as_json=False) and "$" not in pages.status(fresh, as_json=False)


def test_show_prints_every_file_of_the_champions_attempt(searched: Experiment) -> None:
    text = pages.show(searched, "best", as_json=False)
    headings = [line for line in text.splitlines() if line.startswith("--- ")]
    names = ["prompt.md", "reply.md", "candidate.c", "verdict.json"]
    assert headings == [f"--- runs/0002/{name}" for name in names]
    assert "float a = 0" in text


def test_show_gives_a_winners_source_where_runs_holds_nothing_of_it_or_another_clones(searched: Experiment) -> None:
    (searched.runs / "0002" / "candidate.c").write_text("int other;")
    assert pages.show(searched, "best", as_json=False).startswith(f"--- winners/{COMMIT}.c\n")
    shutil.rmtree(searched.runs)
    assert pages.show(searched, "2", as_json=False).startswith(f"--- winners/{COMMIT}.c\n")


def test_show_lets_nothing_of_a_reply_act_on_the_terminal(searched: Experiment) -> None:
    assert "\x1b" not in pages.show(searched, "1", as_json=False)


def test_show_as_json_gives_the_files_as_they_are(searched: Experiment) -> None:
    found = json.loads(pages.show(searched, "2", as_json=True))
    assert (found["schema"], found["attempt"], found["files"]["reply.md"]) == (1, 2, REPLY)


@pytest.mark.parametrize(
    ("what", "said"), [("best", "no champion yet"), ("7", "nothing is kept"), ("x", "not an attempt")]
)
def test_show_says_why_there_is_nothing_to_show(fresh: Experiment, what: str, said: str) -> None:
    with pytest.raises(HarnessError) as caught:
        pages.show(fresh, what, as_json=False)
    assert said in caught.value.message and caught.value.hint


def test_a_diff_has_the_names_and_the_lines_that_changed(searched: Experiment) -> None:
    text = pages.diff(searched, "seed", "best", as_json=False)
    assert text.splitlines()[:2] == ["--- seed", "+++ best"]
    assert "-    float sum = 0.0f;" in text and "+    float a = 0, b = 0, c = 0, d = 0;" in text


def test_a_diff_of_the_same_source_says_so(searched: Experiment) -> None:
    assert pages.diff(searched, "seed", "current", as_json=False) == "seed and current are the same."


def test_a_diff_reads_an_archived_winner_by_its_commit(searched: Experiment) -> None:
    (searched.winners / f"{COMMIT}.c").write_text(SEED)
    assert pages.diff(searched, COMMIT[:7], "seed", as_json=False).endswith("are the same.")


def test_a_diff_as_json_is_one_object(searched: Experiment) -> None:
    found = json.loads(pages.diff(searched, "seed", "2", as_json=True))
    assert (found["schema"], found["old"], found["new"]) == (1, "seed", "2")
    assert found["diff"].startswith("--- seed\n+++ 2\n")


def test_the_list_has_a_line_for_each_experiment() -> None:
    lines = pages.listing(as_json=False).splitlines()
    assert [line.split()[0] for line in lines] == catalog.names()


def test_the_list_as_json_has_an_object_for_each_experiment() -> None:
    rows = [json.loads(line) for line in pages.listing(as_json=True).splitlines()]
    assert [(row["schema"], row["experiment"]) for row in rows] == [(1, name) for name in catalog.names()]


def test_an_experiment_of_the_house_is_called_by_its_name() -> None:
    assert pages.called(contract.load(catalog.locate("linear"))) == "linear"


def test_an_experiment_elsewhere_is_called_by_its_path_in_quotes_where_needed(tmp_path: Path) -> None:
    experiment = contract.load(write_total(tmp_path / "my total"))
    assert pages.called(experiment) == f"'{experiment.folder}'"


def test_what_the_pages_say_as_json_is_documented(searched: Experiment) -> None:
    assert differences("status", [json.loads(pages.status(searched, as_json=True))]) == []
    assert differences("show", [json.loads(pages.show(searched, "2", as_json=True))]) == []
    assert differences("diff", [json.loads(pages.diff(searched, "seed", "best", as_json=True))]) == []

"""A whole search as one document, and as a table: what pandas and people's scripts read."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from documented import differences
from harness import contract
from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.store import Store
from harness.records import Attempt, Candidate, Status
from harness.show import trajectory
from harness.show.snapshots import PAGES
from keep.samples import attempt, proposal
from scratch import FASTER, SEED, SLOWER, loop, write_total


def _attempts() -> list[Attempt]:
    """One that cannot be read, the best, and one made from that."""
    best = replace(attempt(2, Status.BEST, 2.5), parent="seed", candidate=Candidate(source=FASTER, digest="2"))
    child = replace(attempt(3, Status.SLOWER, 0.8), parent="2", candidate=Candidate(source=SLOWER, digest="3"))
    return [replace(attempt(1, Status.UNREADABLE), parent="seed", candidate=None), best, child]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Three attempts, and a reply that waits for its verdict."""
    experiment = contract.load(write_total(tmp_path_factory.mktemp("searched") / "total"))
    with Store(experiment, PAGES, commit=False) as store:
        for one in _attempts():
            store.proposed(replace(proposal(one.number), parent=one.parent), f"prompt {one.number}")
            store.keep(one)
        asked = {"request": '{"model": "m", "temperature": 0.5}', "answer": '{"id": "c-4"}', "failures": ("m: 503",)}
        store.proposed(replace(proposal(4), parent="2", **asked), "prompt 4")
    return experiment


@pytest.fixture
def document(searched: Experiment) -> Any:
    return json.loads("\n".join(trajectory.document(searched)))


def test_every_attempt_is_a_step_with_its_prompt_and_reply(document: Any) -> None:
    assert [step["attempt"] for step in document["steps"]] == [1, 2, 3, 4]
    assert [step["prompt"] for step in document["steps"]] == [f"prompt {n}" for n in range(1, 5)]
    assert [step["reply"] for step in document["steps"]] == [proposal(n).reply for n in range(1, 5)]


def test_a_step_carries_the_whole_verdict_and_the_candidate(document: Any) -> None:
    step = document["steps"][1]
    assert (step["verdict"]["status"], step["verdict"]["speedup"]["ratio"]) == ("best", 2.5)
    assert step["candidate"]["source"] == FASTER


def test_the_diff_is_to_the_parent_of_the_step(document: Any) -> None:
    removed = [line[1:] for line in document["steps"][2]["diff"].splitlines() if line.startswith("-")]
    assert "    float a = 0, b = 0, c = 0, d = 0;" in removed
    assert document["steps"][0]["diff"] is None


def test_a_step_says_who_was_asked_and_what_came_beside_the_reply(document: Any) -> None:
    found = [(step["request"], step["answer"], step["failures"]) for step in document["steps"][2:]]
    assert found == [(None, "", []), ({"model": "m", "temperature": 0.5}, '{"id": "c-4"}', ["m: 503"])]


def test_a_reply_that_waits_has_no_verdict_yet(document: Any) -> None:
    assert (document["steps"][3]["verdict"], document["steps"][3]["judged_at"]) == (None, None)


def test_the_document_says_what_was_searched_and_from_where(document: Any) -> None:
    assert (document["schema"], document["experiment"], document["champion"]) == (1, "total", 2)
    assert (document["seed"], document["start"]) == (SEED, "seed")


def test_the_table_has_a_row_for_each_judged_attempt(searched: Experiment) -> None:
    rows = list(csv.DictReader(trajectory.table(searched)))
    assert [row["status"] for row in rows] == ["unreadable", "best", "slower"]
    assert [float(row["speedup"] or "nan") for row in rows[1:]] == [2.5, 0.8]


def test_a_parent_whose_file_is_gone_leaves_the_diff_out(searched: Experiment, tmp_path: Path) -> None:
    copy = tmp_path / "total"
    shutil.copytree(searched.folder, copy)
    shutil.rmtree(copy / "runs" / "0002")
    shutil.rmtree(copy / "winners")
    steps = json.loads("\n".join(trajectory.document(contract.load(copy))))["steps"]
    assert (steps[2]["diff"], steps[1]["prompt"]) == (None, None)


def test_without_a_journal_the_way_to_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeepError, match="no journal on this machine"):
        list(trajectory.document(contract.load(write_total(tmp_path / "total"))))


@pytest.mark.parametrize("option", ["--trajectory", "--csv"])
def test_a_whole_search_and_one_attempt_are_not_asked_for_at_once(searched: Experiment, option: str) -> None:
    done = loop("show", searched.folder, "2", option)
    assert (done.code, done.out) == (1, "")
    assert f"error: {option} gives the whole search, not 2." in done.err


def test_the_document_is_documented(document: Any) -> None:
    steps = document.pop("steps")
    assert differences("trajectory", [document | {"steps": ["..."]}], unseen=["step"]) == []
    assert differences("trajectory", [{"event": "step", **step} for step in steps], unseen=[""]) == []

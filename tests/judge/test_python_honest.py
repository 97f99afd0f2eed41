"""Honest Python candidates of every style pass the judge: what looks suspicious and is fine must not be refused."""

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt")

from harness import contract
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.records import Status

CORPUS = sorted((Path(__file__).parents[1] / "honest" / "python").glob("*.py"))


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(contract.load(contract.ROOT / "hello_world"), Stop())


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in CORPUS])
def test_an_honest_candidate_is_admitted_to_the_measurement(path: Path, judge: Judge) -> None:
    assert judge.prepare(path.read_text()).fault is None


@pytest.mark.parametrize(("name", "status"), [("sum_of_weight_first", Status.BEST), ("rows_in_a_loop", Status.SLOWER)])
def test_an_honest_candidate_gets_what_it_deserves(name: str, status: Status, judge: Judge) -> None:
    source = next(path for path in CORPUS if path.stem == name).read_text()
    found = judge.judge(source, Rivals(champion=judge.seed), Standings(is_new_combination=True), alpha=0.05)
    assert found.status is status, found.reason


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 15

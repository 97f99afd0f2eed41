import shutil
from pathlib import Path

import pytest

import scratch
from harness.contract import Experiment, load
from harness.errors import KeepError
from harness.keep.store import ASIDE, Store, start_over
from harness.records import Status
from harness.show.snapshots import PAGES
from keep.samples import attempt, proposal


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return load(scratch.write_total(tmp_path / "total"))


def _attempt(experiment: Experiment, number: int, status: Status) -> None:
    with Store(experiment, PAGES, commit=False) as store:
        store.proposed(proposal(number), "the prompt")
        store.keep(attempt(number, status, 1.5))


def test_a_winner_that_no_commit_holds_is_found_without_runs(experiment: Experiment) -> None:
    _attempt(experiment, 1, Status.BEST)
    with Store(experiment, PAGES, commit=False) as store:
        source = store.champion_source()
    shutil.rmtree(experiment.runs)
    with Store(experiment, PAGES, commit=False) as store:
        assert store.champion_source() == source


def test_a_memory_that_could_not_be_written_is_made_good_by_the_next_run(experiment: Experiment) -> None:
    _attempt(experiment, 1, Status.WRONG)
    memory = experiment.folder / "MEMORY.json"
    before = memory.read_text()
    with pytest.raises(KeepError, match=r"MEMORY\.json"), Store(experiment, PAGES, commit=False) as store:
        memory.unlink()
        (memory / "in the way").mkdir(parents=True)
        store.proposed(proposal(2), "the prompt")
        store.keep(attempt(2, Status.WRONG))
    shutil.rmtree(memory)
    memory.write_text(before)
    (experiment.runs / "journal.jsonl").unlink()  # as after a clone, which has the snapshots alone
    with Store(experiment, PAGES, commit=False) as store:
        assert (store.state.scores.last_attempt, store.state.memory.last_attempt) == (2, 1)


def test_what_an_earlier_search_paid_for_is_set_aside_not_deleted(experiment: Experiment) -> None:
    _attempt(experiment, 1, Status.WRONG)
    start_over(experiment, PAGES, None)
    (before,) = (experiment.runs / ASIDE).iterdir()
    assert (before / "journal.jsonl").is_file() and (before / "0001" / "reply.md").is_file()
    assert not (experiment.runs / "0001").exists()


def test_searches_that_begin_within_one_second_are_set_aside_apart(experiment: Experiment) -> None:
    for _ in range(3):
        start_over(experiment, PAGES, None)
    assert len(list((experiment.runs / ASIDE).iterdir())) == 2


@pytest.mark.parametrize("name", ["best", "seed", "1", "7", "abcdef0"])
def test_only_the_commit_of_an_archived_winner_begins_another_search(experiment: Experiment, name: str) -> None:
    experiment.winners.mkdir()
    (experiment.winners / "7abcdef01234.c").write_text(scratch.FASTER)
    (experiment.winners / "7bbbbbb01234.c").write_text(scratch.FASTER)
    _attempt(experiment, 1, Status.BEST)
    with pytest.raises(KeepError, match=r"archived winners? "):
        start_over(experiment, PAGES, name)
    assert (experiment.runs / "0001").is_dir()

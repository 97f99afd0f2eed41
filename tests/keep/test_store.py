import json
import shutil
from pathlib import Path

import pytest

import scratch
from harness.contract import Experiment, load
from harness.errors import KeepError
from harness.keep.beginning import ASIDE, known_values, start_over
from harness.keep.scores import Scores
from harness.keep.store import Store
from harness.records import Status
from harness.show.snapshots import PAGES
from keep.samples import attempt, proposal

COMMIT = "1f6d0c2aa5b3" + "0" * 28


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


@pytest.mark.parametrize("chars", [16, 20, 25, None])
def test_a_winner_that_no_commit_holds_begins_another_search_by_its_name_or_the_first_of_it(
    experiment: Experiment, chars: int | None
) -> None:
    _attempt(experiment, 1, Status.BEST)
    (kept,) = experiment.winners.iterdir()
    assert start_over(experiment, PAGES, kept.name[:chars]) == kept.stem
    with Store(experiment, PAGES, commit=False) as store:
        assert store.parent("best").source == kept.read_text()
        assert store.source(kept.stem[:20]) == kept.read_text()


@pytest.fixture
def pulled(experiment: Experiment) -> Experiment:
    """Two clones went on from one search: here attempt 1 lost, and the scores pulled say that it won elsewhere."""
    _attempt(experiment, 1, Status.SLOWER)
    path = experiment.folder / "SCORES.json"
    scores = Scores.fresh(experiment, json.loads(path.read_text())["search"])
    scores.fold(attempt(1, Status.BEST, 1.5))
    scores.specialist_attempts = {"long": 1}
    scores.committed(1, COMMIT)
    path.write_text(scores.text())
    experiment.winners.mkdir()
    (experiment.winners / f"{COMMIT[:12]}.c").write_text(scratch.FASTER)
    return experiment


def test_a_winner_is_what_its_commit_says_whatever_runs_holds_of_its_number(pulled: Experiment) -> None:
    with Store(pulled, PAGES, commit=False) as store:
        sources = (
            store.champion_source(),
            store.parent("1").source,
            store.winner_source(1),
            *(holder.source for holder in store.best_on().values()),
        )
    assert set(sources) == {scratch.FASTER}


def test_a_winner_whose_file_is_missing_is_never_another_attempt_of_its_number(pulled: Experiment) -> None:
    (pulled.winners / f"{COMMIT[:12]}.c").unlink()
    with Store(pulled, PAGES, commit=False) as store, pytest.raises(KeepError, match="missing"):
        store.champion_source()


def test_a_winner_of_here_is_not_committed_in_the_place_of_another_clones(pulled: Experiment) -> None:
    journal = pulled.runs / "journal.jsonl"
    here = journal.read_text().replace('"status":"slower"', '"status":"best"')
    journal.write_text(here.replace("2026-11-21T05:52:14Z", "2026-11-21T06:00:00Z"))
    scratch.make_repository(pulled.folder)
    with Store(pulled, PAGES, commit=True) as store:
        assert not store.state.uncommitted
    assert (pulled.winners / f"{COMMIT[:12]}.c").read_text() == scratch.FASTER


def test_a_reply_of_here_is_not_judged_under_a_number_that_another_clone_gave(experiment: Experiment) -> None:
    with Store(experiment, PAGES, commit=False) as store:
        store.proposed(proposal(1), "the prompt")
        search = store.state.scores.search
    scores = Scores.fresh(experiment, search)
    scores.fold(attempt(1))
    (experiment.folder / "SCORES.json").write_text(scores.text())
    with Store(experiment, PAGES, commit=False) as store:
        assert (store.state.pending, store.state.next_number) == ({}, 2)


def test_what_runs_holds_of_another_search_is_set_aside_when_a_newer_one_is_pulled(experiment: Experiment) -> None:
    _attempt(experiment, 1, Status.SLOWER)
    (experiment.folder / "SCORES.json").write_text(Scores.fresh(experiment, "99990101T000000-0000").text())
    with Store(experiment, PAGES, commit=False) as store, pytest.raises(KeepError, match="no source called '1'"):
        store.source("1")
    assert len(list((experiment.runs / ASIDE).glob("*/0001/candidate.c"))) == 1


@pytest.fixture
def locked(experiment: Experiment) -> Path:
    """The lock of a repository whose user has a `git commit -a` open in an editor."""
    lock = scratch.make_repository(experiment.folder) / ".git" / "index.lock"
    lock.touch()
    return lock


def _win(store: Store, number: int) -> None:
    store.proposed(proposal(number), "the prompt")
    store.keep(attempt(number, Status.BEST, 1.0 + number))


def _commits(experiment: Experiment) -> list[str]:
    trailers = scratch.git(experiment.folder, "log", "--reverse", "--format=%(trailers:key=Attempt,valueonly)")
    return trailers.split()


def test_a_winner_waits_for_its_commit_while_the_index_is_locked(experiment: Experiment, locked: Path) -> None:
    with Store(experiment, PAGES, commit=True) as store:
        _win(store, 1)
        assert f"winners to commit later: 1; another git holds {locked}" in store.waiting
    assert _commits(experiment) == []


def test_the_next_winner_takes_those_that_wait_along(experiment: Experiment, locked: Path) -> None:
    with Store(experiment, PAGES, commit=True) as store:
        _win(store, 1)
        locked.unlink()
        _win(store, 2)
    assert _commits(experiment) == ["1", "2"]
    assert (store.waiting, scratch.git(experiment.folder, "status", "--porcelain")) == ("", "")


def test_a_stale_lock_stops_no_start_and_the_first_without_it_commits(experiment: Experiment, locked: Path) -> None:
    with Store(experiment, PAGES, commit=True) as store:
        _win(store, 1)
    with Store(experiment, PAGES, commit=True) as store:
        assert store.waiting
        assert experiment.candidate_path.read_text() == store.champion_source()
    locked.unlink()
    with Store(experiment, PAGES, commit=True) as store:
        assert not store.waiting
    assert _commits(experiment) == ["1"]


def test_a_search_goes_on_from_its_champion_where_no_file_of_its_start_is_left(experiment: Experiment) -> None:
    experiment.winners.mkdir()
    start = experiment.winners / f"{COMMIT[:12]}.c"
    start.write_text(scratch.FASTER)
    start_over(experiment, PAGES, start.stem)
    _attempt(experiment, 1, Status.BEST)
    start.unlink()
    with Store(experiment, PAGES, commit=False) as store:
        assert store.champion_source() == attempt(1, Status.BEST, 1.5).candidate.source  # type: ignore[union-attr]


def test_memory_names_no_choice_that_this_cpu_cannot_run(experiment: Experiment) -> None:
    """Such a one would be called unexplored for ever, and a model be told to try it."""
    lines = (
        'CHOICES = {"isa": ("plain", "other")}',
        "def render(choices): return ''",
        'def available(name, value, cpu_flags): return value == "plain"',
    )
    (experiment.folder / "space.py").write_text("\n".join(lines) + "\n")
    assert known_values(load(experiment.folder))["isa"] == ["plain"]

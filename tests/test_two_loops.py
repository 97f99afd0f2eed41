"""Two loops on two experiments of one repository at the same time: each gets its own, and neither the other's."""

import itertools
import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import scratch
from scratch import git
from whole import faults_of_the_files, faults_of_the_fold, faults_of_the_winners

NAMES = ("one", "two")
# One run of verdicts by script, as soon as both processes are ready.
SCRIPT = """\
import sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/benchmarks", sys.argv[1] + "/tests"]
import crash
from harness.keep.scores import Scores
crash.plots.search_svg(Scores(search="", experiment=""))
folder = Path(sys.argv[2])
folder.with_name(folder.name + ".ready").touch()
while not folder.with_name("go").exists():
    time.sleep(0.002)
crash.search(crash.Place(folder, folder.parent / "replies"), crash.SCRIPTED, 1, 16)
"""


@dataclass(frozen=True, slots=True)
class Both:
    repository: Path
    before: str

    def commits(self) -> list[tuple[str, set[str]]]:
        """Those of the loops, oldest first: the subject's first word, and the folders that it changed."""
        log = git(self.repository, "log", "--reverse", "--format=@%s", "--name-only", f"{self.before}..").split("@")[1:]
        return [
            (text.partition(":")[0], {line.split("/")[0] for line in text.split("\n\n", 1)[1].split()}) for text in log
        ]


def two_experiments(repository: Path) -> Path:
    for name in NAMES:
        manifest = scratch.write_total(repository / name) / "experiment.json"
        manifest.write_text(json.dumps(scratch.MANIFEST | {"name": name}))
    return repository


def other(number: int) -> str:
    """A reply with the seed again, slower, as code that was not seen before."""
    return scratch.fenced(scratch.SEED.replace("sum += x[i];", f"sum = (sum + x[i]) * {number}.0f / {number}.0f;"))


def together(repository: Path, *command: str) -> None:
    """The command on each experiment, at once: both begin when both have started."""
    environment = scratch.environment(PYTHONPATH=str(scratch.ROOT))
    runs = [subprocess.Popen([scratch.PYTHON, *command, str(repository / name)], env=environment) for name in NAMES]
    while not all((repository / f"{name}.ready").exists() for name in NAMES):
        assert all(run.poll() is None for run in runs)
        time.sleep(0.01)
    (repository / "go").touch()
    assert [run.wait(60) for run in runs] == [0, 0]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Both:
    repository = two_experiments(tmp_path_factory.mktemp("both"))
    scratch.write_replies(repository / "replies", *map(other, range(1, 17)))
    scratch.make_repository(repository)
    before = git(repository, "rev-parse", "HEAD").strip()
    together(repository, "-c", SCRIPT, str(scratch.ROOT))
    return Both(repository, before)


def test_their_commits_interleave(both: Both) -> None:
    names = [name for name, _ in both.commits()]
    assert {name: names.count(name) for name in NAMES} == dict.fromkeys(NAMES, 16)
    assert len(list(itertools.groupby(names))) > len(NAMES)


def test_a_commit_holds_files_of_its_own_experiment_alone(both: Both) -> None:
    assert [(name, folders) for name, folders in both.commits() if not folders <= {name}] == []


@pytest.mark.parametrize("name", NAMES)
def test_journal_scores_winners_and_commits_of_each_agree(both: Both, name: str) -> None:
    experiment = both.repository / name
    events = list(scratch.journal(experiment))
    faults = faults_of_the_fold(experiment) + faults_of_the_winners(experiment, events)
    assert faults + faults_of_the_files(experiment, events) == []


def test_nothing_is_left_staged(both: Both) -> None:
    assert git(both.repository, "diff", "--cached", "--name-only") == ""


def test_what_one_measures_never_overlaps_with_what_the_other_does(tmp_path: Path) -> None:
    repository = two_experiments(tmp_path)
    scratch.write_replies(repository / "replies", *map(other, range(2, 6)))
    scratch.make_repository(repository)
    together(repository, str(scratch.ROOT / "tests" / "noted_loop.py"))
    one, two = ([(*map(float, line.split()),) for line in (tmp_path / f"{name}.notes").open()] for name in NAMES)
    in_turn = [name for _, name in sorted([(span, "one") for span in one] + [(span, "two") for span in two])]
    assert len(list(itertools.groupby(in_turn))) > 4
    assert [(mine, its) for mine in one for its in two if mine[0] < its[1] and its[0] < mine[1]] == []

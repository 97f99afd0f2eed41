"""What becomes of an experiment that asks for a device which this machine lacks: built, checked, and never a score."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import scratch
from documented import differences
from harness import contract
from harness.contract import Experiment
from harness.judge import device
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.keep.scores import Scores
from harness.records import Status
from harness.show.verdict import verdict_json
from keep.samples import attempt
from scratch import loop

pytest.importorskip("torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt")
pytestmark = pytest.mark.skipif(device.cuda() is not None, reason="there is a CUDA device here")

HELLO = contract.ROOT / "hello_world"
SWISH = contract.load(contract.ROOT / "experiments" / "swish_triton")
STANDINGS = Standings(is_new_combination=False)
SAID = "no device: built and checked, not timed"


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """One that only a device can time, alone in a repository."""
    copy = tmp_path / "repository" / "hello_world"
    shutil.copytree(HELLO, copy, ignore=shutil.ignore_patterns("runs", "winners", "SCORES*", "MEMORY*", "__pycache__"))
    manifest = json.loads((copy / "experiment.json").read_text()) | {"devices": ["cuda"]}
    (copy / "experiment.json").write_text(json.dumps(manifest))
    scratch.make_repository(copy.parent)
    return copy


def test_a_search_says_so_first_and_its_attempts_are_neither_winners_nor_scores(experiment: Path) -> None:
    done = loop(experiment, "--loop", "2", "--json")
    assert (done.code, done.statuses) == (0, ["unmeasured"] * 2), done.err
    assert differences("search", done.lines) == []
    assert done.lines[1]["text"] == "no device here: attempts are built and checked, not timed"
    attempts = [line for line in done.lines if line["event"] == "attempt"]
    assert [(one["reason"], one["speedup"], one["champion"]) for one in attempts] == [(SAID, None, None)] * 2
    assert "2 unmeasured" in (experiment / "SCORES.md").read_text()


def verdicts(experiment: Experiment, *slip: str) -> list[dict[str, Any]]:
    """What `judge --json` prints of the seed, and of the seed with a slip in it."""
    judge = Judge(experiment, Stop())
    sources = judge.seed, judge.seed.replace(*slip)
    found = (judge.judge(source, Rivals(champion=judge.seed), STANDINGS, 0.05) for source in sources)
    return [json.loads(verdict_json(one)) for one in found]


def test_a_candidate_is_unmeasured_and_a_wrong_one_is_still_found(experiment: Path) -> None:
    right, wrong = verdicts(contract.load(experiment), "* 1.5", "* 1.4")
    assert differences("judge", [right]) == []
    assert (right["status"], right["reason"], right["cases"]) == ("unmeasured", SAID, {})
    assert wrong["status"] == "wrong"


def test_a_result_that_lies_in_an_argument_is_wrong(experiment: Path) -> None:
    """Where there is a device, arguments are copies, and can be written to."""
    judge = Judge(contract.load(experiment), Stop())
    in_place = "return x.view(-1)[: len(x), None].copy_(summed * 1.5)"
    fault = judge.prepare(judge.seed.replace("return summed * 1.5", in_place)).fault
    assert fault is not None and "returned one of its arguments" in fault.reason, fault


def test_a_triton_kernel_is_checked_by_its_interpreter() -> None:
    if importlib.util.find_spec("triton") is None:
        pytest.skip("swish_triton needs triton: pip install -r experiments/swish_triton/requirements.txt")
    right, wrong = verdicts(SWISH, "exp(-value)", "exp(value)")
    assert (right["status"], wrong["status"]) == ("unmeasured", "wrong")


def test_verify_leaves_titles_alone_where_nothing_can_be_timed(experiment: Path) -> None:
    scores = Scores(search="s1", experiment="hello_world", suffix=".py")
    scores.fold(attempt(1, Status.BEST, 1.5))
    (experiment / "SCORES.json").write_text(scores.text())
    done = loop("verify", experiment)
    assert scratch.is_plain_error(done) and "no device here, so no winner can be timed again" in done.err
    assert (experiment / "SCORES.json").read_text() == scores.text()


def test_a_device_that_can_be_done_without_is_asked_for_and_missing_is_an_error_with_the_way_out() -> None:
    done = loop("judge", HELLO, "--device", "cuda")
    assert scratch.is_plain_error(done) and "no CUDA device" in done.err and "--device cpu" in done.err

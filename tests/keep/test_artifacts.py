import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import KeepError
from harness.keep.artifacts import Artifacts, shortened
from harness.records import Status
from keep.samples import attempt, proposal


def test_an_attempt_leaves_prompt_reply_candidate_and_verdict(tmp_path: Path) -> None:
    artifacts, judged = Artifacts(tmp_path, ".c"), attempt(7, Status.WRONG)
    artifacts.asked(7, "the prompt")
    artifacts.write(proposal(7), judged)
    texts = {path.name: path.read_text() for path in (tmp_path / "0007").iterdir()}
    assert texts.keys() == {"prompt.md", "reply.md", "candidate.c", "verdict.json"}
    assert (texts["prompt.md"], texts["reply.md"]) == ("the prompt", proposal(7).reply)
    assert json.loads(texts["verdict.json"])["status"] == "wrong"


def test_the_source_reads_back_as_it_was(tmp_path: Path) -> None:
    artifacts, judged = Artifacts(tmp_path, ".c"), attempt(7, Status.BEST, 1.5)
    artifacts.write(proposal(7), judged)
    assert judged.candidate and artifacts.source(7) == judged.candidate.source


def test_an_unreadable_reply_leaves_no_candidate(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, ".c")
    artifacts.write(proposal(3), attempt(3, Status.UNREADABLE))
    assert artifacts.source(3) is None
    assert [path.name for path in artifacts.files(3)] == ["reply.md", "verdict.json"]


def test_a_candidate_that_a_power_cut_left_empty_counts_as_gone(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path, ".c")
    artifacts.write(proposal(1), attempt(1))
    (tmp_path / "0001" / "candidate.c").write_text("")
    assert artifacts.source(1) is None


def test_an_attempt_that_never_was_has_no_files(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "runs", ".c")
    assert (artifacts.source(1), artifacts.files(1)) == (None, ())


def test_a_reply_with_half_a_surrogate_pair_is_written_all_the_same(tmp_path: Path) -> None:
    Artifacts(tmp_path, ".c").write(replace(proposal(1), reply="\udfff"), attempt(1))
    assert (tmp_path / "0001" / "reply.md").read_bytes() == rb"\udfff"


def test_a_folder_that_cannot_be_made_is_an_error_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "0001").write_text("a file")
    with pytest.raises(KeepError, match="0001"):
        Artifacts(tmp_path, ".c").write(proposal(1), attempt(1))


def test_a_long_detail_is_whole_in_its_file_and_cut_in_the_middle_elsewhere(tmp_path: Path) -> None:
    long = "begin" + "x" * 100_000 + "end"
    failed = replace(attempt(1, Status.CRASHED), verdict=replace(attempt(1, Status.CRASHED).verdict, detail=long))
    Artifacts(tmp_path, ".c").write(proposal(1), failed)
    assert json.loads((tmp_path / "0001" / "verdict.json").read_text())["detail"] == long
    said = shortened(failed.verdict).detail
    assert said.startswith("begin") and said.endswith("end") and len(said) < 9000


def test_every_block_of_a_comparison_is_in_the_file_and_not_in_the_journal(tmp_path: Path) -> None:
    one = attempt(1, Status.BEST)
    measured = replace(one, verdict=replace(one.verdict, blocks=({"long": 1.021}, {"long": 1.019})))
    Artifacts(tmp_path, ".c").write(proposal(1), measured)
    assert Artifacts(tmp_path, ".c").verdict(1) == measured.verdict
    assert shortened(measured.verdict) == replace(measured.verdict, blocks=())

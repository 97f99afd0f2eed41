"""A contract's faults, each reported with its file, key, value and what is allowed; and all of them at once."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness import catalog, contract
from harness.errors import ContractError

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A contract that holds, outside of the repository."""
    copy = tmp_path / "mine"
    shutil.copytree(contract.ROOT / "linear", copy, ignore=shutil.ignore_patterns("runs", "winners", "__pycache__"))
    return copy


def faults_of(folder: Path, change: Change | None = None) -> str:
    if change:
        path = folder / "experiment.json"
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))
    with pytest.raises(ContractError) as caught:
        contract.load(folder)
    return caught.value.message


def test_a_sound_contract_outside_the_repository_loads(folder: Path) -> None:
    assert contract.load(folder).target == "linear"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schema", 2, "schema is 2, must be 1"),
        ("language", "fortran", 'language is "fortran", must be one of c'),
        ("edit", "some", 'edit is "some", must be one of whole, diff, either'),
        ("target", "not a name", 'target is "not a name", must be the name of the one function'),
        ("tags", "isa", 'tags is "isa", must be a list of texts'),
        ("name", "../up", 'name is "../up", must be letters, digits, - and _'),
        ("devices", [], "devices is [], must be a list of one or more of cpu, none twice"),
        ("devices", ["cpu", "cpu"], 'devices is ["cpu", "cpu"], must be'),
        ("devices", ["cuda"], 'devices is ["cuda"], must be'),
        ("devices", "cpu", 'devices is "cpu", must be'),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(folder: Path, key: str, value: object, said: str) -> None:
    assert said in faults_of(folder, lambda data: data.update({key: value}))


def test_the_first_device_is_the_one_that_is_asked_for_where_nobody_asks() -> None:
    hello = contract.ROOT / "hello_world"
    assert [contract.load(hello, asked).device for asked in (None, "cpu", "cuda")] == ["cpu", "cpu", "cuda"]


def test_a_device_that_is_not_allowed_is_refused_with_those_that_are(folder: Path) -> None:
    with pytest.raises(ContractError, match="does not run on 'tpu'") as caught:
        contract.load(folder, "tpu")
    assert caught.value.hint == "its experiment.json allows cpu."


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("timeout_s", -1, "limits.timeout_s is -1, must be a number of seconds, > 0"),
        ("memory_mb", 1.5, "limits.memory_mb is 1.5, must be a whole number of MiB"),
        ("prompt_tokens", True, "limits.prompt_tokens is true, must be a whole number of tokens"),
        ("source_bytes", None, "limits.source_bytes is null, must be a whole number of bytes"),
    ],
)
def test_a_wrong_limit_is_named_with_its_unit(folder: Path, key: str, value: object, said: str) -> None:
    assert said in faults_of(folder, lambda data: data["limits"].update({key: value}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"device": ["cpu"]}, "mine/experiment.json: device is not known; did you mean devices?"),
        ({"limits": {"timeout": 3}}, "limits.timeout is not known; did you mean limits.timeout_s?"),
        ({"metric": {"unit": "s"}}, "mine/experiment.json: metric is not known."),
        ({"limits": 3}, "limits is 3, must be an object."),
    ],
)
def test_a_key_that_nobody_reads_is_named_with_the_nearest(folder: Path, change: dict[str, Any], said: str) -> None:
    assert said in faults_of(folder, lambda data: data.update(change))


def test_a_missing_key_is_named(folder: Path) -> None:
    assert "experiment.json: signature is missing, must be" in faults_of(folder, lambda data: data.pop("signature"))


def test_of_an_empty_manifest_every_key_is_missing(folder: Path) -> None:
    said = faults_of(folder, lambda data: data.clear())
    for key in ("schema", "language", "target", "files.seed", "limits.timeout_s"):
        assert f"{key} is missing" in said


def test_a_seed_file_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "naive.c").unlink()
    assert 'files.seed is "naive.c", and there is no such file' in faults_of(folder)


@pytest.mark.parametrize("taken", ["naive.c", "eval.py", "experiment.json"])
def test_winners_are_not_written_over_what_is_the_user_s(folder: Path, taken: str) -> None:
    said = faults_of(folder, lambda data: data["files"].update({"candidate": taken}))
    assert f'files.candidate is "{taken}", must be a file of its own' in said


def test_a_file_outside_of_the_folder_is_refused(folder: Path) -> None:
    said = faults_of(folder, lambda data: data["files"].update({"candidate": "../../etc/x.c"}))
    assert 'files.candidate is "../../etc/x.c", must be a file name' in said


def test_unreadable_json_is_shown_with_line_and_column(folder: Path) -> None:
    (folder / "experiment.json").write_text('{\n "schema": 1,\n oops}')
    assert "mine/experiment.json line 3 column 2" in faults_of(folder)


def test_a_task_that_is_not_utf_8_is_named_with_the_byte(folder: Path) -> None:
    (folder / "EXPERIMENT.md").write_bytes("# Größe\n".encode("latin-1"))
    assert "mine/EXPERIMENT.md is not UTF-8 at byte 4." in faults_of(folder)


def test_a_hook_that_raises_is_shown_with_its_line(folder: Path) -> None:
    (folder / "security.py").write_text("RULES = ()\n\nx = 1 / 0\n")
    assert "mine/security.py line 3: ZeroDivisionError: division by zero" in faults_of(folder)


def test_a_hook_with_broken_syntax_is_shown_with_its_line(folder: Path) -> None:
    (folder / "prompt.py").write_text("def sections(:\n")
    assert "mine/prompt.py line 1: SyntaxError" in faults_of(folder)


def test_a_hook_that_lacks_a_part_is_told_which(folder: Path) -> None:
    text = (folder / "eval.py").read_text().replace("def work(", "def effort(")
    (folder / "eval.py").write_text(text.replace('"work"', '"effort"'))
    assert "mine/eval.py: `work` is missing" in faults_of(folder)


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ("void linear(float *out, const float *)", "signature: 'void linear(float *out, const float *)': parameter 2"),
        ("void linear(float *out) { }", "has a body, must be a prototype"),
        ("linear(", "is not one C prototype"),
        ("void linera(float *out)", "signature declares linera, must declare the target, linear."),
    ],
)
def test_a_signature_that_is_no_declaration_of_the_target_is_told_why(folder: Path, signature: str, said: str) -> None:
    assert said in faults_of(folder, lambda data: data.update({"signature": signature}))


@pytest.mark.parametrize(
    ("cases", "said"),
    [
        ("CASES = []", "mine/eval.py: `CASES` is empty, must hold what is timed."),
        ("CASES = [Case('a', rows=1), Case('b', rows=1), Case('a', rows=2)]", "`CASES` holds 'a' twice"),
        ("CASES = ['decode']", "`CASES` holds 'decode', must hold a Case"),
        ("CASES = [Case(128, rows=1)]", ": TypeError: a case is called 128, must be a text"),
        ("reference = max", "`reference` is <built-in function max>, whose parameters cannot be read"),
        ("CASES = [Case('a', rows=1.5)]", ": TypeError: 'float' object cannot be interpreted as an integer"),
        ("CHECKS = [3]", "`CHECKS` holds 3, must hold a Case"),
    ],
)
def test_hooks_that_cannot_be_used_are_named(folder: Path, cases: str, said: str) -> None:
    with (folder / "eval.py").open("a") as file:
        file.write(f"\n\n{cases}\n")
    assert said in faults_of(folder)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (
            '{"unroll": (1, 2), "split": (False, True)}',
            "`CHOICES['split']` holds False, must hold texts or whole numbers",
        ),
        ('{"scale": (0.5,)}', "`CHOICES['scale']` holds 0.5, must hold texts or whole numbers"),
        ('{1: ("a",)}', "`CHOICES` has the name 1, must be a text"),
        ('{"unroll": [1]}', "`CHOICES` is {'unroll': [1]}, must be a mapping of names to tuples of values"),
    ],
)
def test_a_choice_that_a_journal_could_not_give_back_is_named(folder: Path, choices: str, said: str) -> None:
    (folder / "space.py").write_text(f"CHOICES = {choices}\n\n\ndef render(choices):\n    return ''\n")
    assert f"mine/space.py: {said}" in faults_of(folder)


def test_every_fault_is_reported_in_one_message(folder: Path) -> None:
    (folder / "prompt.py").unlink()
    (folder / "security.py").write_text("1/0")
    said = faults_of(folder, lambda data: data.update({"schema": 0, "edit": 3}))
    assert len(said.splitlines()) == 4


def test_a_mistyped_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ContractError) as caught:
        catalog.locate("liner")
    assert caught.value.hint == "did you mean linear?"


def test_a_folder_without_a_manifest_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no experiment\.json in this folder"):
        catalog.locate(str(tmp_path))

from dataclasses import replace
from pathlib import Path

import pytest

from harness.ask.models.builtin import Builtin
from harness.ask.models.openai import OpenAI
from harness.ask.models.replay import Replay
from harness.ask.proposer import Choice, choose
from harness.contract import Experiment
from harness.errors import ProposerError

KEY = {"OPENAI_API_KEY": "sk-test"}


def refused(experiment: Experiment, choice: Choice, environ: dict[str, str]) -> ProposerError:
    with pytest.raises(ProposerError) as caught:
        choose(experiment, choice, environ)
    return caught.value


def test_no_model_and_no_key_choose_the_builtin_and_its_line_says_how_to_name_one(linear: Experiment) -> None:
    proposer = choose(linear, Choice(), {})
    assert isinstance(proposer, Builtin)
    assert "no model is named and no key found" in proposer.line
    assert "--model NAME" in proposer.line


def test_a_key_alone_chooses_the_builtin_and_its_line_says_so(linear: Experiment) -> None:
    proposer = choose(linear, Choice(), KEY)
    assert isinstance(proposer, Builtin)
    assert "OPENAI_API_KEY is set, but no model is named" in proposer.line


def test_the_builtin_named_is_chosen_whatever_the_key(linear: Experiment) -> None:
    proposer = choose(linear, Choice(model="builtin"), KEY)
    assert isinstance(proposer, Builtin)
    assert "no model is named" not in proposer.line


def test_a_replay_is_chosen_by_its_folder(linear: Experiment, tmp_path: Path) -> None:
    (tmp_path / "1.md").write_text("a reply")
    assert isinstance(choose(linear, Choice(model=f"replay:{tmp_path}"), {}), Replay)


def test_a_named_model_with_a_key_is_asked(linear: Experiment) -> None:
    proposer = choose(linear, Choice(model="gpt-x"), KEY)
    assert isinstance(proposer, OpenAI)
    assert proposer.name == "gpt-x"


def test_a_named_model_with_a_base_url_needs_no_key(linear: Experiment) -> None:
    proposer = choose(linear, Choice(model="llama", base_url="http://localhost:11434/v1"), {})
    assert proposer.line == "llama answers, at http://localhost:11434/v1"


def test_the_base_url_of_the_environment_is_honoured(linear: Experiment) -> None:
    proposer = choose(linear, Choice(model="llama"), {"OPENAI_BASE_URL": "http://localhost:8000/v1"})
    assert proposer.line == "llama answers, at http://localhost:8000/v1"


def test_the_base_url_of_the_command_line_comes_first(linear: Experiment) -> None:
    choice = Choice(model="llama", base_url="http://localhost:1/v1")
    assert "localhost:1/" in choose(linear, choice, {"OPENAI_BASE_URL": "http://localhost:2/v1"}).line


def test_a_named_model_without_key_and_base_url_is_refused_with_both_ways_out(linear: Experiment) -> None:
    fault = refused(linear, Choice(model="gpt-x"), {})
    assert fault.message == "The model gpt-x needs a key, and OPENAI_API_KEY is not set."
    assert "Set OPENAI_API_KEY, or give --base-url" in fault.hint


def test_no_model_and_no_space_is_refused(linear: Experiment) -> None:
    fault = refused(replace(linear, space=None), Choice(), KEY)
    assert fault.message == "No model is named, and linear has no space.py."


def test_the_builtin_named_without_a_space_is_refused(linear: Experiment) -> None:
    assert "has no space.py" in refused(replace(linear, space=None), Choice(model="builtin"), {}).message


@pytest.mark.parametrize(
    ("choice", "fact"),
    [
        (Choice(base_url="http://localhost:1/v1"), "--base-url is http://localhost:1/v1, but no model is named."),
        (Choice(model="builtin", temperature=0.5), "--temperature is 0.5, but builtin answers."),
        (
            Choice(model="replay:here", base_url="http://localhost:1"),
            "--base-url is http://localhost:1, but replay:here",
        ),
    ],
)
def test_an_option_for_a_model_is_refused_where_none_is_asked(linear: Experiment, choice: Choice, fact: str) -> None:
    assert refused(linear, choice, KEY).message.startswith(fact)


def test_the_builtin_is_refused_where_only_edits_are_taken(linear: Experiment) -> None:
    fault = refused(replace(linear, edit="diff"), Choice(), {})
    assert fault.message == "The built-in proposer gives whole functions, and linear takes edits only."


@pytest.mark.parametrize("base_url", ["localhost:8000/v1", "ftp://localhost", ""])
def test_a_base_url_that_is_none_is_refused(linear: Experiment, base_url: str) -> None:
    said = refused(linear, Choice(model="m", base_url=base_url), {"OPENAI_BASE_URL": "http://localhost"}).message
    assert said == f"--base-url is {base_url}, must begin with http:// or https://."


def test_a_base_url_of_the_environment_that_is_none_is_named_as_that(linear: Experiment) -> None:
    fault = refused(linear, Choice(model="m"), {"OPENAI_BASE_URL": "localhost:8000"})
    assert fault.message == "OPENAI_BASE_URL is localhost:8000, must begin with http:// or https://."


def test_an_empty_model_is_refused(linear: Experiment) -> None:
    assert refused(linear, Choice(model=" "), KEY).message == "--model is empty."

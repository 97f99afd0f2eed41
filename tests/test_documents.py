"""What the documents and the help promise is there: commands, files, verbs and their examples."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import loop
import readme

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = (
    "pip install -r requirements.txt && python linear/seed.py && python loop.py linear --loop 10",
    "pip install -r requirements-dev.txt && python -m pytest",
)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:docs|harness|hello_world|linear|attention|tests|benchmarks|\.ci)/[\w./-]*\w)`")
DECISION = re.compile(r"\badr/(\d{4})")
# What a search writes, and a fresh clone may lack.
WRITTEN = "candidate.c SCORES.json SCORES.md SCORES.svg MEMORY.json MEMORY.md winners runs".split()
MADE = {f"{experiment}/{name}" for experiment in ("hello_world", "linear", "attention") for name in WRITTEN}
VERBS = ["", *loop.VERBS]


def _help(verb: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        loop.main([*([verb] if verb else []), "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def _commands(text: str) -> list[list[str]]:
    """The words behind `python loop.py` on each line; what explains an example stands two spaces away."""
    found = re.findall(r"^ +python loop\.py (\S.*?)(?: {2,}.*)?$", text, re.MULTILINE)
    return [shlex.split(command) for command in found]


def test_the_two_commands_stand_in_the_readme() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line.strip() for line in lines if line.strip().startswith("pip install -r")] == list(COMMANDS)


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"^    '(pip install .*)'$", script, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _commands(_help(verb, capsys).partition("examples:")[2])


@pytest.mark.parametrize("verb", VERBS)
def test_every_example_of_the_help_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    examples = _help(verb, capsys).partition("examples:")[2].partition("verbs:")[0]
    for command in _commands(examples):
        assert loop.parse(command).verb == (verb or None)


def test_the_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    text = _help("", capsys).partition("verbs:")[2]
    assert re.findall(r"python loop\.py (\w+)", text) == list(loop.VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_fits_a_terminal(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert max(map(len, _help(verb, capsys).splitlines())) <= 100


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_commands_of_a_document_parse(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for command in _commands(text):
        words = [word.strip("[]") for word in command if not word.startswith("#")]
        if not any(mark in " ".join(words) for mark in ("&&", "|", "EXPERIMENT", "…", "...")):
            assert loop.parse(words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_files_that_a_document_names_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = {target for target in LINK.findall(text) if "://" not in target}
    missing = {target for target in links if not (document.parent / target).exists()}
    missing |= {name for name in NAMED.findall(text) if not (ROOT / name).exists()}
    made = {str((document.parent / name).resolve().relative_to(ROOT)) for name in missing} & MADE
    assert {name for name in missing if name not in MADE and name not in made} == set()


@pytest.mark.parametrize(
    "name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "docs/add-an-experiment.md"]
)
def test_a_document_that_people_look_for_is_there(name: str) -> None:
    assert (ROOT / name).is_file()


def test_decisions_are_numbered_without_a_gap_and_in_their_headings() -> None:
    paths = sorted((ROOT / "docs" / "adr").iterdir())
    assert [path.name[:5] for path in paths] == [f"{number:04d}-" for number in range(1, len(paths) + 1)]
    headings = [path.read_text(encoding="utf-8").partition(". ")[0] for path in paths]
    assert headings == [f"# {number}" for number in range(1, len(paths) + 1)]


def test_a_decision_that_code_or_a_document_names_is_there() -> None:
    sources = [ROOT / "loop.py", *(ROOT / "harness").rglob("*.py"), *(ROOT / "harness").rglob("*.[ch]"), *DOCUMENTS]
    named = {number for path in sources for number in DECISION.findall(path.read_text(encoding="utf-8"))}
    assert named <= {path.name[:4] for path in (ROOT / "docs" / "adr").iterdir()}


def test_the_bird_s_eye_view_stays_one() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_loop_py_runs_as_a_script() -> None:
    done = subprocess.run([sys.executable, "loop.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: python loop.py")


@pytest.mark.parametrize("experiment", readme.EXPERIMENTS)
def test_the_readme_shows_what_the_scores_say(experiment: str) -> None:
    search, text = readme.shown()[experiment]
    if search != readme.search_of(experiment):
        pytest.skip(f"{experiment}'s scores are of another search than the one in README.md")
    assert text == readme.block(experiment), "python tests/readme.py writes it anew"

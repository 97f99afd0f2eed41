"""`new`: a folder for a stranger's script, tried before it is written; and every wrong argument told in two lines."""

import json
import os
from contextlib import chdir
from pathlib import Path

import pytest

import loop
from harness import contract
from scratch import Done, environment, is_plain_error, make_repository, write_replies
from scratch import loop as run_loop

# A stranger's: the metric among other lines, 1 for a wrong answer, and now and then no end.
BENCH = """\
import sys
import time

from lib.fast import steps
from data import ROUNDS

print("benchmark of steps")
total = 0
for n in range(1, ROUNDS):
    found, count = steps(n)
    while found is None:
        time.sleep(1)
    if found != n * n:
        print(f"steps({n}) is {found}", file=sys.stderr)
        sys.exit(1)
    total += count
print("rounds:", ROUNDS)
print("steps:", total)
print("done: yes")
"""
FAST = """\
import operator


def steps(n: int, start=0):
    total = start
    for k in range(n):
        total = operator.add(total, n)
    return total, n + 1


def helper():
    def inner():
        pass
"""
BETTER = FAST.replace("return total, n + 1", "return total, n")
WRONG = FAST.replace("return total,", "return total + 1,")
HANGS = FAST.replace("return total,", "return None,")
SPOILS = FAST.replace("def helper", 'open("bench.py", "w").write("print(\'steps: 1\')")\n\n\ndef helper')
NEW = ["new", "made/mine", "--source", "lib/fast.py", "--function", "steps", "--eval-command", "python bench.py"]
NEW += ["--metric", "steps", "--goal", "minimize", "--with", "data.py", "--timeout", "1"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A stranger's folder."""
    (tmp_path / "lib").mkdir()
    for name, text in {"bench.py": BENCH, "lib/fast.py": FAST, "data.py": "ROUNDS = 9\n"}.items():
        (tmp_path / name).write_text(text)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def call(project: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    with chdir(project):
        code = loop.main(arguments)
    printed = capsys.readouterr()
    return Done(code=code, out=printed.out, err=printed.err)


def changed(**options: str) -> list[str]:
    """The arguments, with other values for some options."""
    arguments = list(NEW)
    for name, value in options.items():
        arguments[arguments.index(f"--{name}") + 1] = value
    return arguments


def test_a_stranger_s_script_becomes_an_experiment_that_runs(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = call(project, capsys, *NEW)
    assert made.code == 0 and "steps is 44 with lib/fast.py as it is" in made.out
    answers = [f"```python\n{source}```\n" for source in (WRONG, HANGS, BETTER)]
    model = write_replies(tmp_path_factory.mktemp("answers"), *answers)
    make_repository(project)
    done = run_loop("made/mine", "--loop", "3", "--model", model, "--json", cwd=project)
    assert done.statuses == ["crashed", "timed_out", "best"]
    crashed = next(line for line in done.lines if line["event"] == "attempt")
    assert crashed["reason"] == "its command ended with 1: steps(1) is 2"
    assert (project / "made/mine/candidate.py").read_text() == BETTER


def test_a_candidate_that_writes_where_it_stands_spoils_no_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, capsys, *NEW)
    (project / "spoils.py").write_text(SPOILS)
    assert call(project, capsys, "judge", "made/mine", "--file", "spoils.py").code == 0
    assert (project / "bench.py").read_text() == (project / "made/mine/project/bench.py").read_text() == BENCH


def test_what_is_written_is_a_contract_that_holds(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(project, capsys, *NEW)
    experiment = contract.load(project / "made" / "mine")
    assert experiment.signature == "def steps(n: int, start=0)"
    assert experiment.signature in experiment.task
    assert experiment.seed_path.read_text() == FAST
    assert not (experiment.folder / "project/lib/fast.py").exists()


def test_a_function_in_c_is_taken_as_it_is_declared(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "f.c").write_text(
        "static int g(void) { return 2; }\n\nint f(int a,\n      const float *x)\n{\n    return g();\n}\n"
    )
    made = call(project, capsys, "new", "made/c", "--source", "f.c", "--function", "f", "--metric", "lines",
                "--goal", "minimize", "--eval-command", "echo lines: $(wc -l < f.c)")  # fmt: skip
    assert made.code == 0, made.err
    assert contract.load(project / "made" / "c").signature == "int f(int a, const float *x)"


def test_a_static_function_in_c_is_one_that_a_search_may_replace(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = '#include <stdio.h>\n\nstatic int f(void) { return 3; }\n\nint main(void) { printf("m: %d\\n", f()); }\n'
    (project / "f.c").write_text(source)
    made = call(project, capsys, "new", "made/c", "--source", "f.c", "--function", "f", "--metric", "m",
                "--goal", "minimize", "--eval-command", "gcc f.c -o f && ./f")  # fmt: skip
    assert made.code == 0, made.err
    answers = [f"```c\n{source.replace(*words)}```\n" for words in (("static ", ""), ("return 3", "return 2"))]
    model = write_replies(project / "answers", *answers)
    done = run_loop("made/c", "--loop", "2", "--model", model, "--no-commit", "--json", cwd=project)
    assert done.statuses == ["unreadable", "best"]


def test_a_source_that_is_the_program_itself_stays_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = project / "lib" / "pack.py"
    program.write_text('#!/usr/bin/env python3\ndef steps():\n    return 7\n\n\nprint("steps:", steps())\n')
    program.chmod(0o755)
    made = call(project, capsys, *changed(**{"source": "lib/pack.py", "eval-command": "./lib/pack.py"}))
    assert made.code == 0 and "steps is 7 " in made.out, made.err
    (project / "better.py").write_text(program.read_text().replace("7", "6"))
    assert ": best - " in call(project, capsys, "judge", "made/mine", "--file", "better.py").out


def test_a_task_says_where_the_number_is_written(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_output = [*changed(**{"eval-command": "python bench.py > found"}), "--output", "found"]
    assert call(project, capsys, *with_output).code == 0
    model = write_replies(project / "answers", f"```python\n{BETTER}```\n")
    done = run_loop("made/mine", "--model", model, "--no-commit", "--json", cwd=project)
    assert done.statuses == ["best"]
    (prompt,) = (path.read_text() for path in (project / "made" / "mine" / "runs").rglob("prompt.md"))
    assert prompt.count("writes `steps: number` to `found`") == 2 and "neither writes the metric" in prompt
    assert "prints" not in prompt


@pytest.mark.parametrize(
    "command",
    ["sh -c 'exit $(($(cat lib/fast.py | wc -c) == 2))' && echo steps: 3", "echo steps: $(wc -c < lib/fast.py)"],
)
def test_a_command_that_fails_with_one_of_two_broken_sources_measures_the_source(
    project: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    made = call(project, capsys, *changed(**{"eval-command": command}))
    assert made.code == 0, made.err


def test_a_command_that_measures_the_file_in_the_user_s_folder_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = call(project, capsys, *changed(**{"eval-command": f"python {project / 'bench.py'}"}))
    assert is_plain_error(done) and not (project / "made").exists()
    assert "does not measure lib/fast.py: steps is 44 with that file emptied, too." in done.err


def test_what_python_remarks_on_a_candidate_is_not_for_the_terminal(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(project, capsys, *NEW)
    (project / "remarked.py").write_text(BETTER.replace("start=0", 'start=0 if "\\d" is not "d" else 1'))
    done = run_loop("judge", "made/mine", "--file", "remarked.py", cwd=project)
    assert (done.code, done.err) == (0, "") and ": best - " in done.out
    told = run_loop(
        "judge", "made/mine", "--file", "remarked.py", cwd=project, env=environment(PYTHONWARNINGS="always")
    )
    assert told.code == 0 and "candidate.py" not in told.err and "<unknown>" not in told.err


def test_another_s_contract_is_copied_without_what_a_search_wrote(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(project, capsys, "new", "made/mine", "--like", "linear").code == 0
    made = contract.load(project / "made" / "mine")
    assert made.name == "mine" and repr(str(contract.ROOT)) in (made.folder / "eval.py").read_text()
    assert not {"SCORES.json", "MEMORY.md", "winners", "runs", "candidate.c"} & {
        one.name for one in made.folder.iterdir()
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["new", "made/mine"], "--source, --function, --eval-command, --metric, --goal is missing"),
        (["new", "made/mine", "--like", "linear", "--metric", "s"], "--like and --metric do not go together"),
        (["new", "made/mine", "--like", "linear", "--timeout", "9"], "--like and --timeout do not go together"),
        (["new", "made/judge", "--like", "linear"], "judge is a verb of loop.py"),
        (["new", "made/mine", "--like", "liner"], "there is no experiment 'liner'"),
        (["new", "linear", *NEW[2:]], "there is an experiment or a folder linear already"),
        (["new", "./lib", *NEW[2:]], "there is an experiment or a folder ./lib already"),
        (["new", "made/my one", *NEW[2:]], "'my one' is no name for an experiment"),
        (changed(goal="up"), "invalid choice: 'up'"),
        (changed(timeout="0"), "limits.timeout_s is 0"),
        (changed(metric="a:b"), 'command.metric is "a:b"'),
        (changed(source="lib/none.py"), "--source lib/none.py is no file"),
        (changed(source="../fast.py"), "--source ../fast.py is not below the current folder"),
        (changed(source="lib"), "--source lib is no file"),
        (changed(function="step"), "step is not defined in lib/fast.py"),
        (changed(function="inner"), "inner is not defined in lib/fast.py"),
        (changed(metric="time"), "no line `time: number`"),
        (changed(**{"eval-command": "python bench.py 'half"}), "No closing quotation"),
        (changed(**{"eval-command": "exit 3"}), "ended with 3"),
        (changed(**{"eval-command": "sleep 9", "timeout": "0.2"}), "did not end within 0.2 s"),
        (changed(**{"with": "nothing.py"}), "--with nothing.py is not there"),
        (NEW[:-4], "ModuleNotFoundError: No module named 'data'"),
        (changed(**{"with": "pipe"}), "cannot copy pipe: `pipe` is a named pipe"),
        ([*NEW, "--output", "lib"], "--output lib is a folder"),
        ([*NEW, "--output", "bench.py/found"], "command.output is bench.py/found, which cannot be a file in its copy"),
        (
            changed(**{"eval-command": "echo steps: 3"}),
            "does not measure lib/fast.py: steps is 3 with that file emptied",
        ),
    ],
)
def test_a_wrong_argument_is_one_error_and_one_hint(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    done = call(project, capsys, *arguments)
    assert is_plain_error(done), done.err
    assert said in done.err
    assert not (project / "made").exists()


def test_a_file_that_cannot_be_copied_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(project / "lib" / "pipe")
    done = call(project, capsys, *changed(**{"with": "lib"}))
    assert is_plain_error(done) and "cannot copy lib/pipe: `lib/pipe` is a named pipe" in done.err, done.err


def test_a_contract_is_copied_whole_and_in_whatever_encoding(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    like = project / "like"
    assert call(project, capsys, "new", str(like), "--like", "shell_metric").code == 0
    (like / "gone").symlink_to("nowhere")
    (like / "project" / "runs").mkdir(parents=True)
    (like / "project" / "SCORES.csv").write_text("1,2\n")
    (like / "seed.py").write_bytes("# -*- coding: latin-1 -*-\n# Größe\n".encode("latin-1"))
    done = call(project, capsys, "new", "made/mine", "--like", str(like))
    assert done.code == 0, done.err
    made = project / "made" / "mine"
    assert sorted(path.name for path in (made / "project").iterdir()) == ["SCORES.csv", "runs"]
    assert (made / "seed.py").read_bytes() == (like / "seed.py").read_bytes() and not (made / "gone").is_symlink()


def test_a_source_that_cannot_be_read_is_told_with_its_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "lib" / "fast.py").write_text("x = 1\ndef steps(:\n")
    assert "lib/fast.py line 2 cannot be read" in call(project, capsys, *NEW).err


def test_the_example_finds_a_better_packing_without_a_model(tmp_path: Path) -> None:
    made = tmp_path / "packing"
    assert run_loop("new", made, "--like", "shell_metric").code == 0
    done = run_loop(made, "--loop", "2", "--seed", "1", "--no-commit", "--json")
    assert "best" in done.statuses
    assert json.loads((made / "SCORES.json").read_text())["unit"] == "bins"

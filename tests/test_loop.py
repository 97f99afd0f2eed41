"""The command line as people and scripts meet it: every mistake is one `error:` line and one `hint:` line, exit 1, and
nothing that was kept is lost; Ctrl-C stops within two seconds and says how to go on."""

import json
import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import loop as command_line
import scratch
from documented import differences
from harness import contract
from harness.keep.scores import Scores
from harness.records import Status
from keep.samples import attempt
from loopback import Answer, Loopback
from scratch import ROOT, Done, fenced, git, loop


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """A small experiment alone in a repository, never searched."""
    made = scratch.write_total(tmp_path / "repository" / "total")
    scratch.make_repository(made.parent)
    return made


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """loop.py's own `main`, called in this process: for what needs no environment of its own."""

    def call(*arguments: str | Path) -> Done:
        code = command_line.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code=code, out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="module", autouse=True)
def unreachable(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.Popen[str]":
    """A run that tries, and waits, and tries again, while the other tests go on; the last test looks at its end."""
    made = scratch.write_total(tmp_path_factory.mktemp("unreachable") / "total")
    model = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    return scratch.start(ROOT / "loop.py", made, "--no-commit", *model)


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        ([], "the following arguments are required: experiment.", "--help"),
        (["linear", "--loop", "0"], "argument --loop: '0' must be a whole number, 1 or more.", "--help"),
        (["linear", "--loop", "many"], "'many' must be a whole number, 1 or more.", "--help"),
        (["linear", "--temperature", "9"], "argument --temperature: '9' must be a number, from 0 to 2.", "--help"),
        (["linear", "--temperature", "nan"], "'nan' must be a number, from 0 to 2.", "--help"),
        (["linear", "--seed", "x"], "argument --seed: 'x' must be a whole number, 0 or more.", "--help"),
        (["linear", "--lop", "3"], "--lop 3 is not understood.", "did you mean --loop?"),
        (["linear", "--model", ""], "--model is empty.", "--model NAME"),
        (["linear", "--base-url", "http://x/v1"], "no model is named", "--model NAME"),
        (["linear", "--model", "m", "--base-url", "x"], "--base-url is x, must begin with http", "Mend or remove it."),
        (["linear", "--model", "replay:/nonexistent"], "replay:/nonexistent cannot be read", "reply.md"),
        (["linear", "--instructions", "notes.md"], "--instructions notes.md: No such file", "a file of UTF-8 text"),
        (["linear", "--instructions", "linear"], "--instructions linear: Is a directory", "a file of UTF-8 text"),
        (["liner"], "there is no experiment 'liner'.", "did you mean linear?"),
        (["staus", "linear"], "there is no experiment 'staus'.", "did you mean status?"),
        (["docs"], "docs: there is no experiment.json in this folder.", "docs/add-an-experiment.md"),
        (["show", "linear", "x"], "'x' is not an attempt.", "an attempt's number"),
        (["show", "linear", "--csv", "--json"], "--csv has a form of its own.", "leave out --json or --csv."),
        (["show", "linear", "99999"], "linear: nothing is kept of attempt 99999 on this machine.", "linear/winners/"),
        (["diff", "linear", "zz"], "linear has no source called 'zz'.", "best, seed"),
        (["seed", "linear", "--from", "abcdef0"], "linear has no archived winner 'abcdef0'.", "winners"),
        (["linear", "--time", "90ms"], "'90ms' must be a time above 0", "--help"),
        (["linear", "--budget-usd", "0"], "'0' must be a number, 0.01 or more", "--help"),
        (["linear", "--model", "replay:"], "--model replay: names no folder.", "replay:FOLDER"),
        (["--json", "status", "linear"], "status stands behind an option.", "python loop.py status"),
        (["x" * 300], "File name too long.", "see that it is there"),
        (["judge", "linear", "--file", "nope.c"], "cannot read nope.c: No such file or directory.", "a file of source"),
        (["judge", "linear", "--file", "docs"], "cannot read docs: Is a directory.", "a file of source"),
        (
            ["judge", "linear", "--file", "linear/naive.c", "--against", "nope.c"],
            "cannot read nope.c",
            "a file of source",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_one_error_and_one_hint(
    here: Callable[..., Done], arguments: Sequence[str], error: str, hint: str
) -> None:
    done = here(*arguments)
    assert (done.code, len(done.err.splitlines())) == (1, 2), done.err
    first, second = done.err.splitlines()
    assert first.startswith("error: ") and error in first
    assert second.startswith("hint: ") and hint in second


def test_a_named_model_without_a_key_is_told_what_to_set(experiment: Path) -> None:
    done = loop(experiment, "--model", "gpt-5-mini")
    assert scratch.is_plain_error(done), done.err
    assert "OPENAI_API_KEY is not set" in done.err


def test_a_source_that_is_not_utf_8_is_refused_with_the_byte(here: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "latin.c").write_bytes(b"/* \xe9 */")
    done = here("judge", "linear", "--file", tmp_path / "latin.c")
    assert scratch.is_plain_error(done)
    assert "latin.c is not UTF-8: byte 3." in done.err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("experiment.json", '{"schema": 1,', "total/experiment.json line 1 column 14"),
        ("experiment.json", "[]", "total/experiment.json is a JSON list, must be an object."),
        ("eval.py", "\n1 / 0\n", "total/eval.py line 2: ZeroDivisionError: division by zero"),
        ("prompt.py", "def sections(context):\n    return 1 / 0\n", "total/prompt.py line 2: ZeroDivisionError"),
        ("SCORES.json", '{"search": ', "SCORES.json"),
        ("SCORES.json", '{"search": 3}', "SCORES.json"),
        ("MEMORY.json", "[]", "MEMORY.json"),
    ],
)
def test_a_damaged_file_of_the_experiment_is_named_and_left_as_it_is(
    here: Callable[..., Done], experiment: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (experiment / name).write_text(text)
    done = here(experiment, "--model", scratch.write_replies(tmp_path / "replies", scratch.PROSE), "--plain")
    assert scratch.is_plain_error(done), done.err
    assert said in done.err
    assert (experiment / name).read_text() == text


def test_every_fault_of_a_contract_stands_on_a_line_of_its_own(here: Callable[..., Done], experiment: Path) -> None:
    wrong = scratch.MANIFEST | {"edit": 3, "language": "basic"}
    (experiment / "experiment.json").write_text(json.dumps(wrong))
    done = here(experiment)
    assert scratch.is_plain_error(done)
    assert len(done.err.splitlines()) == 3


@pytest.mark.parametrize(
    ("file", "function"),
    [("eval.py", "inputs"), ("eval.py", "reference"), ("eval.py", "bound"), ("security.py", "rule")],
)
def test_a_hook_that_raises_when_it_is_called_is_shown_with_file_and_line(
    here: Callable[..., Done], experiment: Path, file: str, function: str
) -> None:
    path = experiment / file
    if function == "rule":
        path.write_text("def rule(submission):\n    raise KeyError('boo')\n    yield\n\n\nRULES = (rule,)\n")
    else:
        wrong = f"def {function}(*_, **__):\n    raise KeyError('boo')\n\n\ndef _{function}("
        path.write_text(path.read_text().replace(f"def {function}(", wrong))
    line = path.read_text().splitlines().index("    raise KeyError('boo')") + 1
    done = here("judge", experiment)
    assert scratch.is_plain_error(done), done.err
    assert f"total/{file} line {line}: KeyError: 'boo'" in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def available(name, value, cpu_flags):\n    return 1 / 0\n", "total/space.py line 2: ZeroDivisionError"),
        ("available = True\n", "total/space.py: `available` is True, must be a function."),
        ("def available(name):\n    return True\n", "`available(name)` cannot be called with 3 values."),
        ("def render(choices):\n    choices\n", "total/space.py line 1: `render` gives None, must give a whole source"),
    ],
)
def test_a_space_that_cannot_be_searched_is_shown_with_its_file(
    here: Callable[..., Done], experiment: Path, text: str, said: str
) -> None:
    rest = "" if "def render" in text else "\n\ndef render(choices):\n    return ''\n"
    (experiment / "space.py").write_text(f"{text}{rest}\n\nCHOICES = {{'step': (1, 2)}}\n")
    done = here(experiment, "--no-commit", "--plain")
    assert scratch.is_plain_error(done), done.err
    assert said in done.err


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("(*C_RULES, calls_forbidden)", "cannot be called with 1 value."),
        ("('headers',)", "total/security.py: `RULES[0]` is 'headers', must be a function."),
        ("(headers,)", "total: the rule `headers` gives <function headers"),
        ("(silent,)", "total/security.py line 4: the rule `silent` gives None, must give Violations"),
    ],
)
def test_a_rule_that_is_none_is_shown_with_its_file(
    here: Callable[..., Done], experiment: Path, rules: str, said: str
) -> None:
    imports = "from harness.judge.gate import C_RULES, calls_forbidden, headers"
    (experiment / "security.py").write_text(f"{imports}\n\n\ndef silent(_):\n    pass\n\n\nRULES = {rules}\n")
    done = here("judge", experiment)
    assert scratch.is_plain_error(done), done.err
    assert said in done.err


@pytest.mark.parametrize(("program", "said"), [("gcc", "gcc is not on the PATH"), ("git", "git was not found")])
def test_a_missing_program_is_named_with_how_to_get_it(
    experiment: Path, tmp_path: Path, program: str, said: str
) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    other = {"gcc": "git", "git": "gcc"}[program]
    (path / other).symlink_to(str(shutil.which(other)))
    done = loop(experiment, "--plain", env=scratch.environment(PATH=str(path)))
    assert scratch.is_plain_error(done), done.err
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize("arguments", [["doctor"], ["linear", "--loop", "1"]])
def test_a_python_without_the_packages_is_told_how_to_get_them(arguments: list[str]) -> None:
    without = [scratch.PYTHON, "-S", "loop.py", *arguments]  # -S: it looks into no site-packages
    ended = subprocess.run(without, cwd=scratch.ROOT, capture_output=True, text=True, timeout=60, check=False)
    done = scratch.Done(code=ended.returncode, out=ended.stdout, err=ended.stderr)
    assert scratch.is_plain_error(done), done.err
    assert "has no module" in done.err and "pip install -r requirements.txt" in done.err


def test_doctor_lists_what_is_missing_and_all_the_rest(tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    done = loop("doctor", "--json", env=scratch.environment(PATH=str(tmp_path)))
    (report,) = done.lines
    failed = {check["name"] for check in report["checks"] if check["needed"] and not check["is_well"]}
    assert (done.code, report["well"], failed) == (1, False, {"gcc", "judge"})


def _in_a_merge(experiment: Path) -> None:
    repository = experiment.parent
    for branch in ("theirs", "main"):
        git(repository, "checkout", "-q", "-B", branch, "main" if branch == "main" else "HEAD")
        (repository / "a.txt").write_text(branch)
        git(repository, "add", "a.txt")
        git(repository, "commit", "-q", "-m", branch)
    subprocess.run(["git", "merge", "theirs"], cwd=repository, capture_output=True, check=False)


def _without_a_repository(experiment: Path) -> None:
    shutil.rmtree(experiment.parent / ".git")


def _without_an_identity(experiment: Path) -> None:
    git(experiment.parent, "config", "user.useConfigOnly", "true")
    git(experiment.parent, "config", "--unset", "user.name")
    git(experiment.parent, "config", "--unset", "user.email")


@pytest.mark.parametrize(
    ("arrange", "said"),
    [
        (_in_a_merge, "in the middle of a merge"),
        (_without_a_repository, "not a git repository"),
        (_without_an_identity, "no identity"),
    ],
)
def test_where_nothing_can_be_committed_the_way_round_is_named(
    experiment: Path, arrange: Callable[[Path], None], said: str
) -> None:
    arrange(experiment)
    done = loop(experiment)
    assert scratch.is_plain_error(done), done.err
    assert said in done.err and "--no-commit" in done.err


def _mounted(mount: str, *command: str | Path, after: str = ":") -> Done:
    """A run in which a folder lies on another file system, seen by this run alone; `after` runs before it is gone."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("mounting a file system needs root and unshare")
    script = f'{mount} || exit 77; (cd / && "$@"); code=$?; {after}; exit $code'
    process = subprocess.run(
        ["unshare", "-m", "sh", "-c", script, "sh", scratch.PYTHON, str(ROOT / "loop.py"), *map(str, command)],
        env=scratch.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode == 77 or "unshare:" in process.stderr:
        pytest.skip(f"this machine does not let us mount: {process.stderr.strip()}")
    return Done(code=process.returncode, out=process.stdout, err=process.stderr)


def test_a_read_only_folder_is_one_error(experiment: Path) -> None:
    mount = f"mount --bind '{experiment}' '{experiment}' && mount -o remount,bind,ro '{experiment}'"
    done = _mounted(mount, experiment)
    assert scratch.is_plain_error(done), done.err
    assert "Read-only file system" in done.err


def test_a_disk_that_fills_up_is_one_error_and_what_was_recorded_can_be_read(experiment: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", *[f"{scratch.PROSE} {n}" * 500 for n in range(9)])
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size=200k tmpfs '{small}' && cp -r '{experiment}' '{small}'"
    copy = f"cp -r '{small}/total/runs' '{experiment}'"
    done = _mounted(mount, small / "total", "--loop", "9", "--no-commit", "--model", replies, after=copy)
    assert scratch.is_plain_error(done), done.err
    assert "No space left on device" in done.err
    numbers = [event["attempt"]["number"] for event in scratch.journal(experiment) if event["kind"] == "judged"]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers


def test_closed_standard_output_is_no_reason_to_fail(experiment: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", scratch.PROSE)
    command = [scratch.PYTHON, str(ROOT / "loop.py"), str(experiment), "--model", replies]
    process = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command], env=scratch.environment(), capture_output=True, check=False
    )
    assert (process.returncode, process.stderr) == (0, b"")
    assert scratch.kinds(experiment) == ["seeded", "proposed", "judged"]


def test_a_reader_that_goes_away_ends_a_search_with_one_error(experiment: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", scratch.PROSE, scratch.PROSE)
    process = scratch.start(ROOT / "loop.py", experiment, "--json", "--model", replies, "--loop", "2")
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    done = Done(err=process.stderr.read(), code=process.wait(30), out="")
    assert scratch.is_plain_error(done), done.err
    assert "to go on: python loop.py" in done.err


def test_a_reader_that_has_seen_enough_of_a_page_is_no_error(experiment: Path) -> None:
    process = scratch.start(ROOT / "loop.py", "status", experiment)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait(30)) == ("", 0)


def test_a_full_standard_output_is_one_error(experiment: Path) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        command = [scratch.PYTHON, str(ROOT / "loop.py"), "status", str(experiment)]
        process = subprocess.run(
            command, env=scratch.environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert scratch.is_plain_error(Done(code=process.returncode, out="", err=process.stderr)), process.stderr


def test_a_terminal_that_knows_only_ascii_still_gets_its_lines(experiment: Path) -> None:
    (experiment / "candidate.c").write_text(scratch.SLOWER)
    done = loop("judge", experiment, env=scratch.environment(PYTHONIOENCODING="ascii"))
    assert (done.code, done.err) == (0, "")


def _interrupted(experiment: Path, answer: Answer | str, is_there: Callable[[int, Loopback], bool]) -> Done:
    """A run that gets Ctrl-C in the middle of something; its exit has to come within two seconds."""
    with Loopback([answer]) as server:
        process = scratch.start(ROOT / "loop.py", experiment, "--model", "m", "--base-url", server.base_url)
        deadline_s = time.monotonic() + 20
        while not is_there(process.pid, server):
            assert time.monotonic() < deadline_s and process.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        below = scratch.descendants(process.pid)
        process.send_signal(signal.SIGINT)
        pressed_s = time.monotonic()
        done = scratch.finish(process)
        assert time.monotonic() - pressed_s < 2
    assert not any(map(scratch.is_alive, below))
    return done


def _has_child(pid: int, name: str) -> bool:
    for child in scratch.descendants(pid):
        try:
            if name in Path(f"/proc/{child}/cmdline").read_text():
                return True
        except OSError:
            continue
    return False


def _says_how_to_go_on(done: Done, experiment: Path) -> bool:
    return f"interrupted; to go on: python loop.py {experiment}" in done.out and done.err == "" and done.code == 130


def test_ctrl_c_while_asking_stops_within_two_seconds(experiment: Path) -> None:
    done = _interrupted(experiment, Answer(delay_s=30), lambda pid, server: bool(server.requests))
    assert _says_how_to_go_on(done, experiment), done
    assert scratch.kinds(experiment) == ["seeded"]


def test_ctrl_c_while_compiling_stops_within_two_seconds_and_keeps_the_answer(experiment: Path) -> None:
    def is_compiling(pid: int, server: Loopback) -> bool:
        return "proposed" in scratch.kinds(experiment) and _has_child(pid, "cc1")

    done = _interrupted(experiment, fenced(scratch.HEAVY), is_compiling)
    assert _says_how_to_go_on(done, experiment), done
    assert scratch.kinds(experiment) == ["seeded", "proposed"]


def test_ctrl_c_while_judging_stops_within_two_seconds_and_a_second_loop_was_refused(experiment: Path) -> None:
    refused: list[tuple[Done, int]] = []

    def is_judging(pid: int, server: Loopback) -> bool:
        if "proposed" not in scratch.kinds(experiment):
            return False
        refused.append((loop(experiment), pid))
        return True

    done = _interrupted(experiment, fenced(scratch.ENDLESS), is_judging)
    assert _says_how_to_go_on(done, experiment), done
    second, pid = refused[0]
    assert scratch.is_plain_error(second), second
    assert f"another loop (pid {pid})" in second.err


def test_ctrl_c_stops_the_judging_of_one_file(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "endless.c").write_text(scratch.ENDLESS)
    process = scratch.start(ROOT / "loop.py", "judge", experiment, "--file", tmp_path / "endless.c")
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    pressed_s = time.monotonic()
    done = scratch.finish(process)
    assert (done.code, done.err) == (130, "interrupted.\n")
    assert time.monotonic() - pressed_s < 2


def _everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder with its mode and content; what Python caches aside."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path): (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) for path in files}


def test_judging_a_file_prints_the_documented_keys_and_changes_no_file(
    here: Callable[..., Done], experiment: Path, tmp_path: Path
) -> None:
    (tmp_path / "slow.c").write_text(scratch.SLOWER)
    before = _everything(experiment.parent)
    done = here("judge", experiment, "--file", tmp_path / "slow.c", "--against", experiment / "naive.c", "--json")
    assert _everything(experiment.parent) == before
    (verdict,) = done.lines
    assert differences("judge", [verdict]) == []
    assert (done.code, verdict["schema"], verdict["status"]) == (0, 1, "slower")
    assert verdict["interval"][0] <= verdict["speedup"] <= verdict["interval"][1]
    assert set(verdict["vs_champion"]) == {"ratio", "interval"}
    assert set(verdict["cases"]) == {"long"}


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (scratch.BROKEN, "build_failed"),
        (scratch.WRONG, "wrong"),
        ("#include <stdio.h>\n" + scratch.SEED, "forbidden"),
        ("", "forbidden"),
        (scratch.SEED.replace("0.0f;", "*(volatile float *)8;"), "crashed"),
    ],
)
def test_judging_exits_0_whatever_the_verdict(
    here: Callable[..., Done], experiment: Path, tmp_path: Path, source: str, status: str
) -> None:
    (tmp_path / "candidate.c").write_text(source)
    done = here("judge", experiment, "--file", tmp_path / "candidate.c", "--json")
    assert (done.code, done.lines[0]["status"]) == (0, status)
    assert done.lines[0]["reason"]


@pytest.fixture
def elsewhere(experiment: Path) -> Path:
    """A clone of a search whose champion needs what this machine has not."""
    scores = Scores.fresh(contract.load(experiment))
    scores.fold(attempt(1, Status.BEST, 1.5))
    scores.committed(1, "1f6d0c2aa5b3")
    (experiment / "SCORES.json").write_text(scores.text())
    (experiment / "winners").mkdir()
    (experiment / "winners" / "1f6d0c2aa5b3.c").write_text(scratch.BROKEN)
    return experiment


def test_where_the_champion_does_not_run_the_seed_stands_in_and_the_verdict_says_so(
    here: Callable[..., Done], elsewhere: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.c").write_text(scratch.SLOWER)
    done = here("judge", elsewhere, "--file", tmp_path / "mine.c", "--json")
    assert (done.code, done.lines[0]["status"], done.lines[0]["vs_champion"]) == (0, "slower", None), done.err
    assert "the seed stood in for the champion (total: the champion is build_failed here" in done.lines[0]["reason"]


def test_a_rival_that_was_named_and_does_not_run_is_an_error_with_another_way(
    here: Callable[..., Done], experiment: Path, tmp_path: Path
) -> None:
    (tmp_path / "rival.c").write_text(scratch.BROKEN)
    done = here("judge", experiment, "--against", tmp_path / "rival.c")
    assert scratch.is_plain_error(done), done.err
    assert "`judge --against FILE` takes another rival" in done.err


def test_eval_py_judges_the_current_candidate_as_a_script(experiment: Path) -> None:
    (experiment / "candidate.c").write_text(scratch.SLOWER)
    done = scratch.finish(scratch.start(experiment / "eval.py", "--json", cwd=experiment))
    assert (done.code, done.lines[0]["status"]) == (0, "slower"), done.err


def test_a_bare_copy_of_the_house_is_seeded_and_searched_by_name(tmp_path: Path) -> None:
    house = tmp_path / "house"
    kept = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in kept:
        if (ROOT / name).is_file():
            (house / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, house / name)
    scratch.make_repository(house)
    seeded = scratch.finish(scratch.start("linear/seed.py", cwd=house))
    assert (seeded.code, seeded.err) == (0, "")
    empty = (house / "linear" / "naive.c").read_text().replace("    for (int r", "    return;\n    for (int r", 1)
    replies = scratch.write_replies(tmp_path / "replies", scratch.PROSE, fenced(empty))
    done = loop("linear", "--loop", "2", "--json", "--model", replies, cwd=tmp_path, house=house)
    assert done.statuses == ["unreadable", "wrong"], done.err
    changed = git(house, "status", "--short", "--untracked-files=all").splitlines()
    assert changed and all(line[3:].startswith("linear/") for line in changed), changed


def test_a_connection_that_is_refused_is_one_error(unreachable: "subprocess.Popen[str]") -> None:
    done = scratch.finish(unreachable)
    assert scratch.is_plain_error(done), done.err
    assert "http://127.0.0.1:9/v1 cannot be reached" in done.err

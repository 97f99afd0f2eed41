"""A search from end to end: real runs of loop.py over a small experiment, with a model server on the loopback
interface behind the real SDK, real compilers, real measurements, real commits, and real kills in between."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import scratch
from documented import differences
from loopback import Answer, Loopback
from scratch import Done, fenced, git, loop

AGAIN = fenced(scratch.FASTER.replace("int i = 0;", "int i = 0; /* the same code again */"))
REPLIES = (scratch.PROSE, fenced(scratch.BROKEN), fenced(scratch.WRONG), fenced(scratch.FASTER), AGAIN)
WINNER = 4
_LATE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One whole run of five attempts, in a repository where the user was in the middle of something else."""

    experiment: Path
    server: Loopback
    done: Done
    status_before: str

    @property
    def repository(self) -> Path:
        return self.experiment.parent

    @property
    def scores(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.experiment / "SCORES.json").read_text())
        return found

    @property
    def winner(self) -> str:
        return git(self.repository, "rev-parse", "HEAD~1").strip()


def _be_busy(repository: Path) -> str:
    """Staged, unstaged and untracked work of the user's; returns what git says of it."""
    for name in ("staged.txt", "both.txt", "unstaged.txt"):
        (repository / name).write_text("one\n")
    git(repository, "add", ".")
    git(repository, "-c", "core.hooksPath=/dev/null", "commit", "-q", "-m", "mine")
    (repository / "staged.txt").write_text("two\n")
    (repository / "both.txt").write_text("two\n")
    git(repository, "add", "staged.txt", "both.txt")
    (repository / "both.txt").write_text("three\n")
    (repository / "unstaged.txt").write_text("two\n")
    (repository / "untracked.txt").write_text("two\n")
    return _user_status(repository)


def _user_status(repository: Path) -> str:
    theirs = ("--", ".", ":!total")
    return "".join(git(repository, *command, *theirs) for command in (["status", "-s"], ["diff"], ["diff", "--cached"]))


def _wait_for(happened: Callable[[], object], limit_s: float = _LATE_S) -> None:
    deadline_s = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    repository = tmp_path_factory.mktemp("searched")
    experiment = scratch.write_total(repository / "total")
    scratch.make_repository(repository)
    before = _be_busy(repository)
    with Loopback(REPLIES) as server:
        model = ("--model", "some-model", "--base-url", server.base_url, "--temperature", "0.5", "--seed", "3")
        done = loop(experiment, "--loop", "5", "--json", "--instructions", "Mind the tail.", *model)
        yield Searched(experiment=experiment, server=server, done=done, status_before=before)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """The experiment alone in a repository, never searched."""
    made = scratch.write_total(tmp_path / "repository" / "total")
    scratch.make_repository(made.parent)
    return made


@pytest.fixture
def later(searched: Searched, tmp_path: Path) -> Path:
    """The searched experiment, to go on with."""
    return Path(shutil.copytree(searched.repository, tmp_path / "later")) / "total"


def test_each_answer_becomes_an_attempt_with_the_status_it_earned(searched: Searched) -> None:
    assert searched.done.statuses == ["unreadable", "build_failed", "wrong", "best", "duplicate"], searched.done.err


def test_json_output_is_one_object_a_line_with_a_schema(searched: Searched) -> None:
    assert {line["schema"] for line in searched.done.lines} == {1}


def test_each_step_of_an_attempt_is_an_event_and_its_last_names_the_commit(searched: Searched) -> None:
    steps = [line["event"] for line in searched.done.lines if line.get("attempt") == 4]
    assert steps == ["asking", "reply", "judging", "attempt"]
    commits = [line["commit"] for line in searched.done.lines if line["event"] == "attempt"]
    committed = [event["commit"] for event in scratch.journal(searched.experiment) if event["kind"] == "committed"]
    assert commits == [None, None, None, *committed, None]


def test_the_events_of_a_run_are_documented(searched: Searched) -> None:
    assert differences("search", searched.done.lines, unseen=["note"]) == []


def test_one_answer_is_asked_for_each_attempt(searched: Searched) -> None:
    assert len(searched.server.requests) == len(REPLIES)


def test_the_instructions_are_in_every_prompt(searched: Searched) -> None:
    prompts = [request.body["messages"][0]["content"] for request in searched.server.requests]
    assert all("Mind the tail." in prompt for prompt in prompts)


def test_temperature_and_seed_reach_the_model(searched: Searched) -> None:
    assert {(r.body["temperature"], r.body["seed"]) for r in searched.server.requests} == {(0.5, 3)}


def test_the_next_prompt_is_told_what_failed(searched: Searched) -> None:
    assert "nonsense" in searched.server.requests[2].body["messages"][0]["content"]


def test_the_attempt_after_a_best_starts_from_it(searched: Searched) -> None:
    assert [line["parent"] for line in searched.done.lines if line["event"] == "attempt"] == ["seed"] * 4 + ["4"]


def test_a_duplicate_costs_no_measurement(searched: Searched) -> None:
    verdict = scratch.journal(searched.experiment)[-1]["attempt"]["verdict"]
    assert (verdict["reason"], verdict["cases"], verdict["seconds"]) == ("the same code as attempt 4", {}, 0.0)


def test_a_winner_is_two_commits(searched: Searched) -> None:
    subjects = git(searched.repository, "log", "--format=%s").splitlines()
    assert len(subjects) == 4
    assert subjects[0] == f"total: keep {searched.winner[:12]}, the winner of attempt 4"


def test_the_first_commit_of_a_winner_holds_the_candidate(searched: Searched) -> None:
    assert git(searched.repository, "show", f"{searched.winner}:total/candidate.c") == scratch.FASTER


def test_the_winner_is_archived_under_its_commit(searched: Searched) -> None:
    archived = git(searched.repository, "show", f"HEAD:total/winners/{searched.winner[:12]}.c")
    assert archived == scratch.FASTER


def test_the_winners_commit_carries_its_trailers(searched: Searched) -> None:
    trailers = git(searched.repository, "log", "-1", "--format=%(trailers:only,unfold)", searched.winner)
    found = dict(line.split(": ", 1) for line in trailers.splitlines() if line)
    assert {key: found[key] for key in ("Attempt", "Model", "Parent")} == {
        "Attempt": "4",
        "Model": "some-model",
        "Parent": "seed",
    }
    assert float(found["Speedup"].split()[0]) > 1.5


def test_scores_and_memory_are_committed_with_the_winner(searched: Searched) -> None:
    for name in ("SCORES.json", "SCORES.md", "SCORES.svg", "MEMORY.json", "MEMORY.md"):
        assert git(searched.repository, "show", f"HEAD:total/{name}")


def test_scores_link_to_the_archived_winner(searched: Searched) -> None:
    assert f"(winners/{searched.winner[:12]}.c)" in (searched.experiment / "SCORES.md").read_text()


def test_usage_is_summed_over_every_answer(searched: Searched) -> None:
    usage = searched.scores["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (50, 25)


def test_an_unknown_price_is_an_unknown_cost(searched: Searched) -> None:
    assert searched.scores["usage"]["cost_usd"] is None
    assert "| unknown |" in (searched.experiment / "SCORES.md").read_text()


def test_the_users_own_work_is_left_exactly_as_it_was(searched: Searched) -> None:
    assert _user_status(searched.repository) == searched.status_before


def test_nothing_but_the_experiments_own_records_is_left_uncommitted(searched: Searched) -> None:
    changed = git(searched.repository, "status", "-s", "--", "total").split()[1::2]
    assert {Path(name).stem for name in changed} <= {"SCORES", "MEMORY"}


def test_everything_of_an_attempt_can_be_read_later(searched: Searched) -> None:
    kept = {path.name for path in (searched.experiment / "runs" / "0004").iterdir()}
    assert kept == {"prompt.md", "reply.md", "candidate.c", "verdict.json"}


def test_running_again_goes_on_with_the_next_number(later: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", *REPLIES, scratch.PROSE)
    done = loop(later, "--model", replies, "--json", "--parent", "seed")
    attempts = [line for line in done.lines if line["event"] == "attempt"]
    assert [(line["attempt"], line["parent"]) for line in attempts] == [(6, "seed")]


def test_the_prompt_after_a_winner_has_its_times_and_what_the_compiler_said_of_its_loops(searched: Searched) -> None:
    prompt = searched.server.requests[WINNER].body["messages"][-1]["content"]
    assert "What it takes here, case by case:\n\n```text\nlong: " in prompt
    assert "| for (; i + 4 <= n; i += 4)" in prompt.partition("## What the compiler says of the parent's loops")[2]


@pytest.mark.parametrize("parent", ["specialist:long", "auto"])
def test_the_best_of_a_case_and_a_mix_can_be_the_parent(searched: Searched, later: Path, parent: str) -> None:
    with Loopback([scratch.PROSE]) as server:
        done = loop(later, "--model", "m", "--base-url", server.base_url, "--parent", parent, "--json")
    assert [line["parent"] for line in done.lines if line["event"] == "attempt"] == [str(WINNER)]


def test_a_case_that_is_not_there_is_told_with_those_that_are(later: Path) -> None:
    done = loop(later, "--model", scratch.write_replies(later.parent / "replies", "x"), "--parent", "specialist:wide")
    assert scratch.is_plain_error(done)
    assert "has no case 'wide'" in done.err and "its cases: long." in done.err


@pytest.mark.parametrize("parent", ["3", "COMMIT"])
def test_an_attempt_or_a_commit_can_be_the_parent(searched: Searched, later: Path, parent: str) -> None:
    ref, source = (searched.winner[:9], scratch.FASTER) if parent == "COMMIT" else (parent, scratch.WRONG)
    with Loopback([scratch.PROSE]) as server:
        loop(later, "--model", "m", "--base-url", server.base_url, "--parent", ref)
    prompt = server.requests[0].body["messages"][0]["content"]
    assert source in prompt
    said = "the best so far" if parent == "COMMIT" else "no winner, wrong). It failed: make it right first."
    named = str(WINNER) if parent == "COMMIT" else parent
    assert f"Start from this version ({named}: {said}" in prompt


def test_a_winner_is_correct_whatever_runs_holds_of_its_number(searched: Searched, later: Path) -> None:
    of_another_clone = later / "runs" / "0004" / "verdict.json"
    of_another_clone.write_text((later / "runs" / "0003" / "verdict.json").read_text())
    with Loopback([scratch.PROSE]) as server:
        loop(later, "--model", "m", "--base-url", server.base_url)
    assert "(4: the best so far" in (prompt := server.requests[0].body["messages"][0]["content"])
    assert "It is correct." in prompt


def test_instructions_can_be_a_file(experiment: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("Think of the cache.\n")
    with Loopback([scratch.PROSE]) as server:
        loop(experiment, "--model", "m", "--base-url", server.base_url, "--instructions", tmp_path / "notes.md")
    assert "Think of the cache." in server.requests[0].body["messages"][0]["content"]


def test_a_fresh_clone_goes_on_from_the_scores(later: Path, tmp_path: Path) -> None:
    git(later.parent, "clone", "-q", str(later.parent), str(tmp_path / "clone"))
    replies = scratch.write_replies(tmp_path / "replies", scratch.PROSE, fenced(scratch.WRONG))
    clone = tmp_path / "clone" / "total"
    done = loop(clone, "--model", replies, "--json", "--no-commit", "--loop", "9")
    attempts = [line for line in done.lines if line["event"] == "attempt"]
    # The last commit was made when attempt 4 was judged: 5 was never committed, so it is made anew.
    assert [(line["attempt"], line["champion"]["attempt"]) for line in attempts] == [(5, 4), (6, 4)], done.err


def test_without_commits_a_winner_is_kept_and_git_is_left_alone(experiment: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", fenced(scratch.FASTER))
    done = loop(experiment, "--model", replies, "--no-commit", "--json")
    assert done.statuses == ["best"]
    assert (experiment / "candidate.c").read_text() == scratch.FASTER
    assert git(experiment.parent, "log", "--format=%s") == "start\n"


def test_the_builtin_proposer_searches_and_ends_when_its_space_is_used_up(experiment: Path) -> None:
    halved = scratch.SEED.replace("sum +=", "sum = HALVED +")
    render = f'return {halved!r}.replace("HALVED", "sum" + " / 2 * 2" * choices["times"])'
    (experiment / "space.py").write_text(f'CHOICES = {{"times": (2, 4, 6)}}\n\n\ndef render(choices):\n    {render}\n')
    done = loop(experiment, "--loop", "9", "--json", "--no-commit", "--seed", "1")
    assert (done.code, done.statuses) == (0, ["slower"] * 3), done.err
    assert "every point of the search space was proposed" in done.lines[-1]["reason"]
    assert "built-in" in done.lines[0]["proposer"]


def _back_to(later: Path, kind: str, number: int) -> None:
    """The journal as it was when `kind` of an attempt had been written, and no file or commit since the start."""
    path = later / "runs" / "journal.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    events = [json.loads(line) for line in lines]
    last = next(
        index
        for index, event in enumerate(events)
        if event["kind"] == kind and (event.get("proposal") or event.get("attempt"))["number"] == number
    )
    path.write_text("".join(lines[: last + 1]))
    for name in ("SCORES.json", "MEMORY.json"):
        (later / name).unlink()


def test_a_winner_that_was_journalled_but_not_committed_is_committed_by_the_next_run(later: Path) -> None:
    _back_to(later, "judged", WINNER)
    git(later.parent, "reset", "-q", "--hard", "HEAD~2")
    done = loop(later, "--model", scratch.write_replies(later.parent / "replies", scratch.PROSE))
    assert done.code == 0, done.err
    assert "Attempt: 4" in git(later.parent, "log", "-1", "--format=%B", "HEAD~1")


def test_a_winner_that_was_committed_but_not_journalled_is_not_committed_twice(later: Path) -> None:
    _back_to(later, "judged", WINNER)
    loop(later, "--model", scratch.write_replies(later.parent / "replies", scratch.PROSE))
    assert git(later.parent, "log", "--format=%B").count("Attempt: 4") == 1


def test_an_answer_that_was_paid_for_is_judged_without_asking_again(later: Path) -> None:
    _back_to(later, "proposed", 3)
    with Loopback([Answer(status=500)]) as server:
        done = loop(later, "--model", "m", "--base-url", server.base_url, "--json", "--no-commit")
    assert (done.statuses, server.requests) == (["wrong"], [])


def test_a_kill_while_asking_loses_nothing_and_leaves_no_lock(experiment: Path) -> None:
    with Loopback([Answer(delay_s=30), scratch.PROSE]) as server:
        arguments = (experiment, "--model", "m", "--base-url", server.base_url, "--json")
        process = scratch.start(scratch.ROOT / "loop.py", *arguments)
        _wait_for(lambda: server.requests)
        process.kill()
        scratch.finish(process)
        done = loop(*arguments)
    assert done.statuses == ["unreadable"]
    assert scratch.kinds(experiment) == ["seeded", "proposed", "judged"]


def test_a_kill_while_judging_ends_the_candidates_process_and_asks_nothing_twice(experiment: Path) -> None:
    manifest = scratch.MANIFEST | {"limits": scratch.MANIFEST["limits"] | {"timeout_s": 1.5}}
    (experiment / "experiment.json").write_text(json.dumps(manifest))
    with Loopback([fenced(scratch.ENDLESS)]) as server:
        arguments = (experiment, "--model", "m", "--base-url", server.base_url, "--json")
        process = scratch.start(scratch.ROOT / "loop.py", *arguments)
        below = _runner_of_the_endless(process.pid, experiment)
        process.kill()
        scratch.finish(process)
        _wait_for(lambda: not any(map(scratch.is_alive, below)), limit_s=2)
        done = loop(*arguments)
    assert (done.statuses, len(server.requests)) == (["timed_out"], 1)
    assert scratch.kinds(experiment) == ["seeded", "proposed", "judged"]


def _runner_of_the_endless(pid: int, experiment: Path) -> list[int]:
    """The processes below a run that has begun to call an endless candidate: they are there, and stay."""
    _wait_for(lambda: "proposed" in scratch.kinds(experiment))
    steady: list[int] = []

    def is_steady() -> bool:
        nonlocal steady
        before, steady = steady, scratch.descendants(pid)
        time.sleep(0.2)
        return bool(steady) and before == steady

    _wait_for(is_steady)
    return steady


def _wait_for_events(experiment: Path, count: int, process: "subprocess.Popen[str]") -> None:
    _wait_for(lambda: len(scratch.kinds(experiment)) >= count or process.poll() is not None)


def test_kills_at_any_moment_lose_no_attempt_and_judge_none_twice(experiment: Path, tmp_path: Path) -> None:
    answers = (scratch.PROSE, fenced(scratch.BROKEN), fenced(scratch.WRONG), fenced(scratch.SEED), scratch.PROSE)
    replies = scratch.write_replies(tmp_path / "replies", *answers)
    for events in (2, 4, 5, 8):
        process = scratch.start(scratch.ROOT / "loop.py", experiment, "--loop", "5", "--model", replies)
        _wait_for_events(experiment, events, process)
        process.kill()
        scratch.finish(process)
    done = loop(experiment, "--loop", "5", "--model", replies)
    assert done.code == 0, done.err
    numbers = [event["attempt"]["number"] for event in scratch.journal(experiment) if event["kind"] == "judged"]
    asked = [event["proposal"]["number"] for event in scratch.journal(experiment) if event["kind"] == "proposed"]
    assert numbers == asked == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("status", "said"), [(401, "Check the key"), (404, "Check --model and --base-url")])
def test_a_refused_request_is_one_error_and_records_nothing(experiment: Path, status: int, said: str) -> None:
    with Loopback([Answer(status=status, body={"error": {"message": "no such thing"}})]) as server:
        done = loop(experiment, "--model", "m", "--base-url", server.base_url)
    assert scratch.is_plain_error(done), done.err
    assert said in done.err
    assert scratch.kinds(experiment) == ["seeded"]


def test_a_hook_that_raises_in_a_search_is_told_with_its_file_and_line(experiment: Path, tmp_path: Path) -> None:
    path = experiment / "eval.py"
    wrong = "def accept(finding, standings):\n    raise KeyError('boo')\n\n\ndef work("
    path.write_text(path.read_text().replace("def work(", wrong))
    done = loop(experiment, "--model", scratch.write_replies(tmp_path / "replies", fenced(scratch.SLOWER)))
    line = path.read_text().splitlines().index("    raise KeyError('boo')") + 1
    assert scratch.is_plain_error(done), done.err
    assert f"total/eval.py line {line}: KeyError: 'boo'" in done.err
    assert scratch.kinds(experiment) == ["seeded", "proposed"]


def test_seed_py_begins_anew_and_leaves_history_and_winners(searched: Searched, later: Path, tmp_path: Path) -> None:
    history = git(later.parent, "log", "--format=%H")
    anew = scratch.finish(scratch.start(later / "seed.py", cwd=tmp_path))
    assert (anew.code, anew.err) == (0, "")
    assert f"python loop.py {later}" in anew.out
    assert (later / "candidate.c").read_text() == scratch.SEED
    assert scratch.kinds(later) == ["seeded"]
    assert json.loads((later / "SCORES.json").read_text())["last_attempt"] == 0
    assert (later / "winners" / f"{searched.winner[:12]}.c").is_file()
    assert git(later.parent, "log", "--format=%H") == history


def test_seed_py_can_begin_from_a_winner(searched: Searched, later: Path, tmp_path: Path) -> None:
    scratch.finish(scratch.start(later / "seed.py", "--from", searched.winner[:8], cwd=tmp_path))
    assert (later / "candidate.c").read_text() == scratch.FASTER
    with Loopback([scratch.PROSE]) as server:
        loop(later, "--model", "m", "--base-url", server.base_url)
    assert scratch.FASTER in server.requests[0].body["messages"][0]["content"]


def test_what_a_search_began_from_is_no_new_winner_of_it(searched: Searched, later: Path, tmp_path: Path) -> None:
    scratch.finish(scratch.start(later / "seed.py", "--from", searched.winner[:8], cwd=tmp_path))
    renamed = scratch.FASTER.replace("int i = 0;", "int at = 0, i = at;")
    replies = scratch.write_replies(tmp_path / "replies", fenced(scratch.FASTER), fenced(renamed))
    done = loop(later, "--model", replies, "--loop", "2", "--json", "--no-commit")
    first, second = (line for line in done.lines if line["event"] == "attempt")
    assert (first["status"], first["reason"][:12]) == ("duplicate", "the same cod")
    assert second["status"] in ("tie", "slower")


def test_a_search_goes_on_while_the_user_has_a_commit_open_and_says_what_waits(experiment: Path) -> None:
    lock = experiment.parent / ".git" / "index.lock"
    lock.touch()
    replies = scratch.write_replies(experiment.parent / "replies", fenced(scratch.FASTER), scratch.PROSE)
    done = loop(experiment, "--model", replies, "--loop", "2", "--json")
    assert (done.code, done.statuses) == (0, ["best", "unreadable"]), done.err
    notes = [line["text"] for line in done.lines if line["event"] == "note"]
    assert any(str(lock) in note for note in notes)

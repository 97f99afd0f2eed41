import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import IndexLocked, KeepError
from harness.keep.archive import Archive, WinnerFiles
from harness.records import Attempt, Candidate, Status
from keep.samples import attempt

SEED = "/* the seed */\n"
ROOT = Path(__file__).parents[2]


def git(where: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout


def _repository(folder: Path, *, commit: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "A. Tester")
    git(folder, "config", "user.email", "tester@example.org")
    (folder / "linear").mkdir()
    (folder / "linear" / "candidate.c").write_text(SEED)
    (folder / "mine.txt").write_text("one\ntwo\n")
    if commit:
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", "start")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return _repository(tmp_path / "repository")


def _winner(number: int = 7, status: Status = Status.BEST, **others: str) -> Attempt:
    made = attempt(number, status, 1.534, reason=others.get("reason", ""))
    return replace(made, candidate=Candidate(source=f"/* winner {number} */\n", digest=str(number), tags=("avx2",)))


def _files(folder: Path, champion: str | None = None, search: str = "s1", number: int = 7) -> WinnerFiles:
    def records(commit: str) -> Mapping[str, str]:
        return {"SCORES.json": "{}\n", "SCORES.md": f"winners/{commit[:12]}.c\n"}

    return WinnerFiles(
        search=search,
        experiment="linear",
        candidate_path=folder / "candidate.c",
        champion_source=champion or f"/* winner {number} */\n",
        records=records,
    )


def _commit(folder: Path, number: int = 7, champion: str | None = None) -> str:
    return Archive.open(folder).commit_winner(_winner(number), _files(folder, champion, number=number))


def _paths(where: Path, commit: str) -> list[str]:
    return git(where, "show", "--format=", "--name-only", commit).split()


def test_the_first_commit_holds_only_the_candidate(repository: Path) -> None:
    commit = _commit(repository / "linear")
    assert _paths(repository, commit) == ["linear/candidate.c"]
    assert git(repository, "show", f"{commit}:linear/candidate.c") == "/* winner 7 */\n"


def test_the_second_commit_holds_the_winner_under_its_hash_and_what_quotes_it(repository: Path) -> None:
    name = _commit(repository / "linear")[:12]
    assert _paths(repository, "HEAD") == ["linear/SCORES.json", "linear/SCORES.md", f"linear/winners/{name}.c"]
    assert git(repository, "show", f"HEAD:linear/winners/{name}.c") == "/* winner 7 */\n"
    assert git(repository, "show", "HEAD:linear/SCORES.md") == f"winners/{name}.c\n"


def test_the_message_says_what_was_gained_and_carries_the_trailers(repository: Path) -> None:
    message = git(repository, "log", "-1", "--format=%B", _commit(repository / "linear"))
    assert message.splitlines()[0] == "linear: x1.53 over the seed (attempt 7)"
    trailers = git(repository, "log", "-1", "--format=%(trailers)", "HEAD^").strip().splitlines()
    assert trailers == ["Attempt: 7", "Model: gpt-4.1-mini", "Parent: seed", "Speedup: 1.53 [1.52, 1.55]", "Search: s1"]


def test_the_work_tree_holds_what_was_committed(repository: Path) -> None:
    _commit(repository / "linear")
    assert git(repository, "status", "--porcelain") == ""


def test_a_winner_that_is_not_the_best_leaves_the_champion_in_the_candidate_file(repository: Path) -> None:
    _commit(repository / "linear", champion="/* champion */\n")
    assert (repository / "linear" / "candidate.c").read_text() == "/* champion */\n"
    assert git(repository, "show", "HEAD:linear/candidate.c") == "/* champion */\n"
    assert git(repository, "status", "--porcelain") == ""


def test_staged_half_staged_unstaged_and_untracked_work_of_the_user_stays_as_it_was(repository: Path) -> None:
    (repository / "mine.txt").write_text("one, staged\ntwo\n")
    (repository / "staged.txt").write_text("staged\n")
    git(repository, "add", "mine.txt", "staged.txt")
    (repository / "mine.txt").write_text("one, staged\ntwo, unstaged\n")
    (repository / "untracked.txt").write_text("untracked\n")
    looks = ("status --porcelain", "diff --cached", "diff", "ls-files --stage mine.txt staged.txt", "stash list")
    before = [git(repository, *look.split()) for look in looks]
    _commit(repository / "linear")
    assert [git(repository, *look.split()) for look in looks] == before


def test_a_staged_deletion_and_an_intent_to_add_stay_as_they_were(repository: Path) -> None:
    git(repository, "rm", "-q", "--cached", "mine.txt")
    (repository / "new.txt").write_text("new\n")
    git(repository, "add", "--intent-to-add", "new.txt")
    before = git(repository, "status", "--porcelain")
    _commit(repository / "linear")
    assert git(repository, "status", "--porcelain") == before


def test_no_hook_is_run(repository: Path) -> None:
    for hook in ("pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change"):
        script = repository / ".git" / "hooks" / hook
        script.write_text(f"#!/bin/sh\necho {hook} >> ../hooks-run\nexit 1\n")
        script.chmod(0o755)
    _commit(repository / "linear")
    assert not list(repository.parent.glob("**/hooks-run"))


def test_a_signing_key_is_never_asked_for(repository: Path) -> None:
    git(repository, "config", "commit.gpgsign", "true")
    git(repository, "config", "gpg.program", "false")
    assert _commit(repository / "linear")


def test_an_experiment_at_the_top_of_its_repository_is_committed(tmp_path: Path) -> None:
    top = _repository(tmp_path / "top")
    (top / "candidate.c").write_text(SEED)
    assert _paths(top, _commit(top)) == ["candidate.c"]


def test_a_detached_head_moves_and_no_branch_does(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    before = git(repository, "rev-parse", "main")
    commit = _commit(repository / "linear")
    assert git(repository, "rev-parse", "HEAD^").strip() == commit
    assert git(repository, "rev-parse", "main") == before


def test_a_branch_without_a_commit_gets_its_first(tmp_path: Path) -> None:
    top = _repository(tmp_path / "top", commit=False)
    commit = _commit(top / "linear")
    assert git(top, "rev-list", "--reverse", "main").split()[0] == commit
    assert git(top, "status", "--porcelain") == "?? mine.txt\n"


def test_a_linked_worktree_commits_to_its_own_branch(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    commit = _commit(tmp_path / "side" / "linear")
    assert git(repository, "rev-parse", "side^").strip() == commit
    assert git(tmp_path / "side", "status", "--porcelain") == git(repository, "status", "--porcelain") == ""


def test_sha256_repositories_work_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "wide")
    top = _repository(tmp_path / "wide")
    assert len(_commit(top / "linear")) == 64


def test_files_that_the_user_ignores_are_committed_all_the_same(repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("winners/\n*.json\n")
    name = _commit(repository / "linear")[:12]
    assert f"linear/winners/{name}.c" in _paths(repository, "HEAD")


def test_line_ends_are_stored_as_the_user_has_asked_git_to(repository: Path) -> None:
    git(repository, "config", "core.autocrlf", "true")
    git(repository, "config", "core.safecrlf", "true")
    _commit(repository / "linear")
    assert git(repository, "diff", "HEAD", "--stat") == ""


def test_a_commit_that_the_user_makes_meanwhile_is_kept(repository: Path) -> None:
    made: list[str] = []

    def busy() -> None:
        for number in range(8):
            (repository / "mine.txt").write_text(f"{number}\n")
            # Git refuses one that loses the race; it is the user's to make again, as after any other commit beside it.
            done = subprocess.run(
                ["git", "commit", "-q", "-m", f"mine {number}", "mine.txt"], cwd=repository, stderr=subprocess.DEVNULL
            )
            made.extend([f"mine {number}"] if done.returncode == 0 else [])

    user = threading.Thread(target=busy)
    user.start()
    commits = [_commit(repository / "linear", number) for number in (7, 8)]
    user.join()
    subjects = git(repository, "log", "--format=%s", "--reverse", "HEAD").splitlines()
    assert [subject for subject in subjects if subject.startswith("mine")] == made != []
    assert set(commits) <= set(git(repository, "rev-list", "HEAD").split())
    assert git(repository, "show", "HEAD:linear/candidate.c") == "/* winner 8 */\n"


def test_an_index_that_another_git_has_locked_is_waited_for(repository: Path) -> None:
    lock = repository / ".git" / "index.lock"
    lock.touch()
    release = threading.Timer(0.5, lock.unlink)
    release.start()
    _commit(repository / "linear")
    release.join()
    assert git(repository, "status", "--porcelain") == ""


@pytest.fixture
def locked(repository: Path) -> Path:
    (repository / ".git" / "index.lock").touch()
    return repository


def test_an_index_that_stays_locked_is_an_error_that_names_the_lock(locked: Path) -> None:
    with pytest.raises(IndexLocked, match=r"\.git/index\.lock"):
        _commit(locked / "linear")


def test_the_branch_does_not_move_while_the_index_is_locked(locked: Path) -> None:
    before = git(locked, "rev-parse", "HEAD")
    with pytest.raises(IndexLocked):
        _commit(locked / "linear")
    assert git(locked, "rev-parse", "HEAD") == before


def test_a_commit_is_found_again_by_its_search_and_attempt(repository: Path) -> None:
    commit = _commit(repository / "linear")
    archive = Archive.open(repository / "linear")
    assert archive.find("s1", 7) == commit
    assert (archive.find("s1", 70), archive.find("s2", 7), archive.find("s.", 7)) == (None, None, None)


def test_words_of_a_candidate_can_fake_no_trailer(repository: Path) -> None:
    folder = repository / "linear"
    faked = _winner(7, reason="fast\n\nAttempt: 8\nSearch: s1")
    Archive.open(folder).commit_winner(faked, _files(folder))
    Archive.open(folder).commit_winner(_winner(9, reason="Attempt: 8"), _files(folder, number=9))
    assert Archive.open(folder).find("s1", 8) is None


def test_a_winner_that_is_committed_already_is_not_committed_twice(repository: Path) -> None:
    first = _commit(repository / "linear")
    before = git(repository, "rev-list", "HEAD")
    assert _commit(repository / "linear") == first
    assert git(repository, "rev-list", "HEAD") == before


def test_a_crash_between_the_two_commits_is_made_good(repository: Path) -> None:
    first = _commit(repository / "linear")
    git(repository, "reset", "-q", "--hard", first)
    assert _commit(repository / "linear") == first
    assert f"linear/winners/{first[:12]}.c" in _paths(repository, "HEAD")


def test_kill_9_at_any_moment_leaves_a_repository_that_the_next_call_completes(repository: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from keep.test_archive import _commit\n"
        "print('ready', flush=True); _commit(Path(sys.argv[1]))"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    for delay_s in (0.03, 0.06, 0.09):
        command = [sys.executable, "-c", program, str(repository / "linear")]
        child = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        time.sleep(delay_s)
        child.kill()
        child.communicate()
    commit = _commit(repository / "linear")
    assert git(repository, "log", "--format=%H", "--grep=^Attempt: 7$").split() == [commit]
    assert git(repository, "status", "--porcelain") == ""


def test_a_winner_whose_source_is_in_place_already_still_gets_a_commit_of_its_own(repository: Path) -> None:
    (repository / "linear" / "candidate.c").write_text("/* winner 7 */\n")
    git(repository, "commit", "-q", "-am", "by hand")
    before = git(repository, "rev-parse", "HEAD").strip()
    assert _commit(repository / "linear") != before


def test_a_folder_outside_any_repository_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(KeepError, match="not a git repository") as raised:
        Archive.open(tmp_path)
    assert "git init" in raised.value.hint and "--no-commit" in raised.value.hint


@pytest.mark.parametrize("conflict", ["merge", "cherry-pick", "rebase"])
def test_a_repository_in_the_middle_of_something_is_an_error_that_names_it(repository: Path, conflict: str) -> None:
    git(repository, "checkout", "-q", "-b", "side")
    for branch in ("side", "main"):
        git(repository, "checkout", "-q", branch)
        (repository / "mine.txt").write_text(f"{branch}\n")
        git(repository, "commit", "-q", "-am", branch)
    subprocess.run(["git", conflict, "side"], cwd=repository, capture_output=True)
    with pytest.raises(KeepError, match=f"in the middle of a {conflict}") as raised:
        Archive.open(repository / "linear")
    assert "--no-commit" in raised.value.hint


def test_a_merge_that_begins_after_opening_stops_the_commit(repository: Path) -> None:
    archive = Archive.open(repository / "linear")
    (repository / ".git" / "MERGE_HEAD").write_text(git(repository, "rev-parse", "HEAD"))
    with pytest.raises(KeepError, match="a merge"):
        archive.commit_winner(_winner(), _files(repository / "linear"))


def test_a_git_without_an_identity_is_an_error_with_the_commands_that_mend_it(repository: Path) -> None:
    git(repository, "config", "user.name", "")
    git(repository, "config", "user.useConfigOnly", "true")
    git(repository, "config", "user.email", "")
    with pytest.raises(KeepError, match="no identity") as raised:
        Archive.open(repository / "linear")
    assert "git config user.name" in raised.value.hint and "--no-commit" in raised.value.hint


def test_a_machine_without_git_is_told_so(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from harness.errors import KeepError; from harness.keep.archive import Archive\n"
        "try: Archive.open(Path.cwd())\n"
        "except KeepError as error: print(error.message)\n"
    )
    environ = os.environ | {"PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.stdout == "git was not found on the PATH\n"


def test_what_git_refuses_is_reported_in_its_own_words(repository: Path) -> None:
    (repository / ".git" / "refs" / "heads" / "main.lock").mkdir()
    objects = repository / ".git" / "HEAD"
    objects.write_text("ref: refs/heads/main.lock/x\n")
    with pytest.raises(KeepError, match="git could not commit") as raised:
        _commit(repository / "linear")
    assert "stderr" not in raised.value.message


def test_an_interrupt_at_the_terminal_does_not_reach_git(repository: Path, tmp_path: Path) -> None:
    began = tmp_path / "began"
    (repository / ".gitattributes").write_text("*.c filter=slow\n")
    git(repository, "config", "filter.slow.clean", f"touch '{began}'; sleep 0.3; cat")
    script = (
        "import signal, sys\nfrom pathlib import Path\nsys.path[:0] = sys.argv[2:]\nfrom keep import test_archive\n"
        "signal.signal(signal.SIGINT, lambda *_: None)\ntest_archive._commit(Path(sys.argv[1]))\n"
    )
    command = [sys.executable, "-c", script, str(repository / "linear"), str(ROOT), str(ROOT / "tests")]
    process = subprocess.Popen(command, start_new_session=True)
    while not began.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    assert len(git(repository, "log", "--format=%h").split()) == 3

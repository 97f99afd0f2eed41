"""The only module that runs git: a winner becomes two commits, and nothing else of the repository changes.

The first commit holds the winner in the experiment's candidate file, so that its hash is the winner's name. The second
holds what quotes that hash: `winners/<hash>`, the scores and the memory. Both are built in an index of their own and
put on the branch only if it has not moved: the user's staged and unstaged work is never read, stashed or rewritten.
"""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from harness.errors import IndexLocked, KeepError
from harness.keep.files import write_whole
from harness.keep.leftover import free, noted
from harness.keep.winners import NAME_CHARS, traits
from harness.records import Attempt
from harness.workplace import workplace

# GitPython looks for git when it is imported; whether there is one is `Archive.open`'s to say, in this house's words.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import git

_RETRIES = 8  # an interrupt has to be answered within two seconds
_RETRY_S = 0.1
_LOCKING = ("update-index", "update-ref")
_REASON_CHARS = 300
_WITHOUT = "or run with --no-commit: winners are then kept without git."
# No hook of the user's may run or refuse; no helper of git's may be started for an index that lives for milliseconds.
_SETTINGS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.splitIndex=false", "core.safecrlf=false")
_BUSY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "BISECT_LOG": "a bisection",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WinnerFiles:
    """What a winner's two commits hold. `champion_source` is what the candidate file holds afterwards."""

    search: str
    experiment: str
    candidate_path: Path
    champion_source: str
    records: Callable[[str], Mapping[str, str]]
    """The winner's commit -> file names in the experiment's folder with their texts: SCORES.json, SCORES.md …"""


class Archive:
    """The repository around one experiment's folder."""

    def __init__(self, top: Path, folder: Path) -> None:
        self._top = top
        self._folder = folder
        self._note = folder / "runs" / "committing"
        self._git = git.Git(str(top))

    @classmethod
    def open(cls, folder: Path) -> "Archive":
        """Ready to commit, or a KeepError that says what stands in the way."""
        folder = folder.resolve()
        try:
            top = git.Git(str(folder)).execute(["git", "rev-parse", "--show-toplevel"])
        except git.GitCommandNotFound:
            raise KeepError("git was not found on the PATH", f"install git, {_WITHOUT}") from None
        except git.GitCommandError as fault:
            raise KeepError(
                f"{folder}: {_words(fault)}",
                f"make it part of a repository (git init), or mend what git names, {_WITHOUT}",
            ) from None
        archive = cls(Path(top), folder)
        archive.free()
        archive.check()
        return archive

    def free(self) -> None:
        """Remove the locks that a killed git of ours left; for whoever holds the experiment's lock."""
        if not self._note.is_file():
            return
        branch = self._run("rev-parse", "--symbolic-full-name", "HEAD") if self._head() else "HEAD"
        names = [part for name in ("index", "HEAD", branch) for part in ("--git-path", f"{name}.lock")]
        free(self._note, [self._top / path for path in self._run("rev-parse", *names).splitlines()], self._top)

    def check(self) -> None:
        """KeepError where nothing may be committed now: somebody is in the middle of something, or git lacks a name."""
        paths = self._run("rev-parse", *(part for name in _BUSY for part in ("--git-path", name))).splitlines()
        for path, activity in zip(paths, _BUSY.values(), strict=True):
            if (self._top / path).exists():
                raise KeepError(
                    f"{self._top} is in the middle of {activity}",
                    f"finish or abort it (git status says how), {_WITHOUT}",
                )
        try:
            self._run("var", "GIT_AUTHOR_IDENT")
            self._run("var", "GIT_COMMITTER_IDENT")
        except git.GitCommandError:
            raise KeepError(
                "git has no identity to commit with",
                f'git config user.name "Your Name" and git config user.email you@example.org, {_WITHOUT}',
            ) from None

    def commit_winner(self, attempt: Attempt, files: WinnerFiles) -> str:
        """Both commits, or what is missing of them: after a crash between any two steps, or IndexLocked, call this
        again."""
        if attempt.candidate is None:
            raise ValueError(f"attempt {attempt.number} has no candidate to commit")
        source = attempt.candidate.source
        try:
            self.check()
            commit = self.find(files.search, attempt.number)
            if commit is None:
                # A commit even where the file is there already: its hash and its trailers are the winner's.
                commit = self._commit({files.candidate_path: source}, _message(attempt, files), may_be_empty=True)
            name = commit[:NAME_CHARS]
            winner = self._folder / "winners" / f"{name}{files.candidate_path.suffix}"
            # The winner's file before the scores that name it: whoever finds the one finds the other.
            texts = {winner: source, files.candidate_path: files.champion_source}
            texts |= {self._folder / path: text for path, text in files.records(commit).items()}
            self._commit(texts, f"{files.experiment}: keep {name}, the winner of attempt {attempt.number}")
        except git.GitCommandError as fault:
            raise KeepError(f"git could not commit: {_words(fault)}", f"mend what git names, {_WITHOUT}") from None
        return commit

    def find(self, search: str, number: int) -> str | None:
        """The commit of an attempt, where it has one in the history of this branch."""
        if self._head() is None:
            return None
        grep = (f"--grep=^Search: {re.escape(search)}$", f"--grep=^Attempt: {number}$")
        trailers = "%H %(trailers:key=Search,valueonly,separator=%x20) %(trailers:key=Attempt,valueonly,separator=%x20)"
        found = self._run("log", f"--format={trailers}", "--all-match", "--extended-regexp", *grep).splitlines()
        # What matched might stand in the body: only the trailers are this module's own.
        commits = [line.split()[0] for line in found if line.split()[1:] == [search, str(number)]]
        return commits[0] if commits else None

    def _commit(self, texts: Mapping[Path, str], message: str, *, may_be_empty: bool = False) -> str:
        """One commit of exactly these files on top of whatever HEAD is by then."""
        for path, text in texts.items():
            write_whole(path, text)
        paths = [os.path.relpath(path, self._top) for path in texts]
        # Through git's own filters, so that a file is stored the way the user's `git add` would store it.
        hashes = self._run("hash-object", "-w", "--", *paths).splitlines()
        entries = [f"100644,{blob},{path}" for blob, path in zip(hashes, paths, strict=True)]
        commit = None
        while commit is None:
            head = self._head()
            tree = self._tree(head, entries)
            if head and not may_be_empty and tree == self._run("rev-parse", f"{head}^{{tree}}"):
                self._stage(entries)
                return head
            parent = ("-p", head) if head else ()
            made = self._run("commit-tree", "--no-gpg-sign", tree, *parent, "-m", message)
            # Before the branch moves: a `git commit` that the user has open in an editor would fail of that.
            self._stage(entries)
            commit = made if self._advance(head, made) else None
        return commit

    def _stage(self, entries: Sequence[str]) -> None:
        try:
            self._patiently("update-index", "--add", *_cacheinfo(entries))
        except git.GitCommandError as fault:
            if not _is_locked(fault):
                raise
            lock = (self._top / self._run("rev-parse", "--git-path", "index.lock")).resolve()
            raise IndexLocked(
                f"another git holds {lock}", "finish what it is doing; delete that file if no git is running."
            ) from None

    def _tree(self, head: str | None, entries: Sequence[str]) -> str:
        with workplace() as folder:
            index = {"GIT_INDEX_FILE": str(folder / "index")}
            self._run("read-tree", head or "--empty", env=index)
            self._run("update-index", "--add", *_cacheinfo(entries), env=index)
            return self._run("write-tree", env=index)

    def _advance(self, head: str | None, commit: str) -> bool:
        """Move the branch, or the detached HEAD, unless somebody moved it meanwhile."""
        try:
            self._patiently("update-ref", "-m", "loop.py: a winner", "HEAD", commit, head or "")
        except git.GitCommandError:
            if self._head() == head:  # it has not moved: something else is wrong
                raise
            return False
        return True

    def _patiently(self, *arguments: str) -> None:
        """Run what needs a lock of the repository, which another git may hold for a moment."""
        for tries_left in reversed(range(_RETRIES)):
            try:
                self._run(*arguments)
                return
            except git.GitCommandError as fault:
                if not _is_locked(fault) or not tries_left:
                    raise
                time.sleep(_RETRY_S)

    def _head(self) -> str | None:
        try:
            return self._run("rev-parse", "--quiet", "--verify", "HEAD^{commit}")
        except git.GitCommandError:
            return None

    def _run(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        takes_lock = env is None and arguments[0] in _LOCKING
        with noted(self._note) if takes_lock else nullcontext():
            # In a session of its own: an interrupt at the terminal is the loop's to answer.
            return str(self._git.execute(["git", *settings, *arguments], env=env, start_new_session=True))


def _is_locked(fault: git.GitCommandError) -> bool:
    return ".lock'" in str(fault.stderr)


def _cacheinfo(entries: Sequence[str]) -> list[str]:
    return [part for entry in entries for part in ("--cacheinfo", entry)]


def _message(attempt: Attempt, files: WinnerFiles) -> str:
    """Subject, reason and tags, trailers. What others wrote stays on one line each, so it can fake no trailer."""
    speedup = attempt.verdict.speedup
    gain = f"x{speedup.ratio:.2f} over the seed (attempt {attempt.number})" if speedup else f"attempt {attempt.number}"
    body = [_one_line(text) for text in (attempt.verdict.reason, ", ".join(traits(attempt)))]
    trailers = {
        "Attempt": str(attempt.number),
        "Model": attempt.model,
        "Parent": attempt.parent,
        "Speedup": f"{speedup.ratio:.3g} [{speedup.low:.3g}, {speedup.high:.3g}]" if speedup else "",
        "Search": files.search,
    }
    written = [f"{key}: {_one_line(value)}" for key, value in trailers.items() if value]
    return "\n\n".join([f"{files.experiment}: {gain}", *filter(None, body), "\n".join(written)])


def _one_line(text: str) -> str:
    printable = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(printable.split())[:_REASON_CHARS]


def _words(fault: git.GitCommandError) -> str:
    """What git itself said, without GitPython's wrapping."""
    said = [line.strip(" '") for line in str(fault.stderr).partition("stderr:")[2].splitlines()]
    fatal = [line for line in said if line.startswith(("fatal: ", "error: "))]
    return _one_line((fatal or said or [f"git ended with status {fault.status}"])[0])

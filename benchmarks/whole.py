"""Whether all that lasts of a search agrees: journal, snapshots, files and git. Reads only; an empty list is well."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from harness import contract
from harness.keep.beginning import known_values
from harness.keep.journal import Seeded
from harness.keep.state import MEMORY, SCORES, State
from harness.records import Status
from scratch import git, journal, journal_lines

NAME_CHARS = 12
Events = list[dict[str, Any]]


def faults_of_the_journal(experiment: Path, replies: Path, before: bytes) -> list[str]:
    """What a kill may leave behind, against the journal as it was at the kill before: every whole line still there,
    attempts numbered from one on, each asked for and judged once."""
    path = experiment / "runs" / "journal.jsonl"
    now = path.read_bytes() if path.is_file() else b""
    faults = [] if now.startswith(before[: before.rfind(b"\n") + 1]) else ["a line of the journal is lost"]
    events = journal_lines(now)
    proposed = [event["proposal"] for event in events if event["kind"] == "proposed"]
    judged = [event["attempt"]["number"] for event in events if event["kind"] == "judged"]
    committed = [event["number"] for event in events if event["kind"] == "committed"]
    if [event["kind"] for event in events].count("seeded") != bool(events):
        faults.append("the search began more than once, or never")
    if [one["number"] for one in proposed] != list(range(1, len(proposed) + 1)):
        faults.append(f"replies are numbered {[one['number'] for one in proposed]}")
    if judged != list(range(1, len(judged) + 1)) or len(judged) > len(proposed):
        faults.append(f"of {len(proposed)} replies these were judged: {judged}")
    if len(set(committed)) != len(committed) or not set(committed) <= set(_winners(events)):
        faults.append(f"committed: {committed}")
    names = sorted(path.name for path in replies.iterdir())
    faults += [
        f"attempt {one['number']} is not the reply of that number"
        for one, name in zip(proposed, names, strict=False)
        if one["reply"] != (replies / name).read_text()
    ]
    return faults


def faults_at_the_end(experiment: Path) -> list[str]:
    """What must hold once a run has ended by itself."""
    events = list(journal(experiment))
    return [
        *faults_of_the_fold(experiment),
        *faults_of_the_winners(experiment, events),
        *faults_of_the_files(experiment, events),
        *_of_the_repository(experiment.parent),
    ]


def _winners(events: Events) -> dict[int, dict[str, Any]]:
    """The attempts that won, by number."""
    attempts = [event["attempt"] for event in events if event["kind"] == "judged"]
    return {one["number"]: one for one in attempts if Status(one["verdict"]["status"]).is_winner}


def faults_of_the_fold(experiment: Path) -> list[str]:
    """The journal folded from nothing gives the snapshots."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / experiment.name
        shutil.copytree(experiment, copy, ignore=shutil.ignore_patterns(SCORES, MEMORY))
        alone = contract.load(copy)
        state = State.load(alone, known_values(alone), Seeded(search="none", at="", seed_digest=""))
    texts = {SCORES: state.scores.text(), MEMORY: state.memory.text()}
    faults = [
        f"{name} is not what the journal says" for name in texts if (experiment / name).read_text() != texts[name]
    ]
    return faults + [f"attempt {number} waits for its commit" for number in state.uncommitted]


def faults_of_the_winners(experiment: Path, events: Events) -> list[str]:
    """Every winner has its two commits, once, and its file; nothing else has."""
    faults = []
    repository, search = experiment.parent, events[0]["search"]
    winners = _winners(events)
    commits = {event["number"]: event["commit"] for event in events if event["kind"] == "committed"}
    shape = "--format=%H %(trailers:key=Attempt,valueonly,separator=) %(trailers:key=Search,valueonly,separator=)"
    log = [line.split() for line in git(repository, "log", shape).splitlines()]
    in_git = [(int(number), commit) for commit, number, of in (row for row in log if len(row) == 3) if of == search]
    if sorted(in_git) != sorted(commits.items()) or set(commits) != set(winners):
        faults.append(f"winners {sorted(winners)}, committed {sorted(commits)}, in git {sorted(in_git)}")
    kept = Counter(git(repository, "log", "--format=%s").splitlines())
    for number, commit in commits.items():
        name = commit[:NAME_CHARS]
        source = winners[number]["candidate"]["source"]
        at_its_commit = git(repository, "show", f"{commit}:./{experiment.name}/candidate.c")
        archived = git(repository, "show", f"HEAD:./{experiment.name}/winners/{name}.c")
        if not source == at_its_commit == archived == (experiment / "winners" / f"{name}.c").read_text():
            faults.append(f"winner {number} is not the same everywhere")
        if kept[f"{experiment.name}: keep {name}, the winner of attempt {number}"] != 1:
            faults.append(f"winner {number} is not kept by one commit")
    if {path.stem for path in (experiment / "winners").glob("*")} != {one[:NAME_CHARS] for one in commits.values()}:
        faults.append("winners/ holds other files than the winners'")
    best = [number for number, one in winners.items() if one["verdict"]["status"] == "best"]
    if best and (experiment / "candidate.c").read_text() != winners[best[-1]]["candidate"]["source"]:
        faults.append("the candidate file is not the champion")
    return faults


def faults_of_the_files(experiment: Path, events: Events) -> list[str]:
    """No drafts, no locks, and the files of every attempt."""
    left = [*experiment.rglob("*.tmp"), *(experiment.parent / ".git").rglob("*.lock")]
    faults = [f"{path.relative_to(experiment.parent)} is left behind" for path in left]
    for attempt in (event["attempt"] for event in events if event["kind"] == "judged"):
        candidate = attempt["candidate"]
        names = ["prompt.md", "reply.md", "verdict.json", *(["candidate.c"] if candidate else [])]
        folder = experiment / "runs" / f"{attempt['number']:04d}"
        if missing := [name for name in names if not (folder / name).is_file()]:
            faults.append(f"attempt {attempt['number']} lacks {missing}")
        elif candidate and (folder / "candidate.c").read_text() != candidate["source"]:
            faults.append(f"attempt {attempt['number']} has another candidate in runs/")
    return faults


def _of_the_repository(repository: Path) -> list[str]:
    """Sound, and what somebody else had staged and changed is as it was."""
    faults = [f"git fsck: {line}" for line in git(repository, "fsck", "--no-dangling", "--strict").splitlines()]
    if git(repository, "diff", "--cached", "--name-only").split() != ["staged.txt"]:
        faults.append("what is staged is not what was staged")
    changed = git(repository, "diff", "--name-only").split()
    if [name for name in changed if not name.startswith("total/")] != ["staged.txt"]:
        faults.append(f"changed files: {changed}")
    if git(repository, "show", ":staged.txt") + (repository / "staged.txt").read_text() != "staged\nchanged since\n":
        faults.append("somebody else's work was changed")
    return faults

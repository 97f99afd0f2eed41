"""A search begins: what its journal opens with, what it is called, and where the one before it goes."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.contract import Experiment
from harness.errors import KeepError
from harness.hooks import blaming, offered
from harness.keep.files import cannot, read_text, write_whole
from harness.keep.journal import JOURNAL, Journal, Seeded
from harness.keep.lock import ExperimentLock
from harness.keep.memory import Memory
from harness.keep.scores import Scores
from harness.keep.sources import archived, find_source
from harness.keep.state import MEMORY, PICTURE, SCORES
from harness.languages import READERS
from harness.records import SEED

ASIDE = "before"  # under runs/: the journals and files of earlier searches


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How the snapshots read to people; the store writes what these return and never reads it back."""

    scores: Callable[[Scores], str]
    memory: Callable[[Memory, Scores], str]
    picture: Callable[[Scores], str]


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def start_over(experiment: Experiment, pages: Pages, commit: str | None) -> str:
    """A fresh search, from the seed or from an archived winner; git history and winners/ stay, and what was in runs/ is
    set aside. Returns its start."""
    with ExperimentLock(experiment.runs, experiment.name):
        scores = Scores.fresh(experiment, search_id(), _start(experiment, commit))
        memory = Memory(search=scores.search, known=known_values(experiment))
        source = find_source(experiment, scores, scores.start)
        set_aside(experiment.runs)
        with Journal(experiment.runs / JOURNAL) as journal:
            journal.append(seeded(experiment, scores.search, scores.start))
        write_whole(experiment.candidate_path, source)
        texts = {SCORES: scores.text(), "SCORES.md": pages.scores(scores), PICTURE: pages.picture(scores)}
        texts |= {MEMORY: memory.text(), "MEMORY.md": pages.memory(memory, scores)}
        for name, text in texts.items():
            write_whole(experiment.folder / name, text)
        return scores.start


def _start(experiment: Experiment, commit: str | None) -> str:
    if commit is None:
        return SEED
    found = archived(experiment, commit)
    if len(found) != 1:
        raise KeepError(
            f"{experiment.name} has {len(found) or 'no'} archived winner{'s' * (len(found) > 1)} {commit!r}.",
            f"name one as the files in {experiment.winners} are called, by so much of it that no other begins alike.",
        )
    return found[0].stem


def seeded(experiment: Experiment, search: str, start: str) -> Seeded:
    digest = READERS[experiment.language].digest(read_text(experiment.seed_path))
    return Seeded(search=search, at=now(), seed_digest=digest, start=start)


def set_aside(runs: Path) -> None:
    """Empty `runs/` but for the lock that is being held and what was set aside before: replies were paid for."""
    try:
        found = [path for path in runs.iterdir() if path.name not in ("lock", ASIDE)]
        if found:
            aside = runs / ASIDE / search_id()
            aside.mkdir(parents=True)
            for path in sorted(found, reverse=True):  # the journal before the folders that it speaks of
                path.rename(aside / path.name)
    except OSError as fault:
        raise cannot("move what is in", runs, fault) from None


def known_values(experiment: Experiment) -> Mapping[str, Sequence[str]]:
    """What could be tried here, kind by kind, which is what memory calls unexplored until it is: the tags of sources,
    whose values nobody knows beforehand, and what the built-in proposer could choose."""
    with blaming(experiment.folder):
        choices = offered(experiment.space) if experiment.space else {}
    kinds: dict[str, Sequence[str]] = dict.fromkeys(experiment.tags, ())
    return kinds | {kind: [str(value) for value in values] for kind, values in choices.items()}


def search_id() -> str:
    """Later searches sort higher."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"

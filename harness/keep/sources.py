"""Where the source behind a name lies: the seed's, an attempt's, a winner's. Reads only, and needs no lock."""

from pathlib import Path

from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.archive import NAME_CHARS
from harness.keep.artifacts import Artifacts
from harness.keep.files import read_text
from harness.keep.scores import Scores
from harness.records import SEED

BEST = "best"
_SHORTEST_COMMIT = 7  # digits alone, fewer than these, are an attempt's number


def find_source(experiment: Experiment, scores: Scores, ref: str) -> str:
    """The source behind a name; needs no lock, so that views may ask while a search runs."""
    if ref == SEED:
        return read_text(experiment.seed_path)
    if ref == BEST:
        return find_source(experiment, scores, str(scores.champion.attempt) if scores.champion else scores.start)
    commit = ref
    if ref.isdecimal() and len(ref) < _SHORTEST_COMMIT:
        source = Artifacts(experiment.runs, experiment.suffix).source(int(ref))
        if source is not None:
            return source
        kept = kept_path(experiment, scores.search, int(ref))
        if kept.is_file():
            return read_text(kept)
        commit = next((w.commit for w in scores.winners if w.attempt == int(ref) and w.commit), "")
    found = archived(experiment, commit)
    if len(found) == 1:
        return read_text(found[0])
    raise KeepError(
        f"{experiment.name} has {len(found) or 'no'} source{'s' * (len(found) > 1)} called {ref!r}.",
        "best, seed, an attempt's number or the commit of a winner (the files in winners/) can be named.",
    )


def kept_path(experiment: Experiment, search: str, number: int) -> Path:
    """A winner that no commit holds. Every search counts from 1, so its id stands in the name."""
    return experiment.winners / f"{search}-{number:04d}{experiment.suffix}"


def archived(experiment: Experiment, commit: str) -> list[Path]:
    """The winners that a commit, or its first digits, may name."""
    pattern = f"{commit[:NAME_CHARS]}*{experiment.suffix}"
    return sorted(experiment.winners.glob(pattern)) if commit.isalnum() else []

"""Where the source behind a name lies: the seed's, an attempt's, a winner's. Reads only, and needs no lock."""

from pathlib import Path

from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.artifacts import Artifacts
from harness.keep.files import read_text
from harness.keep.journal import JOURNAL, Seeded, read_events
from harness.keep.scores import Scores
from harness.keep.winners import NAME_CHARS, SHORTEST_COMMIT
from harness.records import SEED

BEST = "best"


def find_source(experiment: Experiment, scores: Scores, ref: str) -> str:
    """The source behind a name; needs no lock, so that views may ask while a search runs."""
    if ref == SEED:
        return read_text(experiment.seed_path)
    if ref == BEST:
        return find_source(experiment, scores, str(scores.champion.attempt) if scores.champion else scores.start)
    if ref.isdecimal() and len(ref) < SHORTEST_COMMIT:
        source, many = _of_attempt(experiment, scores, int(ref)), 0
    else:
        found = archived(experiment, ref)
        source, many = read_text(found[0]) if len(found) == 1 else None, len(found)
    if source is None:
        raise KeepError(
            f"{experiment.name} has {many or 'no'} source{'s' * (many > 1)} called {ref!r}.",
            "best, seed, an attempt's number or the commit of a winner (the files in winners/) can be named.",
        )
    return source


def _of_attempt(experiment: Experiment, scores: Scores, number: int) -> str | None:
    """A winner is what winners/ has under its own name: another clone of this search may have given its number to
    something else, and what lies in runs/ may be of another search."""
    winner = scores.winner(number)
    kept = winner_path(experiment, scores, number)
    if winner and winner.commit and not kept.is_file():
        raise KeepError(
            f"{kept}, the winner of attempt {number}, is missing.",
            f"restore it, in {experiment.folder}: git show {winner.commit}:./{experiment.candidate_file} > "
            f"{kept.relative_to(experiment.folder)}; or begin a fresh search by its seed.py.",
        )
    if kept.is_file():
        return read_text(kept)
    begun = next(read_events(experiment.runs / JOURNAL), None)
    is_of_this = isinstance(begun, Seeded) and begun.search == scores.search
    return Artifacts(experiment.runs, experiment.suffix).source(number) if is_of_this else None


def winner_path(experiment: Experiment, scores: Scores, number: int) -> Path:
    """Where the source of a winner is archived, if the attempt is one."""
    winner = scores.winner(number)
    if winner and winner.commit:
        return experiment.winners / f"{winner.commit[:NAME_CHARS]}{experiment.suffix}"
    return kept_path(experiment, scores.search, number)


def kept_path(experiment: Experiment, search: str, number: int) -> Path:
    """A winner that no commit holds. Every search counts from 1, so its id stands in the name."""
    return experiment.winners / f"{search}-{number:04d}{experiment.suffix}"


def archived(experiment: Experiment, name: str) -> list[Path]:
    """The winners that a commit, the name of a file, or the first characters of either may mean."""
    name = name.removesuffix(experiment.suffix)
    files = sorted(experiment.winners.glob(f"*{experiment.suffix}"))
    exact = [path for path in files if path.stem in (name, name[:NAME_CHARS])]
    return exact or [path for path in files if name and path.stem.startswith(name)]


def without_a_row(experiment: Experiment, scores: Scores) -> list[Path]:
    """The archived winners that these scores do not list: those of earlier searches, and the oldest of a long one."""
    listed = {winner.commit[:NAME_CHARS] for winner in scores.winners if winner.commit}
    listed |= {kept_path(experiment, scores.search, winner.attempt).stem for winner in scores.winners}
    return [path for path in sorted(experiment.winners.glob(f"*{experiment.suffix}")) if path.stem not in listed]

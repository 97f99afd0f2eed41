"""`python loop.py seed`: a search begins anew."""

from harness.contract import Experiment
from harness.keep.beginning import ASIDE
from harness.keep.beginning import start_over as begin
from harness.records import SEED
from harness.show.pages import called
from harness.show.snapshots import PAGES


def start_over(experiment: Experiment, commit: str | None) -> str:
    """A fresh search; returns what to tell the user."""
    start = begin(experiment, PAGES, commit)
    archived = len(list(experiment.winners.glob(f"*{experiment.suffix}")))
    before = experiment.runs / ASIDE
    aside = f"what earlier searches left in runs/ is in {before}.\n" if before.is_dir() else ""
    origin = experiment.seed_file if start == SEED else f"the winner {start}"
    return (
        f"{experiment.name}: a fresh search from {origin}; {archived} winners stay archived.\n"
        f"{aside}next: python loop.py {called(experiment)} --loop 10"
    )

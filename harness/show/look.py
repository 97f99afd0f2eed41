"""Which page the verbs that only look ask for: status, show, diff, list. Takes no lock: a search may be running."""

import argparse
from collections.abc import Iterable
from typing import TextIO

from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.sources import BEST
from harness.show import pages, trajectory
from harness.show.watch import watch


def texts(args: argparse.Namespace, experiment: Experiment | None, stdout: TextIO) -> Iterable[str]:
    """What to print, a text after the other."""
    if experiment is None:
        return [pages.listing(args.json)]
    if args.verb == "diff":
        return [pages.diff(experiment, args.old, args.new, args.json)]
    if args.verb == "status":
        return watch(experiment, args.json, stdout) if args.watch else [pages.status(experiment, args.json)]
    if args.trajectory or args.csv:
        option = "--trajectory" if args.trajectory else "--csv"
        if args.what != BEST:
            raise KeepError(f"{option} gives the whole search, not {args.what}.", f"leave out {args.what} or {option}.")
        if args.json:
            raise KeepError(f"{option} has a form of its own.", f"leave out --json or {option}.")
        return trajectory.document(experiment) if args.trajectory else trajectory.table(experiment)
    return [pages.show(experiment, args.what, args.json)]

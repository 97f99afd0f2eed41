"""The verbs that only look: status, show, diff, list. Each returns text and takes no lock: a search may be running."""

import difflib
import json
import shlex
from typing import Any

from harness import catalog, contract
from harness.contract import Experiment
from harness.errors import HarnessError, KeepError
from harness.keep.artifacts import Artifacts
from harness.keep.files import read_text
from harness.keep.scores import Scores
from harness.keep.sources import BEST, find_source, winner_path
from harness.keep.state import SCORES
from harness.keep.winners import NAME_CHARS, Winner
from harness.records import SEED, to_json
from harness.show.verdict import printable
from harness.show.words import cost, duration, gain

SCHEMA = 1


def status(experiment: Experiment, as_json: bool) -> str:
    """Where a search stands."""
    scores = _scores(experiment)
    if as_json:
        return json.dumps(
            {
                "schema": SCHEMA,
                "experiment": experiment.name,
                "search": scores.search,
                "attempts": scores.last_attempt,
                "counts": scores.counts,
                "champion": to_json(scores.champion),
                "specialists": {case: winner.attempt for case, winner in scores.specialists.items()},
                "usage": to_json(scores.usage),
                "machine": scores.machine,
            }
        )
    lines = [f"{experiment.name}: {_attempts(scores.last_attempt)}"]
    if scores.counts:
        counts = sorted(scores.counts.items(), key=lambda item: -item[1])
        lines.append("          " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts))
    lines.append(f"  best    {_winner(scores.champion, scores.unit) if scores.champion else 'the ' + scores.start}")
    for case, winner in scores.specialists.items():
        if winner is not scores.champion:
            lines.append(f"          on {case}: {_winner(winner, scores.unit)}")
    tokens = scores.usage
    lines.append(f"  tokens  {tokens.prompt_tokens} prompt, {tokens.completion_tokens} completion, {cost(tokens)}")
    lines.append(f"  go on   python loop.py {called(experiment)} --loop 10")
    return "\n".join(lines)


def called(experiment: Experiment) -> str:
    """What the command line calls an experiment by: its folder's name in this house, its path elsewhere."""
    folder = experiment.folder
    return folder.name if folder.parent in (contract.ROOT, contract.ROOT / "experiments") else shlex.quote(str(folder))


def _attempts(count: int) -> str:
    return f"{count} attempt{'' if count == 1 else 's'}"


def _winner(winner: Winner, unit: str) -> str:
    speed = f"{gain(winner.speedup.ratio)} over the seed" if winner.speedup else "not measured"
    time = f", {duration(winner.median_s, unit)}" if winner.median_s else ""
    commit = f", commit {winner.commit[:NAME_CHARS]}" if winner.commit else ""
    return f"{speed}{time}: attempt {winner.attempt} by {printable(winner.model)}{commit}"


def show(experiment: Experiment, what: str, as_json: bool) -> str:
    """Everything kept of one attempt; of a winner that another clone found, its source."""
    number = _number(experiment, what)
    artifacts = Artifacts(experiment.runs, experiment.suffix)
    files, archived = artifacts.files(number), winner_path(experiment, _scores(experiment), number)
    if archived.is_file() and read_text(archived) != artifacts.source(number):
        files = (archived,)
    if not files:
        raise KeepError(
            f"{experiment.name}: nothing is kept of attempt {number} on this machine.",
            f"runs/ is not committed; the sources of winners are in {experiment.folder.name}/winners/.",
        )
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in files}
    if as_json:
        return json.dumps({"schema": SCHEMA, "experiment": experiment.name, "attempt": number, "files": texts})
    parts = []
    for path in files:
        body = "\n".join(printable(line) for line in texts[path.name].expandtabs().splitlines())
        parts.append(f"--- {path.relative_to(experiment.folder)}\n{body}")
    return "\n".join(parts)


def _number(experiment: Experiment, what: str) -> int:
    champion = _scores(experiment).champion if what == BEST else None
    if champion:
        return champion.attempt
    if what.isdecimal():
        return int(what)
    if what == BEST:
        raise KeepError(f"{experiment.name} has no champion yet.", f"python loop.py {called(experiment)} --loop 10")
    raise HarnessError(f"{what!r} is not an attempt.", "give an attempt's number, or `best`.")


def diff(experiment: Experiment, old: str, new: str, as_json: bool) -> str:
    """A unified diff of two sources."""
    scores = _scores(experiment)
    before, after = (_source(experiment, scores, ref).splitlines(keepends=True) for ref in (old, new))
    changes = "".join(difflib.unified_diff(before, after, fromfile=old, tofile=new))
    if as_json:
        return json.dumps({"schema": SCHEMA, "experiment": experiment.name, "old": old, "new": new, "diff": changes})
    if not changes:
        return f"{old} and {new} are the same."
    return "\n".join(printable(line) for line in changes.expandtabs().splitlines())


def _source(experiment: Experiment, scores: Scores, ref: str) -> str:
    if ref == "current":
        return read_text(experiment.candidate_path)
    return find_source(experiment, scores, ref)


def listing(as_json: bool) -> str:
    """Every experiment that can be named, one a line."""
    rows = [_row(name) for name in catalog.names()]
    if as_json:
        return "\n".join(json.dumps({"schema": SCHEMA, **row}) for row in rows)
    return "\n".join(f"{row['experiment']:<16}{row['about']}" for row in rows)


def _row(name: str) -> dict[str, Any]:
    folder = catalog.locate(name)
    scores = Scores.read(folder / SCORES)
    champion = scores.champion if scores else None
    if scores is None or not scores.last_attempt:
        about = f"not searched yet: python loop.py {name} --loop 10"
    else:
        about = f"{_attempts(scores.last_attempt)}, best {_winner(champion, scores.unit) if champion else SEED}"
    return {"experiment": name, "folder": str(folder), "attempts": scores.last_attempt if scores else 0, "about": about}


def _scores(experiment: Experiment) -> Scores:
    return Scores.read(experiment.folder / SCORES) or Scores.fresh(experiment)

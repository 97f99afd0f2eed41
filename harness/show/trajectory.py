"""A whole search as one JSON document, and its attempts as a table: read from journal and files, a step at a time."""

import csv
import difflib
import io
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from harness.contract import Experiment
from harness.errors import KeepError
from harness.keep.artifacts import Artifacts
from harness.keep.journal import JOURNAL, Committed, Judged, Proposed, Seeded, read_events
from harness.keep.scores import Scores
from harness.keep.sources import find_source
from harness.keep.state import SCORES
from harness.records import Attempt, Estimate, Proposal, to_json
from harness.show.pages import called

SCHEMA = 1
_PARENTS_HELD = 64
COLUMNS = (
    "attempt at parent model status reason speedup speedup_low speedup_high vs_champion vs_champion_low "
    "vs_champion_high median_s seed_s prompt_tokens completion_tokens cached_tokens reasoning_tokens cost_usd "
    "estimated asked_at reply_s judge_s tags choices machine commit"
).split()


def document(experiment: Experiment) -> Iterator[str]:
    """The lines of one JSON document, an attempt a line."""
    search = _Search(experiment)
    scores = search.scores
    head = {
        "schema": SCHEMA,
        "experiment": experiment.name,
        "search": search.seeded.search,
        "began_at": search.seeded.at,
        "start": search.seeded.start,
        "target": experiment.target,
        "signature": experiment.signature,
        "flags": list(experiment.flags),
        "task": experiment.task,
        "seed": find_source(experiment, scores, search.seeded.start),
        "machine": scores.machine,
        "champion": scores.champion_attempt,
        "usage": to_json(scores.usage),
    }
    yield json.dumps(head)[:-1] + ', "steps": ['
    before = ""
    for proposal, attempt in search.steps():
        yield before + json.dumps(search.step(proposal, attempt))
        before = ","
    yield "]}"


def table(experiment: Experiment) -> Iterator[str]:
    """The lines of a CSV: a header, and an attempt a line."""
    search = _Search(experiment)
    yield ",".join(COLUMNS)
    for proposal, attempt in search.steps():
        if attempt is not None:
            text = io.StringIO()
            csv.DictWriter(text, COLUMNS, lineterminator="").writerow(search.row(proposal, attempt))
            yield text.getvalue()


class _Search:
    """The journal of the search at hand."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment, self._path = experiment, experiment.runs / JOURNAL
        first = next(read_events(self._path), None)
        if not isinstance(first, Seeded):
            raise KeepError(
                f"{experiment.name} has no journal on this machine.",
                f"runs/ is not committed; a search writes one: python loop.py {called(experiment)} --loop 10",
            )
        self.seeded = first
        self.scores = Scores.fresh(experiment, first.search, first.start)
        found = Scores.read(experiment.folder / SCORES)
        if found and found.search == first.search:  # else they are of a newer search, which was pulled
            self.scores = found
        self._commits = {one.number: one.commit for one in read_events(self._path) if isinstance(one, Committed)}
        self._artifacts = Artifacts(experiment.runs, experiment.suffix)
        self._parent = lru_cache(_PARENTS_HELD)(self._find)

    def steps(self) -> Iterator[tuple[Proposal, Attempt | None]]:
        """Every attempt with its reply, then the replies that wait for their verdict."""
        pending: dict[int, Proposal] = {}
        for event in read_events(self._path):
            if isinstance(event, Proposed):
                pending[event.proposal.number] = event.proposal
            elif isinstance(event, Judged) and event.attempt.number in pending:
                yield pending.pop(event.attempt.number), event.attempt
        for proposal in pending.values():
            yield proposal, None

    def step(self, proposal: Proposal, attempt: Attempt | None) -> dict[str, Any]:
        candidate = attempt.candidate if attempt else None
        return {
            "attempt": proposal.number,
            "parent": proposal.parent,
            "model": proposal.model,
            "asked_at": proposal.asked_at,
            "seconds": proposal.seconds,
            "request": json.loads(proposal.request) if proposal.request else None,
            "failures": list(proposal.failures),
            "prompt": self._artifacts.prompt(proposal.number),
            "reply": proposal.reply,
            "finish_reason": proposal.finish_reason,
            "answer": proposal.answer,
            "choices": to_json(proposal.choices),
            "usage": to_json(proposal.usage),
            "candidate": to_json(candidate),
            "diff": self._diff(proposal.parent, candidate.source) if candidate else None,
            "judged_at": attempt.at if attempt else None,
            "verdict": to_json(attempt.verdict) if attempt else None,
            "commit": self._commits.get(proposal.number),
        }

    def row(self, proposal: Proposal, attempt: Attempt) -> dict[str, Any]:
        verdict, usage = attempt.verdict, attempt.usage
        return {
            "attempt": attempt.number,
            "at": attempt.at,
            "parent": attempt.parent,
            "model": attempt.model,
            "status": attempt.status.value,
            "reason": " ".join(verdict.reason.split()),
            **_columns("speedup", verdict.speedup),
            **_columns("vs_champion", verdict.vs_champion),
            "median_s": verdict.median_s,
            "seed_s": verdict.seed_s,
            **to_json(usage),
            "asked_at": proposal.asked_at,
            "reply_s": proposal.seconds,
            "judge_s": verdict.seconds,
            "tags": ";".join(attempt.candidate.tags) if attempt.candidate else "",
            "choices": json.dumps(to_json(attempt.choices)) if attempt.choices is not None else "",
            "machine": verdict.machine,
            "commit": self._commits.get(attempt.number, ""),
        }

    def _diff(self, parent: str, source: str) -> str | None:
        """None where no file of the parent is left."""
        before = self._parent(parent)
        if before is None:
            return None
        old, new = before.splitlines(keepends=True), source.splitlines(keepends=True)
        return "".join(difflib.unified_diff(old, new, fromfile=parent, tofile="candidate"))

    def _find(self, ref: str) -> str | None:
        try:
            return find_source(self._experiment, self.scores, ref)
        except KeepError:
            return None


def _columns(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    ratio, low, high = (estimate.ratio, estimate.low, estimate.high) if estimate else (None, None, None)
    return {name: ratio, f"{name}_low": low, f"{name}_high": high}

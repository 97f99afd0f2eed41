"""A search of many requests at once through a provider that keeps failing: no attempt is lost, none is doubled."""

import asyncio
import io
import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import scratch
from documented import differences, sections
from harness.ask.models.backoff import Patience
from harness.ask.models.openai import OpenAI
from harness.contract import load
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Verdict
from harness.search import Options, Search
from harness.show.views import Json
from loopback import Answer, Loopback, Received

FAULTS = (Answer(status=429), Answer(resets=True), Answer(status=500), Answer(body="{"), Answer(text="x", halves=True))


class Nobody:
    """In place of the judge: no reply of this test holds a candidate."""

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        raise NotImplementedError

    def remeasure(self, source: str) -> Verdict:
        raise NotImplementedError


def test_between_all_faults_each_reply_becomes_one_attempt(tmp_path: Path) -> None:
    experiment = load(scratch.write_total(tmp_path / "total"))
    requests, replies = count(), count(1)

    def answer(request: Received) -> Answer | str:
        number = next(requests)
        return FAULTS[number // 2 % len(FAULTS)] if number % 2 else f"reply {next(replies)}"

    async def run(base_url: str) -> str:
        model = OpenAI("m", base_url=base_url, key=None, patience=Patience(first_wait_s=0.005))
        options = Options(budget=Budget(attempts=12), jobs=4, commit=False)
        async with Search(experiment, model, options, lambda experiment, stop: Nobody()) as search:
            async for proposal in search.proposals(Json(said)):
                search.keep(await search.judge(proposal))
        return search.ending

    said = io.StringIO()
    with Loopback(answer) as server:
        assert asyncio.run(run(server.base_url)) == "12 attempts made"
    journal = scratch.journal(experiment.folder)
    kept = sorted(event["proposal"]["reply"] for event in journal if event["kind"] == "proposed")
    assert kept == sorted(f"reply {n}" for n in range(1, 13))
    assert [event["attempt"]["number"] for event in journal if event["kind"] == "judged"] == list(range(1, 13))
    notes = [json.loads(line) for line in said.getvalue().splitlines()]
    assert any("asking again" in note.get("text", "") for note in notes)
    assert differences("search", [note for note in notes if note["event"] == "note"], unseen=sections()["search"]) == []

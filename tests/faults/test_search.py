"""A search of many requests at once through a provider that keeps failing: no attempt is lost, none is doubled."""

import asyncio
import io
import json
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

import pytest

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
from loopback import Answer, Loopback, Received, Script

QUICK = Patience(first_wait_s=0.005)
FAULTS = (Answer(status=429), Answer(resets=True), Answer(status=500), Answer(body="{"), Answer(text="x", halves=True))


class Nobody:
    """In place of the judge: no reply of this test holds a candidate."""

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        raise NotImplementedError

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError


def searched(folder: Path, script: Script, budget: Budget, patience: Patience = QUICK) -> tuple[str, float]:
    """Why a run of one request at a time ended, and after how many seconds."""

    async def run(base_url: str) -> str:
        model = OpenAI("m", base_url=base_url, key=None, patience=patience)
        options = Options(budget=budget, commit=False)
        async with Search(
            load(scratch.write_total(folder)), model, options, lambda experiment, stop: Nobody()
        ) as search:
            async for proposal in search.proposals(Json(io.StringIO())):
                search.keep(await search.judge(proposal))
        return search.ending

    with Loopback(script) as server:
        began_s = time.monotonic()
        return asyncio.run(run(server.base_url)), time.monotonic() - began_s


LATE = {
    "that says nothing": Answer(delay_s=30),
    "that asks for ten minutes": Answer(status=429, headers={"retry-after": "500"}),
    "that never ends": Answer(drips=True),
    "that is busy": Answer(status=503),
}


@pytest.mark.parametrize("fault", LATE.values(), ids=LATE)
def test_the_time_of_a_run_ends_the_wait_for_a_server(tmp_path: Path, fault: Answer) -> None:
    reason, seconds = searched(tmp_path / "total", [fault], Budget(attempts=3, time_s=1), Patience(first_wait_s=20))
    assert (reason, seconds < 3) == ("the time of 1 s is up", True)


def test_an_answer_under_way_when_the_time_is_up_may_take_as_long_as_the_slowest_before_it(tmp_path: Path) -> None:
    script = [Answer(text="one", delay_s=0.7), Answer(text="two", delay_s=0.6)]
    reason, _ = searched(tmp_path / "total", script, Budget(attempts=9, time_s=1))
    assert reason == "the time of 1 s is up"
    kept = [event["proposal"]["reply"] for event in scratch.journal(tmp_path / "total") if event["kind"] == "proposed"]
    assert kept == ["one", "two"]


def test_replies_that_broke_off_use_up_the_tokens_of_a_run(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 5000, "completion_tokens": 0}
    script = [Answer(text="one", usage=usage), Answer(text="x" * 400, halves=True)]
    reason, _ = searched(tmp_path / "total", script, Budget(attempts=9, tokens=12_000))
    assert reason.startswith("the budget of 12,000 tokens leaves no room: 10,00")


def test_a_provider_that_states_no_tokens_does_not_keep_a_run_from_its_limit(tmp_path: Path) -> None:
    script = [Answer(text="x" * 6000, usage={})]
    reason, _ = searched(tmp_path / "total", script, Budget(attempts=9, tokens=5000))
    assert reason.startswith("the budget of 5,000 tokens leaves no room")


def test_between_all_faults_each_reply_becomes_one_attempt(tmp_path: Path) -> None:
    experiment = load(scratch.write_total(tmp_path / "total"))
    requests, replies = count(), count(1)

    def answer(request: Received) -> Answer | str:
        number = next(requests)
        return FAULTS[number // 2 % len(FAULTS)] if number % 2 else f"reply {next(replies)}"

    async def run(base_url: str) -> str:
        model = OpenAI("m", base_url=base_url, key=None, patience=QUICK)
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

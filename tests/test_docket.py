"""Replies that are prepared while another is measured: real candidates before the real judge, and interrupts."""

import asyncio
import io
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import loop
import scratch
from harness.ask.models.replay import Replay
from harness.contract import Experiment, load
from harness.docket import Docket, Ready
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.toolchain import Artifact
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Proposal, Status, Verdict
from harness.search import Examiner, Options, Search
from harness.show.views import Json
from keep.samples import proposal
from scratch import fenced

LATE_S = 20.0
COMMENTED = scratch.FASTER.replace("int i = 0;", "int i = 0; /* again */")
RENAMED = scratch.FASTER.replace("a = 0", "e = 0").replace(" a +=", " e +=").replace("(a +", "(e +")


class Watched(Judge):
    """The judge, which notes when it does what."""

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        self.prepared_s: list[tuple[float, float]] = []
        self.measured_s: list[tuple[float, float]] = []
        self.champions: list[str] = []
        super().__init__(experiment, stop)

    def prepare(self, source: str, objects: Mapping[str, str] | None = None, *, is_thorough: bool = False) -> Prepared:
        began_s = time.monotonic()
        prepared = super().prepare(source, objects or {}, is_thorough=is_thorough)
        self.prepared_s.append((began_s, time.monotonic()))
        return prepared

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        began_s = time.monotonic()
        self.champions.append(rivals.champion)
        verdict = super().measure(prepared, rivals, standings, alpha)
        self.measured_s.append((began_s, time.monotonic()))
        return verdict


async def search(experiment: Experiment, replies: Path, open_judge: Callable[[Experiment, Stop], Examiner]) -> None:
    options = Options(budget=Budget(attempts=5), jobs=5, commit=False)
    await loop.search(Search(experiment, Replay(replies), options, open_judge), Json(io.StringIO()))


def judged(experiment: Experiment) -> list[dict[str, Any]]:
    return [event["attempt"] for event in scratch.journal(experiment.folder) if event["kind"] == "judged"]


@dataclass(frozen=True, slots=True)
class Ran:
    judge: Watched
    attempts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A winner, the same code twice, one that does not build, and a loser: all are there at once."""
    folder = tmp_path_factory.mktemp("ran")
    experiment = load(scratch.write_total(folder / "total"))
    sources = (scratch.FASTER, COMMENTED, RENAMED, scratch.BROKEN, scratch.SLOWER)
    scratch.write_replies(folder / "replies", *map(fenced, sources))
    judges: list[Watched] = []

    def open_judge(given: Experiment, stop: Stop) -> Watched:
        judges.append(Watched(given, stop))
        return judges[0]

    asyncio.run(search(experiment, folder / "replies", open_judge))
    return Ran(judges[0], judged(experiment))


def test_the_next_is_prepared_while_the_first_is_measured(ran: Ran) -> None:
    assert ran.judge.prepared_s[1][1] < ran.judge.measured_s[0][1]


def test_one_is_prepared_and_one_is_measured_at_a_time(ran: Ran) -> None:
    for spans in (ran.judge.prepared_s, ran.judge.measured_s):
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_attempts_are_kept_in_the_order_of_their_arrival(ran: Ran) -> None:
    assert [attempt["number"] for attempt in ran.attempts] == [1, 2, 3, 4, 5]


def test_each_is_measured_against_the_champion_of_that_moment(ran: Ran) -> None:
    assert ran.attempts[0]["verdict"]["status"] == "best"
    assert (ran.judge.champions[0], ran.judge.champions[-1]) == (scratch.SEED, scratch.FASTER)


@pytest.mark.parametrize(
    ("number", "reason"), [(2, "the same code as attempt 1"), (3, "compiles to the same code as attempt 1")]
)
def test_a_reply_is_a_duplicate_of_one_that_has_no_verdict_yet(ran: Ran, number: int, reason: str) -> None:
    verdict = ran.attempts[number - 1]["verdict"]
    assert (verdict["status"], verdict["reason"]) == ("duplicate", reason)


def test_what_does_not_build_is_said_when_its_turn_comes(ran: Ran) -> None:
    assert [attempt["verdict"]["status"] for attempt in ran.attempts[3:]] == ["build_failed", "slower"]


class Held:
    """In place of the judge: measures until it is let go, and is as quick to prepare as can be."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self.measured: list[str] = []
        self.may_end = threading.Event()

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        self.sources.append(source)
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        self.measured.append(prepared.source)
        assert self.may_end.wait(LATE_S)
        return Verdict(status=Status.SLOWER, reason="slower")

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError


@pytest.mark.parametrize(("times", "kept"), [(1, [1]), (2, [])])
def test_an_interrupt_leaves_what_is_only_prepared_to_the_next_run(tmp_path: Path, times: int, kept: list[int]) -> None:
    experiment = load(scratch.write_total(tmp_path / "total"))
    replies, sources = tmp_path / "replies", [scratch.SLOWER, scratch.FASTER, scratch.WRONG]
    scratch.write_replies(replies, *map(fenced, sources))
    held, after = Held(), Held()

    async def interrupted() -> None:
        run = asyncio.create_task(search(experiment, replies, lambda given, stop: held))
        while len(held.sources) < 3:
            await asyncio.sleep(0.01)
        for _ in range(times):
            run.cancel()  # as asyncio does for Ctrl-C
            await asyncio.sleep(0.01)
        held.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(interrupted())
    assert [attempt["number"] for attempt in judged(experiment)] == kept
    assert held.measured == sources[:1]
    after.may_end.set()
    asyncio.run(search(experiment, replies, lambda given, stop: after))
    assert [attempt["number"] for attempt in judged(experiment)] == [1, 2, 3]
    assert after.sources == after.measured == sources[len(kept) :]


def test_whoever_is_prepared_knows_those_before_it_that_have_no_verdict() -> None:
    async def check() -> list[list[str]]:
        known: list[list[str]] = []

        async def prepare(one: Proposal) -> Ready:
            known.append(list(docket.objects.values()))
            return Ready(candidate=None, found=Prepared(source="", artifact=Artifact(content=bytes(one.number))))

        docket = Docket(prepare)
        for number in (1, 2, 3):
            docket.add(proposal(number))
        await docket.take(2)
        docket.judged(1)
        await docket.take(3)
        return known

    assert asyncio.run(check()) == [[], ["attempt 1"], ["attempt 2"]]

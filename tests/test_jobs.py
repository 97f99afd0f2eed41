"""Several requests in flight in real runs of loop.py: numbers, prompts, budgets, a kill and Ctrl-C."""

import asyncio
import io
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import scratch
from harness.ask.models.builtin import Builtin
from harness.ask.models.replay import Replay
from harness.contract import load
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Estimate, Status, Verdict
from harness.search import Options, Search
from harness.show.views import Json
from loopback import Answer, Loopback, Received
from scratch import Done, fenced, loop

MODEL = ("--model", "some-model", "--base-url")


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    return scratch.write_total(tmp_path / "total")


def _numbers(experiment: Path, kind: str, inside: str) -> list[int]:
    return [event[inside]["number"] for event in scratch.journal(experiment) if event["kind"] == kind]


def _wait_for(happened: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    experiment: Path
    done: Done
    prompts: list[str]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Eight attempts by four jobs; the later of the first four requests are answered first."""
    experiment = scratch.write_total(tmp_path_factory.mktemp("four") / "total")
    place = iter(range(1000))

    def answer(request: Received) -> Answer:
        number = next(place)
        return Answer(text=f"{scratch.PROSE} {number}", delay_s=max(0.05, 0.5 - 0.15 * number))

    with Loopback(answer) as server:
        done = loop(experiment, "--no-commit", "--json", "--loop", "8", "--jobs", "4", *MODEL, server.base_url)
        prompts = [request.body["messages"][0]["content"] for request in server.requests]
        yield Ran(experiment=experiment, done=done, prompts=prompts)


def test_each_attempt_is_asked_for_once(four: Ran) -> None:
    assert (len(four.prompts), len(four.done.statuses)) == (8, 8), four.done.err


def test_numbers_are_given_in_the_order_of_arrival_and_judged_in_it(four: Ran) -> None:
    proposed = _numbers(four.experiment, "proposed", "proposal")
    assert proposed == _numbers(four.experiment, "judged", "attempt") == list(range(1, 9))
    first = scratch.journal(four.experiment)[1]["proposal"]["reply"]
    assert first == f"{scratch.PROSE} 3"


def test_prompts_in_flight_at_once_differ_on_purpose(four: Ran) -> None:
    assert len(set(four.prompts[:4])) == 4
    assert sum("Where to look" in prompt for prompt in four.prompts[:4]) == 3


def test_a_prompt_is_made_from_the_newest_memory_when_it_is_sent(four: Ran) -> None:
    assert "unreadable" in four.prompts[-1].lower() and "unreadable" not in four.prompts[0].lower()


def test_the_prompt_that_is_kept_of_an_attempt_is_the_one_that_was_answered(four: Ran) -> None:
    kept = (four.experiment / "runs" / "0001" / "prompt.md").read_text()
    assert kept == four.prompts[3]


class Slow:
    """Stands in for the judge where only the harness is looked at: every candidate loses, after a moment."""

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        time.sleep(0.02)
        return Verdict(status=Status.SLOWER, reason="slower", speedup=Estimate(ratio=0.9, low=0.8, high=1.0))

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError


async def _searched(looking: Search) -> str:
    async with looking:
        async for proposal in looking.proposals(Json(io.StringIO())):
            looking.keep(await looking.judge(proposal))
    return looking.ending


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_builtin_proposer_draws_no_point_twice(experiment: Path, jobs: int) -> None:
    contract = load(experiment)
    options = Options(budget=Budget(attempts=9), jobs=jobs, commit=False)
    search = Search(contract, Builtin(contract, seed=1), options, lambda experiment, stop: Slow())
    assert asyncio.run(_searched(search)) == "every point of the search space was proposed: 3."
    drawn = [event["attempt"] for event in scratch.journal(experiment) if event["kind"] == "judged"]
    assert sorted(one["choices"]["step"] for one in drawn) == [1, 2, 4]
    assert {one["verdict"]["status"] for one in drawn} == {"slower"}


def test_recorded_replies_are_taken_in_their_order(experiment: Path, tmp_path: Path) -> None:
    replies = scratch.write_replies(tmp_path / "replies", *(f"{scratch.PROSE} {n}" for n in range(5)))
    loop(experiment, "--no-commit", "--loop", "9", "--jobs", "3", "--model", replies)
    said = [event["proposal"]["reply"][-1] for event in scratch.journal(experiment) if event["kind"] == "proposed"]
    assert said == list("01234")


def test_replies_that_wait_are_judged_once_however_few_attempts_a_run_makes(experiment: Path, tmp_path: Path) -> None:
    contract = load(experiment)
    scratch.write_replies(tmp_path / "replies", *(f"{scratch.PROSE} {n}" for n in range(6)))

    async def run(attempts: int, judged: int) -> None:
        options = Options(budget=Budget(attempts=attempts), jobs=3, commit=False)
        replay = Replay(tmp_path / "replies")
        async with Search(contract, replay, options, lambda experiment, stop: Slow()) as search:
            async for proposal in search.proposals(Json(io.StringIO())):
                if not judged:
                    return
                search.keep(await search.judge(proposal))
                judged -= 1

    for attempts, judged in ((9, 1), (1, 9), (9, 9)):
        asyncio.run(run(attempts, judged))
    events = [(event["kind"], event.get("proposal") or event.get("attempt")) for event in scratch.journal(experiment)]
    for kind in ("proposed", "judged"):
        assert [one["number"] for name, one in events if name == kind and one] == [1, 2, 3, 4, 5, 6]
    assert [one["reply"][-1] for name, one in events if name == "proposed" and one] == list("012345")


def test_replies_that_had_arrived_before_a_kill_are_judged_first_and_not_asked_for_again(experiment: Path) -> None:
    def answer(request: Received) -> str:
        return fenced(scratch.ENDLESS) if len(server.requests) == 1 else f"{scratch.PROSE} {len(server.requests)}"

    manifest = scratch.MANIFEST | {"limits": scratch.MANIFEST["limits"] | {"timeout_s": 0.5}}
    (experiment / "experiment.json").write_text(json.dumps(manifest))
    with Loopback(answer) as server:
        arguments = (experiment, "--no-commit", "--json", "--jobs", "2", "--loop", "4", *MODEL, server.base_url)
        process = scratch.start(scratch.ROOT / "loop.py", *arguments)
        _wait_for(lambda: len(_numbers(experiment, "proposed", "proposal")) == 4)
        process.kill()
        scratch.finish(process)
        judged_before = len(_numbers(experiment, "judged", "attempt"))
        done = loop(*arguments, "--loop", str(4 - judged_before))
        assert len(server.requests) == 4
    assert len(done.statuses) == 4 - judged_before > 1, done.err
    assert _numbers(experiment, "judged", "attempt") == [1, 2, 3, 4]


def test_ctrl_c_hangs_up_on_everything_in_flight(experiment: Path) -> None:
    with Loopback([Answer(delay_s=30)]) as server:
        arguments = (experiment, "--no-commit", "--jobs", "3", "--loop", "9", *MODEL, server.base_url)
        process = scratch.start(scratch.ROOT / "loop.py", *arguments)
        _wait_for(lambda: len(server.requests) == 3)
        scratch.interrupt(process)
        pressed_s = time.monotonic()
        done = scratch.finish(process)
        assert time.monotonic() - pressed_s < 2
    assert (done.code, done.err) == (130, "")
    assert "interrupted; to go on" in done.out


class Asked(Slow):
    def __init__(self) -> None:
        self.alphas: list[float] = []

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        self.alphas.append(alpha)
        return super().measure(prepared, rivals, standings, alpha)


def test_a_run_shares_the_error_rate_with_all_attempts_that_the_search_will_have_made(experiment: Path) -> None:
    contract, judge = load(experiment), Asked()
    for attempts in (2, 1):
        options = Options(budget=Budget(attempts=attempts), commit=False)
        asyncio.run(_searched(Search(contract, Builtin(contract, seed=1), options, lambda experiment, stop: judge)))
    assert judge.alphas == [0.05 / 2, 0.05 / 2, 0.05 / 3]


class AboutToEnd(Slow):
    def __init__(self) -> None:
        self.began = threading.Event()

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        self.began.set()
        time.sleep(0.2)
        return super().measure(prepared, rivals, standings, alpha)


@pytest.mark.parametrize(("times", "kept"), [(1, ["judged"]), (2, [])])
def test_a_judgement_that_is_about_to_end_is_kept_unless_it_is_interrupted_twice(
    experiment: Path, tmp_path: Path, times: int, kept: list[str]
) -> None:
    contract, judge = load(experiment), AboutToEnd()
    scratch.write_replies(tmp_path / "replies", *(fenced(scratch.SLOWER) for _ in range(3)))
    options = Options(budget=Budget(attempts=3), commit=False)
    search = Search(contract, Replay(tmp_path / "replies"), options, lambda experiment, stop: judge)

    async def interrupted() -> None:
        run = asyncio.create_task(_searched(search))
        assert await asyncio.to_thread(judge.began.wait, 20)
        for _ in range(times):
            run.cancel()  # as asyncio does for Ctrl-C
            await asyncio.sleep(0.01)
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(interrupted())
    assert scratch.kinds(experiment) == ["seeded", "proposed", *kept]


def test_ctrl_c_twice_ends_a_run_without_a_traceback(experiment: Path) -> None:
    with Loopback([Answer(text=fenced(scratch.ENDLESS), delay_s=1.2)]) as server:
        process = scratch.start(scratch.ROOT / "loop.py", experiment, "--no-commit", *MODEL, server.base_url)
        _wait_for(lambda: "proposed" in scratch.kinds(experiment))
        scratch.interrupt(process)
        time.sleep(0.05)
        scratch.interrupt(process)
        done = scratch.finish(process)
    assert (done.code, done.err) == (130, "")
    assert "interrupted; to go on" in done.out
    assert scratch.kinds(experiment) == ["seeded", "proposed"]


@pytest.mark.parametrize(
    ("limits", "attempts", "reason"),
    [
        (("--patience", "2"), 2, "2 attempts without a winner"),
        (("--budget-tokens", "50"), 3, "the budget of 50 tokens leaves no room"),
        (("--time", "0.001s"), 0, "the time of 0.001 s is up"),
    ],
)
def test_a_budget_ends_a_run_and_its_last_line_says_why(
    experiment: Path, limits: tuple[str, str], attempts: int, reason: str
) -> None:
    with Loopback([scratch.PROSE]) as server:
        arguments = (experiment, "--no-commit", "--loop", "9", "--jobs", "4", *limits, *MODEL, server.base_url)
        done = loop(*arguments)
        assert len(server.requests) == attempts
    assert done.code == 0
    assert reason in done.out.splitlines()[-1]


def test_a_bad_key_ends_a_run_of_many_with_the_providers_words(experiment: Path) -> None:
    refused = Answer(status=401, body={"error": {"message": "Incorrect API key provided."}})
    with Loopback([refused]) as server:
        done = loop(experiment, "--no-commit", "--loop", "99", "--jobs", "4", *MODEL, server.base_url)
        assert len(server.requests) <= 4
    assert scratch.is_plain_error(done), done.err
    assert "401 Incorrect API key provided." in done.err


def test_a_budget_in_dollars_is_refused_where_nobody_knows_the_price(experiment: Path) -> None:
    done = loop(experiment, "--no-commit", "--budget-usd", "1", *MODEL, "http://127.0.0.1:9/v1")
    assert scratch.is_plain_error(done), done.err
    assert "the price of some-model is not known" in done.err

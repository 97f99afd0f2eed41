"""Requests in flight, with replies that a test lets arrive one by one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from harness.ask.proposer import Exhausted
from harness.errors import GivenUp, KeepError, ProposerError
from harness.pipeline import GIVEN_UP_IN_A_ROW, Pipeline
from harness.records import Proposal
from keep.samples import proposal

REFUSED = ProposerError("m: 401 no such key.", "Check it.")
LATE = GivenUp("m: 503 overloaded.", "Wait.")


class Wire:
    """Takes requests and answers one when told to."""

    def __init__(self, limit: int = 100) -> None:
        self.sent: list[asyncio.Future[Proposal]] = []
        self.told: list[str] = []
        self.limit = limit

    def send(self, flying: int) -> Callable[[], Awaitable[Proposal]]:
        reply: asyncio.Future[Proposal] = asyncio.get_running_loop().create_future()
        self.sent.append(reply)

        async def answer() -> Proposal:
            return await reply

        return answer

    def hold(self, underway: int, flying: int) -> str:
        return "enough asked for" if len(self.sent) >= self.limit else ""

    async def answer(self, *places: int) -> None:
        for place in places:
            self.sent[place].set_result(replace(proposal(place + 1), number=place + 1))
        await settle()

    async def fail(self, place: int, fault: Exception) -> None:
        self.sent[place].set_exception(fault)
        await settle()

    def line(self, jobs: int, arrived: tuple[Proposal, ...] = ()) -> Pipeline:
        return Pipeline(jobs, self.send, self.hold, self.told.append, arrived)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def first_of(line: Pipeline) -> tuple[asyncio.Future[Proposal], AsyncIterator[Proposal]]:
    replies = line.replies()
    waiting = asyncio.ensure_future(anext(replies))
    await settle()
    return waiting, replies


def test_as_many_requests_as_jobs_are_in_flight() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(4)
        await first_of(line)
        assert len(wire.sent) == 4
        await line.close()

    asyncio.run(check())


def test_a_place_is_taken_again_the_moment_its_reply_arrives_however_long_judging_takes() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(4)
        waiting, _ = await first_of(line)
        await wire.answer(2)
        assert (await waiting).number == 3
        assert len(wire.sent) == 5  # and 3 is still being judged: nobody asked for the next
        await wire.answer(0)
        assert len(wire.sent) == 6
        await line.close()

    asyncio.run(check())


def test_one_job_waits_for_the_verdict() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(1)
        waiting, replies = await first_of(line)
        await wire.answer(0)
        await waiting
        assert len(wire.sent) == 1
        following = asyncio.ensure_future(anext(replies))
        await settle()
        assert len(wire.sent) == 2
        following.cancel()
        await line.close()

    asyncio.run(check())


def test_no_more_is_asked_for_while_as_many_replies_as_jobs_wait_for_the_judge() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(2)
        waiting, _ = await first_of(line)
        for place in range(4):
            if place < len(wire.sent):
                await wire.answer(place)
        await waiting
        assert len(wire.sent) == 4
        await line.close()

    asyncio.run(check())


def test_replies_are_handed_on_in_the_order_in_which_they_came() -> None:
    async def check() -> list[int]:
        wire = Wire(limit=3)
        line = wire.line(3)
        waiting, replies = await first_of(line)
        for place in (1, 2, 0):
            await wire.answer(place)
        return [(await waiting).number, *[one.number async for one in replies]]

    assert asyncio.run(check()) == [2, 3, 1]


def test_replies_of_an_earlier_run_come_first_and_are_not_asked_for() -> None:
    async def check() -> tuple[list[int], int]:
        wire = Wire(limit=0)
        numbers = [one.number async for one in wire.line(2, (proposal(5), proposal(6))).replies()]
        return numbers, len(wire.sent)

    assert asyncio.run(check()) == ([5, 6], 0)


def test_it_ends_with_the_reason_why_no_more_was_sent() -> None:
    async def check() -> str:
        line = Wire(limit=0).line(2)
        assert [one async for one in line.replies()] == []
        return line.ending

    assert asyncio.run(check()) == "enough asked for"


def test_a_refusal_is_told_after_the_replies_that_were_paid_for() -> None:
    async def check() -> None:
        wire = Wire()
        waiting, replies = await first_of(wire.line(3))
        await wire.fail(1, REFUSED)
        await wire.answer(0, 2)
        assert (await waiting).number == 1
        assert (await anext(replies)).number == 3
        with pytest.raises(ProposerError, match="no such key"):
            await anext(replies)
        assert len(wire.sent) == 3

    asyncio.run(check())


def test_a_request_that_was_given_up_is_told_and_its_place_is_taken_by_another() -> None:
    async def check() -> None:
        wire = Wire(limit=2)
        waiting, _ = await first_of(wire.line(1))
        await wire.fail(0, LATE)
        await wire.answer(1)
        assert ((await waiting).number, wire.told) == (2, ["a request was given up: m: 503 overloaded."])

    asyncio.run(check())


def test_requests_given_up_one_after_the_other_end_it_with_the_providers_words() -> None:
    async def check() -> int:
        wire = Wire()
        waiting, _ = await first_of(wire.line(1))
        for place in range(GIVEN_UP_IN_A_ROW):
            await wire.fail(place, LATE)
        with pytest.raises(GivenUp, match="overloaded"):
            await waiting
        return len(wire.sent)

    assert asyncio.run(check()) == GIVEN_UP_IN_A_ROW


def test_a_proposer_with_nothing_left_ends_it_once_the_others_have_answered() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(2)
        waiting, replies = await first_of(line)
        await wire.fail(1, Exhausted("all used."))
        await wire.answer(0)
        assert (await waiting).number == 1
        assert [one async for one in replies] == []
        assert (line.ending, len(wire.sent)) == ("all used.", 2)

    asyncio.run(check())


def test_any_other_fault_of_a_request_ends_it_at_once() -> None:
    async def check() -> None:
        wire = Wire()
        line = wire.line(2)
        waiting, _ = await first_of(line)
        await wire.fail(0, KeepError("the disk is full.", "Make room."))
        with pytest.raises(KeepError):
            await waiting
        await line.close()

    asyncio.run(check())


def test_what_fails_beside_it_ends_the_waiting() -> None:
    async def check() -> None:
        line = Wire().line(1)

        async def judge() -> None:
            raise KeepError("no compiler.", "Install one.")

        line.beside.add(asyncio.ensure_future(judge()))
        with pytest.raises(KeepError, match="no compiler"):
            await anext(line.replies())
        await line.close()

    asyncio.run(check())


def test_closing_cancels_what_is_in_flight() -> None:
    async def check() -> list[bool]:
        wire = Wire()
        line = wire.line(3)
        waiting, _ = await first_of(line)
        waiting.cancel()
        await line.close()
        return [reply.cancelled() for reply in wire.sent]

    assert asyncio.run(check()) == [True, True, True]

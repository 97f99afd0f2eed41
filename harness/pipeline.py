"""Requests in flight: at most so many at a time, each sent the moment it may be, replies handed on as they arrive.

What a request is, and what stands against sending one, is handed in: no prompt, no model and no state is known here.
Nothing here runs beside the network's waiting: one thread, one event loop, the same path for one request and for many.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from harness.ask.proposer import Exhausted
from harness.errors import GivenUp, ProposerError
from harness.records import Proposal

GIVEN_UP_IN_A_ROW = 3


class Pipeline:
    """`send` makes a request, told how many are in flight before it; `hold` says why none may be sent, told how many
    proposals are on their way to a verdict and how many of them are still in flight."""

    def __init__(
        self,
        jobs: int,
        send: Callable[[int], Callable[[], Awaitable[Proposal]]],
        hold: Callable[[int, int], str],
        tell: Callable[[str], None],
        arrived: Iterable[Proposal] = (),
    ) -> None:
        self._jobs, self._send, self._hold, self._tell = jobs, send, hold, tell
        # One job waits for the verdict, so that the next prompt knows it. More are refilled when a reply arrives, up to
        # a bound on what has no verdict yet: beyond it a prompt written later would only know more.
        self._most_open = 2 * jobs if jobs > 1 else 1
        self._waiting = deque(arrived)
        self._at_hand = 0
        self._flying: set[asyncio.Task[None]] = set()
        self._given_up = 0
        self._fault: ProposerError | None = None
        self._exhausted = ""
        self.ending = ""
        self.beside: set[asyncio.Task[Any]] = set()
        """What else has to succeed for a reply to be worth waiting for."""

    async def replies(self) -> AsyncIterator[Proposal]:
        """Every reply, in the order of arrival, until no request may be sent and none is on its way any more."""
        while True:
            self._fill()
            if self._waiting:
                self._at_hand = 1
                yield self._waiting.popleft()
                self._at_hand = 0
            elif self._flying:
                await self._next()
            else:
                break
        if self._fault:
            raise self._fault

    async def close(self) -> None:
        """Cancel what is in flight, and send no more."""
        self._jobs = 0
        for task in self._flying:
            task.cancel()
        await asyncio.gather(*self._flying, return_exceptions=True)

    def _fill(self) -> None:
        """Send as many requests as may be sent now."""
        while not self._fault and len(self._flying) < self._jobs:
            flying = len(self._flying)
            underway = flying + len(self._waiting) + self._at_hand
            if underway >= self._most_open:
                return
            self.ending = self._exhausted or self._hold(underway, flying)
            if self.ending:
                return
            self._flying.add(asyncio.create_task(self._fly(self._send(flying))))

    async def _fly(self, answer: Callable[[], Awaitable[Proposal]]) -> None:
        try:
            self._waiting.append(await answer())
            self._given_up = 0
        except Exhausted as end:
            self._exhausted = str(end)
        except GivenUp as fault:
            self._given_up += 1
            if self._given_up >= GIVEN_UP_IN_A_ROW:
                self._fault = fault
            else:
                self._tell(f"a request was given up: {fault.message}")
        except ProposerError as fault:
            # What is in flight beside it was paid for, and is waited for and judged before this is told.
            self._fault = self._fault or fault
        # Where anything else was raised the task stays where it is, for `_next` to find.
        task = asyncio.current_task()
        assert task is not None
        self._flying.discard(task)
        try:
            self._fill()
        except BaseException:
            self._flying.add(task)
            raise

    async def _next(self) -> None:
        """Until something happened; raises what went wrong with a request or beside it."""
        done, _ = await asyncio.wait({*self._flying, *self.beside}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            self.beside.discard(task)
            task.result()

"""Replies on their way to a verdict: each is prepared as it comes, one after the other, whatever is being measured.

How one is prepared, and what it ends as, is handed in: no prompt, no state and no rule of the judge's is known here.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.judge.verdict import Prepared
from harness.records import Candidate, Proposal, Verdict

Result = TypeVar("Result")
_TURN_S = 0.02  # longer than whoever waits for the place to measure takes to look again


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What a reply turned out to be before any measuring; a `Verdict` where nothing of it is to be measured."""

    candidate: Candidate | None
    found: Prepared | Verdict


class Docket:
    """In the order of arrival: whoever is prepared knows what all before it turned out to be."""

    def __init__(self, prepare: Callable[[Proposal], Awaitable[Ready]]) -> None:
        self._prepare = prepare
        self._line = asyncio.Lock()
        self._preparing: dict[int, asyncio.Task[Ready]] = {}
        self._ready: dict[int, Ready] = {}

    def add(self, proposal: Proposal) -> None:
        self._preparing[proposal.number] = asyncio.create_task(self._in_line(proposal))

    async def take(self, number: int) -> Ready:
        """The next to be judged, once it is prepared."""
        return await self._preparing.pop(number)

    def judged(self, number: int) -> None:
        self._ready.pop(number, None)

    @property
    def sources(self) -> dict[str, str]:
        """Digest of what has no verdict yet -> whose it is."""
        return {one.candidate.digest: f"attempt {n}" for n, one in self._ready.items() if one.candidate}

    @property
    def objects(self) -> dict[str, str]:
        """The same of compiled code."""
        built = {n: one.found for n, one in self._ready.items() if isinstance(one.found, Prepared)}
        return {one.object_digest: f"attempt {n}" for n, one in built.items()}

    async def close(self) -> None:
        """Prepare no more but what was taken."""
        await cancel(*self._preparing.values())

    async def _in_line(self, proposal: Proposal) -> Ready:
        async with self._line:
            if self._ready:  # so one may be measured: where there are few cores, it takes turns with us
                await asyncio.sleep(_TURN_S)
            self._ready[proposal.number] = ready = await self._prepare(proposal)
            return ready


class Threads:
    """Work in threads of which none outlives a run."""

    def __init__(self) -> None:
        self._running: set[asyncio.Future[Any]] = set()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Whoever waits here may be cancelled; the work goes on."""
        thread = asyncio.get_running_loop().run_in_executor(None, work)
        self._running.add(thread)
        thread.add_done_callback(self._running.discard)
        return await asyncio.shield(thread)

    async def close(self) -> None:
        """Until all has ended, well or not."""
        await asyncio.gather(*self._running, return_exceptions=True)


async def cancel(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

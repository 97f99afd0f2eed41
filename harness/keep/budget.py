"""How much a run may make, spend and take, and what it has so far: whether one more request may be sent.

Counts from the start of a run, as `--loop` does; what earlier runs of the search cost is not in it.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import KeepError
from harness.keep.usage import priced
from harness.records import Attempt, Proposal, Status, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """None is no limit. `patience` is how many attempts without a winner are put up with in a row."""

    attempts: int = 1
    usd: float | None = None
    tokens: int | None = None
    time_s: float | None = None
    patience: int | None = None


class Ledger:
    """What one run has spent of its budget. A request is expected to take as much as the dearest reply so far."""

    def __init__(self, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget
        self._clock = clock
        self._began_s = clock()
        self._attempts = self._since_winner = 0
        self._spent = Usage()
        self._most_usd, self._most_tokens = 0.0, 0
        self._replies, self._longest_s = 0, 0.0

    def replied(self, proposal: Proposal) -> None:
        usage = proposal.usage
        self._replies += 1
        self._spent += usage
        self._most_usd = max(self._most_usd, usage.cost_usd or 0.0)
        self._most_tokens = max(self._most_tokens, usage.total_tokens)
        if not proposal.failures:  # else most of the time went into waits
            self._longest_s = max(self._longest_s, proposal.seconds)

    def lost(self, prompt_tokens: int, model: str) -> None:
        """A reply broke off or came too late, and was billed, most likely: as dear as the dearest so far, and no less
        than its prompt."""
        prompt_usd = priced(Usage(prompt_tokens=prompt_tokens), model).cost_usd
        usd = None if prompt_usd is None else max(prompt_usd, self._most_usd)
        self._spent += Usage(prompt_tokens=max(prompt_tokens, self._most_tokens), cost_usd=usd, estimated=True)

    def judged(self, attempt: Attempt) -> None:
        self._attempts += 1
        if attempt.status is not Status.UNMEASURED:
            self._since_winner = 0 if attempt.status.is_winner else self._since_winner + 1

    @property
    def left_s(self) -> float:
        """Until the time is up; infinite where it is not limited."""
        limit_s = self.budget.time_s
        return math.inf if limit_s is None else max(0.0, self._began_s + limit_s - self._clock())

    @property
    def answer_s(self) -> float | None:
        """How long a request that is sent now may take: until the time is up, and where that cuts it off sooner than
        the slowest reply so far would have been, so long. None where the time is not limited."""
        return None if self.budget.time_s is None else max(self.left_s, self._longest_s)

    @property
    def time_is_up(self) -> str:
        return f"the time of {self.budget.time_s:g} s is up"

    def hold(self, underway: int, flying: int) -> str:
        """Why no request may be sent now, nothing where one may. `underway` counts what was asked for and has no
        verdict yet, `flying` those of them that have no reply yet: what they will cost counts as spent."""
        budget = self.budget
        if self._attempts + underway >= budget.attempts:
            return f"{budget.attempts} attempt{'s' * (budget.attempts != 1)} made"
        if budget.patience is not None and self._since_winner + underway >= budget.patience:
            return f"{budget.patience} attempt{'s' * (budget.patience != 1)} without a winner"
        if self.left_s == 0:
            return self.time_is_up
        if budget.usd is None and budget.tokens is None:
            return ""
        if flying and not self._replies:
            return "what a request costs is not known before the first reply"
        return self._over_usd(flying + 1) or self._over_tokens(flying + 1)

    def _over_usd(self, requests: int) -> str:
        limit, spent, most = self.budget.usd, self._spent.cost_usd or 0.0, self._most_usd
        if limit is None or spent + requests * most <= limit:
            return ""
        return f"the budget of ${limit:.2f} leaves no room: ${spent:.4f} spent, the dearest reply cost ${most:.4f}"

    def _over_tokens(self, requests: int) -> str:
        limit, spent, most = self.budget.tokens, self._spent.total_tokens, self._most_tokens
        if limit is None or spent + requests * most <= limit:
            return ""
        return f"the budget of {limit:,} tokens leaves no room: {spent:,} spent, the longest exchange took {most:,}"


def require_price(budget: Budget, model: str) -> None:
    """KeepError where money is limited and nobody knows what the model costs."""
    if budget.usd is not None and priced(Usage(), model).cost_usd is None:
        raise KeepError(
            f"--budget-usd cannot be kept: the price of {model} is not known.",
            "limit --budget-tokens instead, or add the price to harness/keep/usage.py.",
        )

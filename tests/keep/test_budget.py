from dataclasses import replace

import pytest

from harness.errors import KeepError
from harness.keep.budget import Budget, Ledger, require_price
from harness.records import Status, Usage
from keep.samples import attempt, proposal

USAGE = Usage(prompt_tokens=80, completion_tokens=20, cost_usd=0.4)
REPLY = replace(proposal(1), usage=USAGE, seconds=20.0)


def test_attempts_count_with_what_is_underway() -> None:
    ledger = Ledger(Budget(attempts=3))
    ledger.judged(attempt(1, Status.WRONG))
    assert (ledger.hold(1, 1), ledger.hold(2, 1)) == ("", "3 attempts made")


def test_patience_ends_after_so_many_attempts_without_a_winner() -> None:
    ledger = Ledger(Budget(attempts=99, patience=2))
    ledger.judged(attempt(1, Status.WRONG))
    assert (ledger.hold(0, 0), ledger.hold(1, 0)) == ("", "2 attempts without a winner")


def test_a_winner_gives_patience_back() -> None:
    ledger = Ledger(Budget(attempts=99, patience=1))
    ledger.judged(attempt(1, Status.BEST, 1.5))
    assert ledger.hold(0, 0) == ""


def test_what_could_not_be_timed_costs_no_patience() -> None:
    ledger = Ledger(Budget(attempts=9, patience=1))
    ledger.judged(attempt(1, Status.UNMEASURED))
    assert ledger.hold(0, 0) == ""


def test_time_ends_it() -> None:
    ticks = iter([100.0, 159.0, 160.0])
    ledger = Ledger(Budget(attempts=9, time_s=60), clock=lambda: next(ticks))
    assert (ledger.hold(0, 0), ledger.hold(0, 0)) == ("", "the time of 60 s is up")


@pytest.mark.parametrize("budget", [Budget(attempts=9, usd=1.25), Budget(attempts=9, tokens=300)])
def test_what_is_in_flight_counts_as_dear_as_the_dearest_reply(budget: Budget) -> None:
    ledger = Ledger(budget)
    ledger.replied(REPLY)
    assert ledger.hold(1, 1) == ""
    assert "leaves no room" in ledger.hold(2, 2)


@pytest.mark.parametrize("budget", [Budget(attempts=9, usd=1.0), Budget(attempts=9, tokens=300)])
def test_before_the_first_reply_one_request_alone_shows_what_one_costs(budget: Budget) -> None:
    ledger = Ledger(budget)
    assert ledger.hold(0, 0) == ""
    assert ledger.hold(1, 1) != ""


@pytest.mark.parametrize("budget", [Budget(attempts=9, usd=1.25), Budget(attempts=9, tokens=300)])
def test_a_reply_that_was_lost_counts_as_dear_as_the_dearest_one(budget: Budget) -> None:
    ledger = Ledger(budget)
    ledger.replied(REPLY)
    ledger.lost(80, "gpt-5")
    assert ledger.hold(0, 0) == ""
    ledger.lost(80, "gpt-5")
    assert "leaves no room" in ledger.hold(0, 0)


@pytest.mark.parametrize("budget", [Budget(attempts=9, usd=1.0), Budget(attempts=9, tokens=800_000)])
def test_before_the_first_reply_a_lost_one_counts_as_its_prompt(budget: Budget) -> None:
    ledger = Ledger(budget)
    ledger.lost(810_000, "gpt-5")  # at $1.25 for a million tokens
    assert "leaves no room" in ledger.hold(0, 0)


def test_a_request_may_take_until_the_time_is_up_or_as_long_as_the_slowest_reply() -> None:
    now_s = [0.0]
    ledger = Ledger(Budget(attempts=9, time_s=60), clock=lambda: now_s[0])
    assert ledger.answer_s == 60
    now_s[0] = 59.0
    assert ledger.answer_s == 1
    ledger.replied(replace(REPLY, seconds=500.0, failures=("429 slow down",)))  # waits are no measure
    assert ledger.answer_s == 1
    ledger.replied(REPLY)
    assert ledger.answer_s == 20


def test_without_a_limit_nobody_waits_for_the_first_reply() -> None:
    assert Ledger(Budget(attempts=9)).hold(7, 7) == ""


def test_a_limit_in_dollars_is_refused_where_the_price_is_unknown() -> None:
    with pytest.raises(KeepError, match="the price of some-model is not known"):
        require_price(Budget(usd=1.0), "some-model")


@pytest.mark.parametrize("model", ["builtin", "replay", "gpt-5-mini"])
def test_a_limit_in_dollars_holds_where_the_price_is_known(model: str) -> None:
    require_price(Budget(usd=1.0), model)

import pytest

from harness.errors import KeepError
from harness.keep.budget import Budget, Ledger, require_price
from harness.records import Status, Usage
from keep.samples import attempt

REPLY = Usage(prompt_tokens=80, completion_tokens=20, cost_usd=0.4)


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


def test_without_a_limit_nobody_waits_for_the_first_reply() -> None:
    assert Ledger(Budget(attempts=9)).hold(7, 7) == ""


def test_a_limit_in_dollars_is_refused_where_the_price_is_unknown() -> None:
    with pytest.raises(KeepError, match="the price of some-model is not known"):
        require_price(Budget(usd=1.0), "some-model")


@pytest.mark.parametrize("model", ["builtin", "replay", "gpt-5-mini"])
def test_a_limit_in_dollars_holds_where_the_price_is_known(model: str) -> None:
    require_price(Budget(usd=1.0), model)

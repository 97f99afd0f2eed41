import pytest

from harness.keep.usage import PRICES, priced
from harness.records import Usage

TOKENS = Usage(prompt_tokens=1_000_000, completion_tokens=100_000, cached_tokens=400_000, reasoning_tokens=50_000)


def test_prompt_cached_and_completion_tokens_each_have_their_price() -> None:
    expected = 0.6 * PRICES["gpt-4.1-mini"].prompt + 0.4 * PRICES["gpt-4.1-mini"].cached + 0.1 * 1.60
    assert priced(TOKENS, "gpt-4.1-mini").cost_usd == pytest.approx(expected)


def test_a_dated_name_has_the_price_of_its_model() -> None:
    assert priced(TOKENS, "gpt-4.1-mini-2025-04-14") == priced(TOKENS, "gpt-4.1-mini")


def test_a_dated_name_with_a_price_of_its_own_keeps_it() -> None:
    assert priced(TOKENS, "gpt-4o-2024-05-13") != priced(TOKENS, "gpt-4o")


@pytest.mark.parametrize("model", ["qwen3", "gpt-4.1-mini-tuned", "gpt-9", ""])
def test_an_unknown_model_has_an_unknown_cost(model: str) -> None:
    assert priced(TOKENS, model).cost_usd is None


@pytest.mark.parametrize("model", ["builtin", "replay", "replay:runs"])
def test_what_asks_nobody_costs_nothing(model: str) -> None:
    assert priced(TOKENS, model).cost_usd == 0.0


def test_pricing_leaves_the_tokens_alone() -> None:
    assert priced(TOKENS, "gpt-5").total_tokens == TOKENS.total_tokens


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    assert (priced(TOKENS, "gpt-5") + priced(TOKENS, "qwen3")).cost_usd is None

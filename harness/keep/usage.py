"""What tokens cost, from a dated price table. A price that is not known is None, never 0."""

import re
from dataclasses import dataclass, replace

from harness.records import Usage

PRICES_AS_OF = "2026-06-20"

# Proposers that send nothing anywhere.
_FREE = ("builtin", "replay")
_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per million tokens; `cached` is for the part of the prompt that the provider had seen before."""

    prompt: float
    cached: float
    completion: float


def _price(prompt: float, cached: float, completion: float) -> Price:
    return Price(prompt=prompt, cached=cached, completion=completion)


PRICES = {
    "gpt-4o": _price(2.50, 1.25, 10.00),
    "gpt-4o-2024-05-13": _price(5.00, 5.00, 15.00),
    "gpt-4o-mini": _price(0.15, 0.075, 0.60),
    "gpt-4.1": _price(2.00, 0.50, 8.00),
    "gpt-4.1-mini": _price(0.40, 0.10, 1.60),
    "gpt-4.1-nano": _price(0.10, 0.025, 0.40),
    "gpt-5": _price(1.25, 0.125, 10.00),
    "gpt-5-codex": _price(1.25, 0.125, 10.00),
    "gpt-5-mini": _price(0.25, 0.025, 2.00),
    "gpt-5-nano": _price(0.05, 0.005, 0.40),
    "gpt-5.1": _price(1.25, 0.125, 10.00),
    "gpt-5.1-codex": _price(1.25, 0.125, 10.00),
    "gpt-5.1-codex-mini": _price(0.25, 0.025, 2.00),
    "gpt-5.2": _price(1.75, 0.175, 14.00),
    "gpt-5.4": _price(2.50, 0.25, 15.00),
    "gpt-5.4-mini": _price(0.75, 0.075, 4.50),
    "gpt-5.4-nano": _price(0.20, 0.02, 1.25),
    "o3": _price(2.00, 0.50, 8.00),
    "o3-mini": _price(1.10, 0.55, 4.40),
    "o4-mini": _price(1.10, 0.275, 4.40),
}


def priced(usage: Usage, model: str) -> Usage:
    """The same tokens with what they cost; reasoning tokens are part of the completion, as providers count them."""
    if model.partition(":")[0] in _FREE:
        return replace(usage, cost_usd=0.0)
    price = PRICES.get(model) or PRICES.get(_DATED.sub("", model))
    if price is None:
        return replace(usage, cost_usd=None)
    fresh_tokens = max(0, usage.prompt_tokens - usage.cached_tokens)
    cost = fresh_tokens * price.prompt + usage.cached_tokens * price.cached + usage.completion_tokens * price.completion
    return replace(usage, cost_usd=cost / 1e6)

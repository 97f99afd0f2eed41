"""What a chat completion says, whatever an endpoint put into it: any part of it may be missing or of another kind.

Knows the answer's JSON and nothing of how it came.
"""

import json
from collections.abc import Mapping
from typing import Any

from harness.ask.tokens import estimate
from harness.records import Usage


def at(data: Any, *path: str | int) -> Any:
    """What stands there, None where nothing does."""
    for key in path:
        try:
            data = data[key]
        except (LookupError, TypeError):
            return None
    return data


def usage(completion: Mapping[str, Any], prompt_tokens: int, reply: str) -> Usage:
    """The provider's counts, by either of the names that they go by. No prompt and no reply has 0 tokens: what is
    missing or 0 is estimated, so that no limit is kept by counting nothing."""
    said = completion.get("usage")
    prompt = _count(said, "prompt_tokens") or _count(said, "input_tokens")
    answer = _count(said, "completion_tokens") or _count(said, "output_tokens")
    return Usage(
        prompt_tokens=prompt or prompt_tokens,
        completion_tokens=answer or estimate(reply),
        cached_tokens=_count(said, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_count(said, "completion_tokens_details", "reasoning_tokens"),
        cost_usd=None,
        estimated=not prompt or bool(reply and not answer),
    )


def beside(completion: Mapping[str, Any]) -> str:
    """All of it but the text of the reply, as JSON."""
    message = at(completion, "choices", 0, "message")
    if isinstance(message, dict):
        first, *others = completion["choices"]
        said = {**first, "message": {key: value for key, value in message.items() if key != "content"}}
        completion = {**completion, "choices": [said, *others]}
    try:
        return json.dumps(completion)
    except RecursionError:
        return ""


def _count(said: object, *path: str) -> int:
    value = at(said, *path)
    return value if type(value) is int and value >= 0 else 0

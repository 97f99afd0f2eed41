"""A proposer behind any OpenAI-compatible endpoint, asked through Chat Completions with the official SDK.

The SDK retries what may heal, with growing jittered waits or the server's own Retry-After; what will not heal is a
ProposerError with the provider's message. The key is handed in, sent, and told to nobody else. Tokens are counted
here; what they cost is not.
"""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import openai

from harness.ask.proposer import Request
from harness.ask.tokens import estimate
from harness.errors import ProposerError
from harness.records import Proposal, Usage

_READ_S = 600.0
_CONNECT_S = 10.0
_RETRIES = 5
_LONGEST_MESSAGE = 300
# A server without a key still wants the header.
_PATH = "/chat/completions"
_NO_KEY = "none"
_HINTS = {
    400: "Check --model, --temperature and the prompt's length against what the endpoint takes.",
    401: "Check the key in OPENAI_API_KEY, and that it belongs to this endpoint.",
    402: "Add credit with the provider, or name another model.",
    403: "The key may not use this model; name another with --model.",
    404: "Check --model and --base-url; the URL usually ends in /v1.",
    429: "Wait, check the account's quota and limits, or name another model.",
}


class OpenAI:
    """One model at one endpoint."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None,
        key: str | None,
        temperature: float | None = None,
        seed: int | None = None,
        retries: int = _RETRIES,
    ) -> None:
        self.name = model
        # An error of the transport would quote a header that it cannot send.
        self._key = key = (key or "").strip()
        if not key.isascii() or not key.isprintable():
            raise ProposerError("OPENAI_API_KEY holds characters that no key has.", "Set it again, without quotes.")
        timeout = openai.Timeout(_READ_S, connect=_CONNECT_S)
        hooks = {"response": [_give_up_without_quota]}
        # Reading the certificates takes 30 ms, and a plain connection has none to check.
        checks_certificates = not (base_url or "https:").startswith("http:")
        http_client = openai.DefaultAsyncHttpxClient(timeout=timeout, event_hooks=hooks, verify=checks_certificates)
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key or _NO_KEY, base_url=base_url, max_retries=retries, timeout=timeout, http_client=http_client
            )
        except (openai.OpenAIError, ValueError) as fault:
            raise ProposerError(f"{self._said(str(fault))}.", "Check --base-url; it usually ends in /v1.") from None
        self._where = str(self._client.base_url).rstrip("/")
        self.line = f"{model} answers, at {self._where}"
        self._options: dict[str, Any] = {}
        if temperature is not None:
            self._options["temperature"] = temperature
        if seed is not None:
            self._options["seed"] = seed

    async def propose(self, request: Request) -> Proposal:
        """One answer, whatever it holds; ProposerError where asking again is of no use."""
        asked_at, began_s = datetime.now(UTC), time.monotonic()
        completion = await self._ask(request.prompt.text)
        choice = _at(completion, "choices", 0)
        content = _at(choice, "message", "content")
        reply = content if isinstance(content, str) else ""
        reason = _at(choice, "finish_reason")
        return Proposal(
            number=request.number,
            parent=request.parent.ref,
            model=self.name,
            reply=reply,
            asked_at=asked_at.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began_s,
            usage=_usage(completion, request.prompt.tokens, reply),
            finish_reason=reason if isinstance(reason, str) else "none",
        )

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, prompt: str) -> Mapping[str, Any]:
        try:
            # The SDK's own request without the walk through its types, of which a plain message and its answer are few.
            body = {"model": self.name, "messages": [{"role": "user", "content": prompt}], **self._options}
            answer = await self._client.post(_PATH, cast_to=bytes, body=body)
        except openai.APIStatusError as fault:
            hint = _HINTS.get(fault.status_code, "Try again later, or name another model or --base-url.")
            message = f"{self.name} at {self._where}: {fault.status_code} {self._said(_message(fault))}"
            raise ProposerError(message, hint) from None
        except openai.APIConnectionError as fault:
            cause = str(fault.__cause__ or fault) or type(fault.__cause__).__name__
            raise ProposerError(
                f"{self._where} cannot be reached: {self._said(cause)}", "Is the server running, and --base-url right?"
            ) from None
        except openai.OpenAIError as fault:
            raise self._no_completion(str(fault)) from None
        try:
            completion = json.loads(answer)
        except (ValueError, RecursionError):
            raise self._no_completion(answer.decode("utf-8", "replace")) from None
        if not isinstance(completion, dict):
            raise self._no_completion(str(completion))
        return completion

    def _no_completion(self, text: str) -> ProposerError:
        return ProposerError(
            f"{self._where} answered with no chat completion: {self._said(text)}",
            "Check --base-url; it usually ends in /v1.",
        )

    def _said(self, text: str) -> str:
        """Somebody else's words as one line, without the key."""
        text = text.replace(self._key, "***") if self._key else text
        line = " ".join(text.split())
        return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "..."


async def _give_up_without_quota(response: Any) -> None:
    # An empty account answers 429 like a busy server; waiting does not fill it.
    if response.status_code == 429 and b"insufficient_quota" in await response.aread():
        response.headers["x-should-retry"] = "false"


def _message(fault: openai.APIStatusError) -> str:
    body = fault.body
    message = body.get("message") if isinstance(body, dict) else body
    return message if isinstance(message, str) and message.strip() else fault.message


def _usage(completion: Mapping[str, Any], prompt_tokens: int, reply: str) -> Usage:
    usage = completion.get("usage")
    if usage is None:
        return Usage(prompt_tokens=prompt_tokens, completion_tokens=estimate(reply), cost_usd=None, estimated=True)
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning_tokens=_count(usage, "completion_tokens_details", "reasoning_tokens"),
        cost_usd=None,
    )


def _count(usage: object, *path: str) -> int:
    value = _at(usage, *path)
    return value if type(value) is int and value >= 0 else 0


def _at(data: Any, *path: str | int) -> Any:
    """What stands there, None where nothing does: an endpoint may answer with anything."""
    for key in path:
        try:
            data = data[key]
        except (LookupError, TypeError):
            return None
    return data

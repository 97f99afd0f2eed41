"""A proposer behind any OpenAI-compatible endpoint, asked through Chat Completions with the official SDK.

What may heal is tried again, with a line to whoever watches; what a request cannot mend is GivenUp or a ProposerError,
with the provider's message. The key is handed in, sent, and told to nobody else. Tokens are counted here; what they
cost is not.
"""

import asyncio
import importlib
import json
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import openai

from harness.ask.models.backoff import LONGEST_WISH_S, Patience, Tries, wish_s
from harness.ask.models.completion import at, beside, usage
from harness.ask.proposer import Request
from harness.errors import GivenUp, ProposerError
from harness.records import Proposal, Usage

TOO_LONG = "longer than 8 MiB"
_PATIENCE = Patience()
_MOST_BYTES = 8 << 20
_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_LONGEST_MESSAGE = 300
_LEAST_CONTEXT = 1024  # a smaller count is of something else
_MOST_OFF = 0.5  # no tokenizer makes half as many tokens of a text as another
_MOST_KEPT_CHARS = 1 << 18
_SECRET_CHARS = 16  # shorter ones are names, such as `none` for a local server, and may stand in any code
# A server without a key still wants the header.
_PATH = "/chat/completions"
_NO_KEY = "none"
_HINTS = {
    400: "Check --model, --temperature and the prompt's length against what the endpoint takes.",
    401: "Check the key in OPENAI_API_KEY, and that it belongs to this endpoint.",
    403: "The key may not use this model; name another with --model.",
    404: "Check --model and --base-url; the URL usually ends in /v1.",
    429: "Wait, check the account's quota and limits, or name another model.",
}
_OUT_OF_CREDIT = "Add credit with the provider, or name another model."
_FOR_GOOD = (401, 403, 404)
# The HTTP library that the SDK brought: its name depends on the SDK's version.
_HTTP: Any = importlib.import_module(openai.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0])


class _Failed(Exception):
    """One try that came to nothing: what it amounts to, how many tries such a fault is worth, the server's wish."""

    def __init__(self, error: ProposerError, tries: Tries, wish_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error, self.tries, self.wish_s = error, tries, wish_s


class _TooLong(Exception):
    """An answer of more bytes than any completion has, with this HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(TOO_LONG)
        self.status = status


class _Bounded(_HTTP.AsyncByteStream):  # type: ignore[misc]
    """A body that ends in _TooLong where it does not end in time. None is asked to be packed; one that is all the same
    is unpacked here, where its true size is bounded."""

    def __init__(self, stream: Any, status: int, encoding: str) -> None:
        self._stream, self._status = stream, status
        self._unpacking = zlib.decompressobj(_ZLIB_OR_GZIP) if encoding in ("gzip", "deflate") else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size_bytes = 0
        async for part in self._stream:
            room_bytes = _MOST_BYTES + 1 - size_bytes
            content = self._unpacking.decompress(part, room_bytes) if self._unpacking else part
            size_bytes += len(content)
            if size_bytes > _MOST_BYTES:
                raise _TooLong(self._status)
            yield content

    async def aclose(self) -> None:
        await self._stream.aclose()


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
        patience: Patience = _PATIENCE,
    ) -> None:
        self.name = model
        # An error of the transport would quote a header that it cannot send.
        self._key = key = (key or "").strip()
        if not key.isascii() or not key.isprintable():
            raise ProposerError("OPENAI_API_KEY holds characters that no key has.", "Set it again, without quotes.")
        self._patience = patience
        self._told, self._told_until_s = "", 0.0
        self._has_doubted = False
        timeout = openai.Timeout(patience.answer_s, connect=min(patience.answer_s, patience.connect_s))
        hooks = {"response": [_bound]}
        # Reading the certificates takes 30 ms, and a plain connection has none to check.
        checks_certificates = not (base_url or "https:").startswith("http:")
        http_client = openai.DefaultAsyncHttpxClient(timeout=timeout, event_hooks=hooks, verify=checks_certificates)
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key or _NO_KEY,
                base_url=base_url,
                max_retries=0,
                timeout=timeout,
                default_headers={"Accept-Encoding": "identity"},
                http_client=http_client,
            )
        except (openai.OpenAIError, ValueError) as fault:
            raise ProposerError(f"{self._said(str(fault))}.", "Check --base-url; it usually ends in /v1.") from None
        # Some put a key into the URL.
        where = self._client.base_url.copy_with(userinfo=b"", query=None, fragment=None)
        self._where = str(where).rstrip("/")
        self.line = f"{model} answers, at {self._where}"
        self._options: dict[str, Any] = {}
        if temperature is not None:
            self._options["temperature"] = temperature
        if seed is not None:
            self._options["seed"] = seed
        self._request = self._without_key(json.dumps({"base_url": self._where, "model": model, **self._options}))

    async def propose(self, request: Request) -> Proposal:
        """One answer, whatever it holds; ProposerError where asking again is of no use."""
        asked_at, began_s = datetime.now(UTC), time.monotonic()
        failures: list[str] = []
        completion = await self._ask(request, failures)
        choice = at(completion, "choices", 0)
        content = at(choice, "message", "content")
        reply = self._without_key(content) if isinstance(content, str) else ""
        reason = at(choice, "finish_reason")
        used = usage(completion, request.prompt.tokens, reply)
        self._doubt(request, used)
        return Proposal(
            number=request.number,
            parent=request.parent.ref,
            model=self.name,
            reply=reply,
            asked_at=asked_at.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began_s,
            usage=used,
            finish_reason=reason if isinstance(reason, str) else "none",
            request=self._request,
            answer=self._without_key(beside(completion))[:_MOST_KEPT_CHARS],
            failures=tuple(failures),
        )

    def _doubt(self, request: Request, used: Usage) -> None:
        """Some local servers cut a prompt that is longer than their context, without a word: once, a line says so."""
        was_sent = request.prompt.tokens
        is_cut = _LEAST_CONTEXT <= used.prompt_tokens < was_sent * _MOST_OFF and not used.cached_tokens
        if not is_cut or self._has_doubted:
            return
        self._has_doubted = True
        request.tell(
            f"{self._where} counts {used.prompt_tokens} tokens of a prompt of about {was_sent}: "
            "is its context long enough, or was the prompt cut?"
        )

    async def close(self) -> None:
        await self._client.close()

    async def _ask(self, request: Request, failures: list[str]) -> Mapping[str, Any]:
        """The completion, after as many tries as the faults are worth."""
        while True:
            try:
                return self._completion(await self._send(request.prompt.text))
            except _TooLong:
                return {"choices": [{"finish_reason": TOO_LONG}]}  # paid for, whatever it is: an attempt
            except _Failed as failed:
                failures.append(failed.error.message)
                if failed.tries.were_billed:
                    request.lost()
                if len(failures) >= min(failed.tries, self._patience.retries + 1):
                    raise failed.error from None
                wait_s = self._patience.wait_s(len(failures), failed.wish_s)
                if wait_s > LONGEST_WISH_S:
                    raise failed.error from None
                self._tell(request, failed.error.message, wait_s)
            await request.pause(wait_s)

    def _tell(self, request: Request, message: str, wait_s: float) -> None:
        """One line for a wait, however many requests wait for the same reason."""
        now_s = time.monotonic()
        if message != self._told or now_s >= self._told_until_s:
            self._told, self._told_until_s = message, now_s + wait_s
            request.tell(f"{message.rstrip('.')}; asking again in {wait_s:.1f} s")

    async def _send(self, prompt: str) -> bytes:
        """One try. The SDK's own request without the walk through its types, of which a plain message has few."""
        # Half of a surrogate pair, from a byte on the command line that is not UTF-8 say, can be in no request.
        content = prompt.encode("utf-8", "replace").decode("utf-8")
        body = {"model": self.name, "messages": [{"role": "user", "content": content}], **self._options}
        try:
            async with asyncio.timeout(self._patience.answer_s):
                return await self._client.post(_PATH, cast_to=bytes, body=body)
        except (TimeoutError, openai.APITimeoutError) as fault:
            raise self._too_late(fault) from None
        except openai.APIStatusError as fault:
            raise self._refused(fault.status_code, _message(fault), fault.code, fault.response.headers) from None
        except openai.APIConnectionError as fault:
            raise self._cut_off(fault.__cause__ or fault) from None
        except _TooLong as fault:
            raise self._cut_off(fault) from None
        except openai.OpenAIError as fault:
            raise _Failed(self._no_completion(str(fault)), Tries.ONCE) from None

    def _completion(self, answer: bytes) -> Mapping[str, Any]:
        try:
            completion = json.loads(answer)
        except (ValueError, RecursionError):
            text = answer.decode("utf-8", "replace")
            error = self._no_completion(text)
            if text.lstrip().startswith("<"):  # a page for people, and it will stay one
                raise _Failed(error, Tries.ONCE) from None
            raise _Failed(GivenUp(error.message, error.hint), Tries.TORN) from None
        if not isinstance(completion, dict):
            raise _Failed(self._no_completion(str(completion)), Tries.ONCE)
        error_said = completion.get("error")
        if error_said and not completion.get("choices"):  # some gateways answer 200 and put their error in the body
            status, message = at(error_said, "code"), at(error_said, "message")
            known = status if type(status) is int and 400 <= status < 600 else 500
            raise self._refused(known, str(message or error_said), status, {})
        return completion

    def _refused(self, status: int, message: str, code: object, headers: Mapping[str, str]) -> "_Failed":
        is_out = status == 402 or code == "insufficient_quota"
        hint = _OUT_OF_CREDIT if is_out else _HINTS.get(status, "Try again later, or name another model or --base-url.")
        text = f"{self.name} at {self._where}: {'out of credit: ' * is_out}{status} {self._said(message)}"
        if is_out or status in _FOR_GOOD:
            return _Failed(ProposerError(text, hint), Tries.ONCE)
        is_busy = status >= 500 or status in (408, 409, 429)
        return _Failed(GivenUp(text, hint), Tries.BUSY if is_busy else Tries.ONCE, wish_s(headers))

    def _cut_off(self, cause: BaseException) -> Exception:
        if isinstance(cause, _TooLong):
            return cause if cause.status < 400 else self._refused(cause.status, TOO_LONG, None, {})
        said = self._said(str(cause)) or type(cause).__name__
        if "CERTIFICATE_VERIFY_FAILED" in said or "[SSL" in said:
            text = f"{self._where} cannot be reached safely: {said}"
            return _Failed(
                ProposerError(text, "Check --base-url: https or http, and the server's certificate."), Tries.ONCE
            )
        if "Connect" in type(cause).__name__:
            text, hint = f"{self._where} cannot be reached: {said}", "Is the server running, and --base-url right?"
            return _Failed(GivenUp(text, hint), Tries.NOT_THERE)
        text, hint = f"{self._where} broke off its answer: {said}", "Is the server well? Try again later."
        return _Failed(GivenUp(text, hint), Tries.TORN)

    def _too_late(self, fault: BaseException) -> _Failed:
        if "Connect" in type(fault.__cause__).__name__:
            said, tries = f"cannot be reached: no connection within {self._patience.connect_s:g} s", Tries.NOT_THERE
        else:
            said, tries = f"gave no whole answer within {self._patience.answer_s:g} s", Tries.TOO_LATE
        return _Failed(GivenUp(f"{self._where} {said}.", "Is the server running, and its model loaded?"), tries)

    def _no_completion(self, text: str) -> ProposerError:
        return ProposerError(
            f"{self._where} answered with no chat completion: {self._said(text)}",
            "Check --base-url; it usually ends in /v1.",
        )

    def _without_key(self, reply: str) -> str:
        """What a gateway that quotes its requests may have put into a reply must not get into a file or a commit."""
        if len(self._key) < _SECRET_CHARS:
            return reply
        return reply.replace(self._key, "***").replace(json.dumps(self._key)[1:-1], "***")

    def _said(self, text: str) -> str:
        """Somebody else's words as one line, without the key."""
        text = text.replace(self._key, "***") if self._key else text
        line = " ".join(text.split())
        return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "..."


async def _bound(response: Any) -> None:
    encoding = response.headers.pop("content-encoding", "").strip().lower()
    response.stream = _Bounded(response.stream, response.status_code, encoding)


def _message(fault: openai.APIStatusError) -> str:
    body = fault.body
    message = body.get("message") if isinstance(body, dict) else body
    return message if isinstance(message, str) and message.strip() else fault.message

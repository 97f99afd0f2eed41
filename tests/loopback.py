"""A model server on the loopback interface that speaks OpenAI's Chat Completions, for tests and for the benchmarks.

It answers by script: a list of behaviours, the last of which repeats, or a function of the request. Plain sockets and
one thread for each connection, so that the server's own share of a request stays far below a millisecond.
"""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one request gets. `body` replaces the whole completion; `resets` breaks the connection instead, and `halves`
    in the middle of the body; one that `drips` goes on for as long as somebody listens. What `gzips`
    does so unasked."""

    text: str | None = ""
    finish_reason: str = "stop"
    usage: Mapping[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 5})
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    delay_s: float = 0.0
    resets: bool = False
    halves: bool = False
    drips: bool = False
    gzips: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request as it came. `at_s` is on the monotonic clock."""

    path: str
    headers: Mapping[str, str]
    body: Any
    at_s: float


Script: TypeAlias = Sequence[Answer | str] | Callable[[Received], Answer | str]


class Loopback:
    """`with Loopback(["first reply", Answer(status=500), "third"]) as server:` and then `server.base_url`."""

    def __init__(self, script: Script) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self.hung_up = threading.Event()
        self._script = script
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A close alone does not wake a thread that waits in accept or recv.
        for connection in (self._listener, *self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                self._converse(connection, stream)
        except OSError:
            self.hung_up.set()
        finally:
            with self._lock:
                self._open.discard(connection)

    def _converse(self, connection: socket.socket, stream: BinaryIO) -> None:
        while (request := _read(stream)) and self._reply(connection, request):
            pass

    def _reply(self, connection: socket.socket, request: Received) -> bool:
        answer = self._next(request)
        if answer.delay_s and _hangs_up_within(connection, answer.delay_s):
            self.hung_up.set()
            return False
        if answer.resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        whole = _write(answer, request)
        if answer.drips:
            self._drip(connection, whole)
        connection.sendall(whole[: -len(whole) // 4] if answer.halves else whole)
        return not answer.halves

    def _drip(self, connection: socket.socket, whole: bytes) -> None:
        head, _, _ = whole.partition(b"\r\n\r\n")
        connection.sendall(head.replace(b"content-length", b"transfer-encoding: chunked\r\nx-length") + b"\r\n\r\n")
        while True:  # until nobody is there: an OSError
            connection.sendall(b"1\r\n \r\n")
            time.sleep(0.005)

    def _next(self, request: Received) -> Answer:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        answer = self._script(request) if callable(self._script) else self._script[min(number, len(self._script)) - 1]
        return Answer(text=answer) if isinstance(answer, str) else answer


def completion(answer: Answer, model: str) -> dict[str, Any]:
    """The JSON of a chat completion."""
    message = {"role": "assistant", "content": answer.text}
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason}],
    }
    if answer.usage is not None:
        total = answer.usage.get("prompt_tokens", 0) + answer.usage.get("completion_tokens", 0)
        body["usage"] = {"total_tokens": total, **answer.usage}
    return body


def _hangs_up_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except TimeoutError:
        return False
    finally:
        connection.settimeout(None)


def _read(stream: BinaryIO) -> Received | None:
    first = stream.readline()
    if not first:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Received(
        path=first.split()[1].decode("latin-1"),
        headers=headers,
        body=json.loads(body) if body else None,
        at_s=time.monotonic(),
    )


def _write(answer: Answer, request: Received) -> bytes:
    body = answer.body
    if body is None:
        model = request.body.get("model", "") if isinstance(request.body, dict) else ""
        body = completion(answer, model)
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **answer.headers}
    if answer.gzips:
        content = gzip.compress(content)
        headers["content-encoding"] = "gzip"
    headers = {"content-length": str(len(content)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} Scripted\r\n{lines}\r\n".encode() + content

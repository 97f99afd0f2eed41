"""Every way in which a provider fails, through the real SDK: tried again or told, as it deserves."""

import asyncio
import email.utils
import socket
import ssl
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread

import pytest

from harness.ask.models.backoff import Patience
from harness.ask.models.openai import OpenAI
from harness.ask.proposer import Request
from harness.ask.rendering import Prompt
from harness.contract import Experiment, load
from harness.errors import GivenUp, ProposerError
from harness.records import Parent, Proposal
from loopback import Answer, Loopback
from scratch import ROOT

QUICK = Patience(first_wait_s=0.01)
OVERLOADED = {"error": {"message": "overloaded"}}


@pytest.fixture(scope="module")
def linear() -> Experiment:
    return load(ROOT / "linear")


class Asker:
    """One request to a model, with what it told meanwhile."""

    def __init__(self, experiment: Experiment) -> None:
        self.told: list[str] = []
        self.lost = 0
        prompt = Prompt(text="Write it.", tokens=300, counted_by="estimate", dropped=())
        parent = Parent(ref="seed", source="")
        self.request = Request(
            number=1,
            parent=parent,
            prompt=prompt,
            experiment=experiment,
            trials=(),
            tell=self.told.append,
            lost=self._lose,
        )

    def _lose(self) -> None:
        self.lost += 1

    def __call__(self, base_url: str, patience: Patience = QUICK) -> Proposal:
        async def once() -> Proposal:
            model = OpenAI("gpt-x", base_url=base_url, key="sk-key", patience=patience)
            try:
                return await model.propose(self.request)
            finally:
                await model.close()

        return asyncio.run(once())


@pytest.fixture
def ask(linear: Experiment) -> Asker:
    return Asker(linear)


HEALING = {
    "busy": Answer(status=429),
    "broken": Answer(status=500, body=OVERLOADED),
    "a bad gateway": Answer(status=502, body="<html>bad gateway</html>"),
    "unavailable": Answer(status=503),
    "reset": Answer(resets=True),
    "half a body": Answer(text="x" * 400, halves=True),
    "invalid JSON": Answer(body='{"choices": [{"message": '),
    "an error that came with 200": Answer(body={"error": {"code": 502, "message": "upstream is down"}}),
}


@pytest.mark.parametrize("fault", HEALING.values(), ids=HEALING)
def test_what_may_heal_is_tried_again_and_a_line_says_so(ask: Asker, fault: Answer) -> None:
    with Loopback([fault, fault, "a reply"]) as server:
        assert ask(server.base_url).reply == "a reply"
        assert len(server.requests) == 3
    assert len(ask.told) == 2
    assert all("asking again in 0.0 s" in line for line in ask.told)


@pytest.mark.parametrize(
    ("fault", "tries", "said"),
    [
        (Answer(status=429, body={"error": {"message": "slow down"}}), 7, "429 slow down"),
        (Answer(status=503, body=OVERLOADED), 7, "503 overloaded"),
        (Answer(text="x" * 400, halves=True), 4, "broke off its answer"),
        (Answer(resets=True), 4, "broke off its answer"),
        (Answer(body="{"), 4, "no chat completion"),
        (Answer(status=400, body={"error": {"message": "context length exceeded"}}), 1, "400 context length exceeded"),
    ],
)
def test_what_does_not_heal_is_given_up_after_as_many_tries_as_it_is_worth(
    ask: Asker, fault: Answer, tries: int, said: str
) -> None:
    with Loopback([fault]) as server, pytest.raises(GivenUp, match=said):
        ask(server.base_url, Patience(first_wait_s=0.002))
    assert len(server.requests) == tries


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        (Answer(text="x" * 400, halves=True), 2),
        (Answer(body="{"), 2),
        (Answer(delay_s=20), 1),
        (Answer(status=503), 0),
        (Answer(status=429), 0),
    ],
)
def test_a_reply_that_was_most_likely_billed_and_is_not_there_is_told_to_the_budget(
    ask: Asker, fault: Answer, lost: int
) -> None:
    with Loopback([fault] * max(lost, 1) + ["a reply"]) as server:
        assert ask(server.base_url, Patience(first_wait_s=0.01, answer_s=0.3)).reply == "a reply"
    assert ask.lost == lost


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Answer(status=401, body={"error": {"message": "bad key"}}), "401 bad key"),
        (Answer(status=404, body={"error": {"message": "The model `gpt-x` does not exist"}}), "does not exist"),
        (Answer(status=402, body={"error": {"message": "Insufficient credits"}}), "out of credit: 402"),
        (Answer(body={"error": {"code": 402, "message": "Insufficient credits"}}), "out of credit: 402"),
        (
            Answer(status=429, body={"error": {"message": "Over quota.", "code": "insufficient_quota"}}),
            "out of credit: 429 Over quota",
        ),
    ],
)
def test_what_asking_again_cannot_mend_ends_it_at_once_in_the_providers_words(
    ask: Asker, fault: Answer, said: str
) -> None:
    with Loopback([fault]) as server, pytest.raises(ProposerError, match=said) as caught:
        ask(server.base_url)
    assert (type(caught.value), len(server.requests), ask.told) == (ProposerError, 1, [])


@pytest.mark.parametrize("wish", ["0.2", "a date"])
def test_the_servers_wish_to_wait_is_granted(ask: Asker, wish: str) -> None:
    seconds = 0.2 if wish == "0.2" else 1.0
    value = wish if wish == "0.2" else email.utils.formatdate(time.time() + 1.999, usegmt=True)
    with Loopback([Answer(status=429, headers={"retry-after": value}), "a reply"]) as server:
        ask(server.base_url)
    first, second = server.requests
    assert seconds - 0.1 <= second.at_s - first.at_s < 2.5


def test_a_wish_for_a_day_that_no_calendar_has_is_none(ask: Asker) -> None:
    never = Answer(status=429, headers={"retry-after": "Mon, 01 Jan 99999 00:00:00 GMT"})
    with Loopback([never, "a reply"]) as server:
        ask(server.base_url)
    assert len(server.requests) == 2


def test_a_wish_to_wait_for_an_hour_is_given_up(ask: Asker) -> None:
    with Loopback([Answer(status=429, headers={"retry-after": "3600"})]) as server, pytest.raises(GivenUp):
        ask(server.base_url)
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_told_at_each_wait_and_soon_given_up(ask: Asker) -> None:
    with Loopback([]) as server:
        pass
    with pytest.raises(GivenUp, match="cannot be reached"):
        ask(server.base_url)
    assert len(ask.told) == 2


def test_a_server_that_takes_the_request_and_says_nothing_is_given_up(ask: Asker) -> None:
    with Loopback([Answer(delay_s=20)]) as server, pytest.raises(GivenUp, match="no whole answer within"):
        ask(server.base_url, Patience(first_wait_s=0.01, answer_s=0.15))
    assert len(server.requests) == 2


def test_a_server_that_refuses_the_connection_is_given_up(ask: Asker) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # and never listens
        with pytest.raises(GivenUp, match="cannot be reached"):
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")


def test_a_server_that_does_not_answer_a_connection_is_given_up_and_was_not_billed(ask: Asker) -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # a full queue: the next one's first packet is dropped, as by a firewall
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        began_s = time.monotonic()
        with pytest.raises(GivenUp, match=r"no connection within 0\.2 s"):
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", Patience(first_wait_s=0.01, connect_s=0.2))
    assert (len(ask.told), ask.lost, 0.6 <= time.monotonic() - began_s < 5) == (2, 0, True)


def test_a_reply_that_never_ends_is_given_up_after_the_time_of_an_answer(ask: Asker) -> None:
    with Loopback([Answer(drips=True)]) as server, pytest.raises(GivenUp, match="no whole answer within"):
        ask(server.base_url, Patience(first_wait_s=0.01, answer_s=0.2))
    assert len(server.requests) == 2


def test_a_server_that_does_not_speak_tls_is_told_at_once(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=_answer_plainly, args=(server,), daemon=True).start()
        with pytest.raises(ProposerError, match="cannot be reached safely") as caught:
            ask(f"https://127.0.0.1:{server.getsockname()[1]}/v1")
    assert (type(caught.value), ask.told) == (ProposerError, [])


def test_a_certificate_that_nobody_signed_is_told_at_once_and_nothing_is_sent(ask: Asker) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=_answer_unsigned, args=(server, received), daemon=True)
        thread.start()
        with pytest.raises(ProposerError, match=r"cannot be reached safely: .*certificate verify failed") as caught:
            ask(f"https://127.0.0.1:{server.getsockname()[1]}/v1")
        thread.join(5)
    assert (type(caught.value), ask.told, received) == (ProposerError, [], [])


def _answer_unsigned(server: socket.socket, received: list[bytes]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    connection, _ = server.accept()
    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as safe:
        received.append(safe.recv(4096))


def _answer_plainly(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")


def test_a_reply_of_fifty_megabytes_is_not_taken_in_and_not_asked_for_again(ask: Asker) -> None:
    with Loopback([Answer(text="x" * 50_000_000)]) as server:
        proposal = ask(server.base_url)
    assert (proposal.reply, proposal.finish_reason) == ("", "longer than 8 MiB")
    assert (len(server.requests), proposal.usage.estimated) == (1, True)


def test_fifty_megabytes_packed_into_fifty_kilobytes_are_not_taken_in_either(ask: Asker) -> None:
    with Loopback([Answer(text="x" * 50_000_000, gzips=True)]) as server:
        proposal = ask(server.base_url)
    assert (proposal.reply, proposal.finish_reason) == ("", "longer than 8 MiB")


def test_a_packed_reply_of_usual_size_is_read_though_none_is_asked_for(ask: Asker) -> None:
    with Loopback([Answer(text="x" * 100_000, gzips=True)]) as server:
        assert ask(server.base_url).reply == "x" * 100_000
    assert server.requests[0].headers["accept-encoding"] == "identity"


def test_an_error_page_of_fifty_megabytes_is_told_without_being_taken_in(ask: Asker) -> None:
    page = Answer(status=404, body="x" * 50_000_000)
    with Loopback([page]) as server, pytest.raises(ProposerError, match="404 longer than 8 MiB"):
        ask(server.base_url)


RECORDED = {
    "no choices": (Answer(body={"choices": []}), "none"),
    "cut at the token limit": (Answer(text="half a", finish_reason="length"), "length"),
    "a content filter": (Answer(text=None, finish_reason="content_filter"), "content_filter"),
    "no usage": (Answer(text="a reply", usage=None), "stop"),
}


@pytest.mark.parametrize(("answer", "reason"), RECORDED.values(), ids=RECORDED)
def test_an_answer_of_little_use_was_paid_for_and_is_recorded(ask: Asker, answer: Answer, reason: str) -> None:
    with Loopback([answer]) as server:
        assert ask(server.base_url).finish_reason == reason
    assert len(server.requests) == 1


def test_many_requests_that_wait_for_the_same_reason_are_one_line(linear: Experiment) -> None:
    asker = Asker(linear)

    async def three(base_url: str) -> None:
        model = OpenAI("gpt-x", base_url=base_url, key=None, patience=Patience(first_wait_s=0.5))
        await asyncio.gather(*(model.propose(asker.request) for _ in range(3)))
        await model.close()

    with Loopback([Answer(status=503)] * 3 + [Answer(text="a reply")]) as server:
        asyncio.run(three(server.base_url))
        assert len(server.requests) == 6
    assert len(asker.told) == 1

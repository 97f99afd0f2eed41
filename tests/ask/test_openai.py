import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.ask.models.backoff import Patience
from harness.ask.models.openai import OpenAI
from harness.ask.proposer import Request
from harness.ask.rendering import Prompt
from harness.contract import Experiment
from harness.errors import ProposerError
from harness.records import Parent, Proposal, Usage
from loopback import Answer, Loopback, Received

SECRET = "sk-" + "very-secret-0123456789" * 2


@pytest.fixture
def request_one(linear: Experiment) -> Request:
    prompt = Prompt(text="Write it.", tokens=300, counted_by="estimate", dropped=())
    return Request(number=7, parent=Parent(ref="3", source=""), prompt=prompt, experiment=linear, trials=())


def ask(server: Loopback, request: Request, **options: Any) -> Proposal:
    options = {"patience": Patience(first_wait_s=0.01), **options}

    async def once() -> Proposal:
        model = OpenAI("gpt-x", base_url=server.base_url, key=SECRET, **options)
        try:
            return await model.propose(request)
        finally:
            await model.close()

    return asyncio.run(once())


def refusal(answer: Answer, request: Request, retries: int = 0) -> ProposerError:
    with Loopback([answer]) as server, pytest.raises(ProposerError) as caught:
        ask(server, request, patience=Patience(retries=retries))
    return caught.value


def test_an_answer_becomes_a_proposal(request_one: Request) -> None:
    with Loopback(["a reply"]) as server:
        proposal = ask(server, request_one)
    assert (proposal.number, proposal.parent, proposal.model) == (7, "3", "gpt-x")
    assert (proposal.reply, proposal.finish_reason, proposal.seconds > 0) == ("a reply", "stop", True)


def test_the_prompt_is_sent_through_chat_completions_with_the_key(request_one: Request) -> None:
    with Loopback(["a reply"]) as server:
        ask(server, request_one)
    received = server.requests[0]
    assert received.path == "/v1/chat/completions"
    assert received.headers["authorization"] == f"Bearer {SECRET}"
    assert received.body == {"model": "gpt-x", "messages": [{"role": "user", "content": "Write it."}]}


def test_an_answer_is_kept_with_who_was_asked_and_all_that_came_beside_the_reply(request_one: Request) -> None:
    message = {"role": "assistant", "content": "a reply", "reasoning": f"I saw {SECRET}", "refusal": None}
    body = {"id": "c-1", "system_fingerprint": "fp", "choices": [{"message": message, "finish_reason": "stop"}]}
    with Loopback([Answer(status=503), Answer(body=body)]) as server:
        proposal = ask(server, request_one, temperature=0.5, seed=5)
    asked_for = {"base_url": server.base_url, "model": "gpt-x", "temperature": 0.5, "seed": 5}
    assert json.loads(proposal.request) == asked_for
    del message["content"]
    message["reasoning"] = "I saw ***"
    assert json.loads(proposal.answer) == body
    assert len(proposal.failures) == 1 and "503" in proposal.failures[0]


def test_of_a_very_long_answer_the_beginning_is_kept(request_one: Request) -> None:
    with Loopback([Answer(body={"choices": [], "thoughts": "x" * 1_000_000})]) as server:
        proposal = ask(server, request_one)
    assert len(proposal.answer) == 1 << 18


def test_a_key_in_the_url_is_neither_shown_nor_kept(request_one: Request) -> None:
    async def once(base_url: str) -> str:
        model = OpenAI("llama", base_url=base_url, key=None)
        try:
            return model.line + (await model.propose(request_one)).request
        finally:
            await model.close()

    with Loopback(["a reply"]) as server:
        url = server.base_url.replace("127", f"me:{SECRET}@127") + f"?key={SECRET}"
        assert SECRET not in asyncio.run(once(url))


def test_temperature_and_seed_are_sent_where_they_are_given(request_one: Request) -> None:
    with Loopback(["a reply"]) as server:
        ask(server, request_one, temperature=0.0, seed=5)
    assert (server.requests[0].body["temperature"], server.requests[0].body["seed"]) == (0.0, 5)


def test_without_a_key_the_word_none_is_sent(request_one: Request) -> None:
    async def once(base_url: str) -> None:
        await OpenAI("llama", base_url=base_url, key=None).propose(request_one)

    with Loopback(["a reply"]) as server:
        asyncio.run(once(server.base_url))
    assert server.requests[0].headers["authorization"] == "Bearer none"


def test_cached_and_reasoning_tokens_are_counted_and_the_cost_is_left_open(request_one: Request) -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 20},
    }
    with Loopback([Answer(text="x", usage=usage)]) as server:
        proposal = ask(server, request_one)
    expected = Usage(prompt_tokens=100, completion_tokens=50, cached_tokens=64, reasoning_tokens=20, cost_usd=None)
    assert proposal.usage == expected


def test_an_answer_without_usage_is_estimated_and_says_so(request_one: Request) -> None:
    with Loopback([Answer(text="x" * 30, usage=None)]) as server:
        proposal = ask(server, request_one)
    assert proposal.usage == Usage(prompt_tokens=300, completion_tokens=10, cost_usd=None, estimated=True)


@pytest.mark.parametrize("usage", [{}, {"tokens": 9}, {"prompt_tokens": 0, "completion_tokens": 0}, [], "many"])
def test_a_usage_block_that_says_nothing_is_estimated_and_says_so(request_one: Request, usage: object) -> None:
    body = {"choices": [{"message": {"content": "x" * 30}, "finish_reason": "stop"}], "usage": usage}
    with Loopback([Answer(body=body)]) as server:
        proposal = ask(server, request_one)
    assert proposal.usage == Usage(prompt_tokens=300, completion_tokens=10, cost_usd=None, estimated=True)


def test_tokens_are_counted_by_their_other_names_too(request_one: Request) -> None:
    with Loopback([Answer(text="x", usage={"input_tokens": 100, "output_tokens": 50})]) as server:
        proposal = ask(server, request_one)
    assert proposal.usage == Usage(prompt_tokens=100, completion_tokens=50, cost_usd=None)


@pytest.mark.parametrize(("counted", "notes"), [(4096, 1), (14_000, 0), (10, 0)])
def test_a_server_that_seems_to_have_cut_the_prompt_is_doubted_once(
    request_one: Request, counted: int, notes: int
) -> None:
    said: list[str] = []
    long = replace(request_one, prompt=replace(request_one.prompt, tokens=15_000), tell=said.append)
    usage = {"prompt_tokens": counted, "completion_tokens": 5}

    async def twice(url: str) -> None:
        model = OpenAI("gpt-x", base_url=url, key=SECRET)
        for _ in range(2):
            await model.propose(long)
        await model.close()

    with Loopback([Answer(text="x", usage=usage)]) as server:
        asyncio.run(twice(server.base_url))
    assert [f"counts {counted} tokens of a prompt of about 15000" in one for one in said] == [True] * notes


@pytest.mark.parametrize("tokens", [None, -1, "7", 1.5])
def test_a_count_that_is_no_count_is_estimated(request_one: Request, tokens: object) -> None:
    body = {"choices": [], "usage": {"prompt_tokens": tokens, "completion_tokens": 3}}
    with Loopback([Answer(body=body)]) as server:
        proposal = ask(server, request_one)
    assert proposal.usage == Usage(prompt_tokens=300, completion_tokens=3, cost_usd=None, estimated=True)


@pytest.mark.parametrize("body", [{"choices": []}, {"choices": None}, {}, {"choices": [{"message": None}]}])
def test_an_answer_without_choices_is_an_empty_reply(request_one: Request, body: object) -> None:
    with Loopback([Answer(body=body)]) as server:
        proposal = ask(server, request_one)
    assert (proposal.reply, proposal.finish_reason) == ("", "none")


def test_a_refusal_without_content_keeps_its_finish_reason(request_one: Request) -> None:
    with Loopback([Answer(text=None, finish_reason="content_filter")]) as server:
        proposal = ask(server, request_one)
    assert (proposal.reply, proposal.finish_reason) == ("", "content_filter")


def test_a_busy_server_is_asked_again_after_the_time_it_named(request_one: Request) -> None:
    with Loopback([Answer(status=429, headers={"retry-after": "0.3"}), "a reply"]) as server:
        assert ask(server, request_one).reply == "a reply"
    first, second = server.requests
    assert 0.3 <= second.at_s - first.at_s < 0.9


@pytest.mark.parametrize("fault", [Answer(status=500), Answer(status=503), Answer(resets=True)])
def test_a_fault_that_may_heal_is_tried_again(request_one: Request, fault: Answer) -> None:
    with Loopback([fault, "a reply"]) as server:
        assert ask(server, request_one).reply == "a reply"


def test_a_fault_that_stays_is_told_after_the_last_try(request_one: Request) -> None:
    overloaded = Answer(status=500, body={"error": {"message": "overloaded"}})
    with Loopback([overloaded]) as server, pytest.raises(ProposerError, match="500 overloaded"):
        ask(server, request_one, patience=Patience(retries=1, first_wait_s=0.01))
    assert len(server.requests) == 2


def test_an_empty_account_is_not_asked_again(request_one: Request) -> None:
    body = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}
    empty = Answer(status=429, body=body)
    with Loopback([empty]) as server, pytest.raises(ProposerError, match="429 You exceeded your quota"):
        ask(server, request_one)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "hint"), [(400, "--model"), (401, "OPENAI_API_KEY"), (403, "--model"), (404, "--base-url")]
)
def test_a_fault_that_will_not_heal_is_told_in_the_providers_words_with_a_way_out(
    request_one: Request, status: int, hint: str
) -> None:
    refused = Answer(status=status, body={"error": {"message": "No,\nnot so."}})
    with Loopback([refused]) as server, pytest.raises(ProposerError) as caught:
        ask(server, request_one)
    assert caught.value.message == f"gpt-x at {server.base_url}: {status} No, not so."
    assert hint in caught.value.hint
    assert len(server.requests) == 1


ECHOES: list[Callable[[Received], Answer]] = [
    lambda got: Answer(status=401, body={"error": {"message": f"bad key {got.headers['authorization']}"}}),
    lambda got: Answer(status=404, body="x" * 290 + got.headers["authorization"]),
    lambda got: Answer(body=f"<html>{got.headers['authorization']}", headers={"content-type": "text/html"}),
]


@pytest.mark.parametrize("echo", ECHOES, ids=["in the message", "at the cut", "in a page"])
def test_a_server_that_echoes_the_key_does_not_get_it_onto_the_screen(
    request_one: Request, echo: Callable[[Received], Answer]
) -> None:
    with Loopback(echo) as server, pytest.raises(ProposerError) as caught:
        ask(server, request_one)
    assert SECRET[:12] not in caught.value.message + caught.value.hint


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    with pytest.raises(ProposerError) as caught:
        OpenAI("m", base_url="http://localhost/v1", key="sk-sécret")
    assert "cret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(("key", "reply"), [(SECRET, "int ***;"), ("none", "int none;")])
def test_a_reply_that_quotes_the_key_loses_it_unless_the_key_is_a_mere_word(
    request_one: Request, key: str, reply: str
) -> None:
    async def once(base_url: str) -> Proposal:
        return await OpenAI("m", base_url=base_url, key=key).propose(request_one)

    with Loopback([f"int {key};"]) as server:
        assert asyncio.run(once(server.base_url)).reply == reply


def test_a_line_end_after_the_key_does_no_harm(request_one: Request) -> None:
    async def once(base_url: str) -> None:
        await OpenAI("m", base_url=base_url, key=SECRET + "\n").propose(request_one)

    with Loopback(["a reply"]) as server:
        asyncio.run(once(server.base_url))
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("body", ["<html>hello</html>", [1, 2], '"text"'])
def test_a_page_that_is_no_completion_is_told_with_the_address(request_one: Request, body: object) -> None:
    is_page = isinstance(body, str) and body.startswith("<")
    answer = Answer(body=body, headers={"content-type": "text/html" if is_page else "application/json"})
    fault = refusal(answer, request_one)
    assert "answered with no chat completion" in fault.message
    assert "/v1" in fault.hint


def test_a_torn_json_is_told(request_one: Request) -> None:
    assert "no chat completion" in refusal(Answer(body='{"choices": ['), request_one).message


def test_a_server_that_is_not_there_is_told_after_the_last_try(request_one: Request) -> None:
    with Loopback(["unused"]) as server:
        pass
    with pytest.raises(ProposerError, match="cannot be reached") as caught:
        ask(server, request_one, patience=Patience(retries=1, first_wait_s=0.01))
    assert "Is the server running" in caught.value.hint


def test_a_request_that_is_cancelled_hangs_up_at_once(request_one: Request) -> None:
    async def cancel(server: Loopback) -> float:
        model = OpenAI("m", base_url=server.base_url, key=SECRET)
        task = asyncio.create_task(model.propose(request_one))
        while not server.requests:
            await asyncio.sleep(0.005)
        began_s = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await model.close()
        return time.monotonic() - began_s

    with Loopback([Answer(text="late", delay_s=30)]) as server:
        took_s = asyncio.run(cancel(server))
        assert server.hung_up.wait(2)
    assert took_s < 0.5


def test_one_connection_serves_all_requests_of_a_run(request_one: Request) -> None:
    async def thrice(base_url: str) -> None:
        model = OpenAI("m", base_url=base_url, key=SECRET)
        for _ in range(3):
            await model.propose(request_one)
        await model.close()

    with Loopback(["a reply"]) as server:
        asyncio.run(thrice(server.base_url))
    assert (len(server.requests), server.connections) == (3, 1)

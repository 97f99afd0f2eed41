"""Replies in Python: one function, whole or as edits, or the reason why there is none."""

import re

import pytest

from harness import contract
from harness.ask.reply import Unreadable, read_reply
from harness.records import Candidate

HELLO = contract.load(contract.ROOT / "hello_world")
SEED = HELLO.seed_path.read_text()
FASTER = (
    "import torch\nfrom torch import Tensor\n\n\ndef hello_world(x: Tensor, weight: Tensor) -> Tensor:\n"
    "    return torch.matmul(x, weight.sum(0, keepdim=True).T) * 0.75\n"
)


def read(reply: str, finish_reason: str = "stop") -> Candidate | Unreadable:
    return read_reply(reply, finish_reason, HELLO, SEED)


@pytest.mark.parametrize("reply", [f"So:\n\n```python\n{FASTER}```\n", f"```\n{FASTER}```", f"Here it is.\n\n{FASTER}"])
def test_a_function_is_taken_from_an_answer(reply: str) -> None:
    found = read(reply)
    assert isinstance(found, Candidate) and found.source == FASTER
    assert found.tags == ("products by matmul",)


def test_edits_change_the_parent() -> None:
    found = read("<<<<<<< SEARCH\n    halved = product / 2\n=======\n    halved = product * 0.5\n>>>>>>> REPLACE\n")
    assert isinstance(found, Candidate) and "product * 0.5" in found.source


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I would rather not.", "no function hello_world"),
        (f"```python\n{FASTER.replace('hello_world', 'other')}```", "the nearest is other"),
        (f"```python\n{FASTER.replace('weight: Tensor', 'weight: int')}```", "another signature"),
        (f"```python\n{FASTER.replace('0.75', '(0.75')}```", "torn: line 6: '(' was never closed"),
        (f"```python\n{FASTER}```\n```python\n{SEED.replace('1.5', '2.5')}```", "two answers"),
        (f"```python\n{FASTER}\n\n{FASTER}```", "defined twice"),
        ("```python\n" + "#" * 20_000 + f"\n{FASTER}```", "bytes, more than"),
    ],
)
def test_what_is_no_answer_says_why(reply: str, reason: str) -> None:
    found = read(reply)
    assert isinstance(found, Unreadable) and reason in found.reason, found


LONG = {
    "a long sum": FASTER.replace("0.75", "+".join(["0.001"] * 750)),
    "a long chain": FASTER.replace("0.75", "0.75" + ".abs()" * 300),
    "a sum of minus signs": FASTER.replace("0.75", "-" * 900 + "0.75"),
    "a long default": FASTER.replace("weight: Tensor", f"weight: Tensor = {'+'.join(['1'] * 900)}"),
}


@pytest.mark.parametrize("what", LONG)
def test_an_expression_longer_than_python_can_write_is_read(what: str) -> None:
    assert isinstance(read(f"```python\n{LONG[what]}```"), Candidate)


@pytest.mark.parametrize("terms", [900, 7000])
def test_one_that_cannot_be_read_is_refused(terms: int) -> None:
    found = read(f"```python\n{FASTER.replace('-> Tensor', '-> ' + '+'.join(['T'] * terms))}```")
    assert isinstance(found, Unreadable) and re.search("another signature|torn", found.reason), found


def test_an_answer_that_was_cut_is_not_taken() -> None:
    assert read(f"```python\n{FASTER}", "length") == Unreadable(
        reason="the reply is truncated: it stopped at the limit of tokens"
    )

"""Replies in Python: one function, whole or as edits, or the reason why there is none."""

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


def test_an_answer_that_was_cut_is_not_taken() -> None:
    assert read(f"```python\n{FASTER}", "length") == Unreadable(
        reason="the reply is truncated: it stopped at the limit of tokens"
    )

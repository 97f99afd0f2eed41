"""The key goes to the endpoint and nowhere else, even where the endpoint says it back in every way it can."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import scratch
from loopback import Answer, Loopback, Received
from scratch import Done, fenced, loop

KEY = "sk-" + "nobody-must-read-this-0123456789"


@dataclass(frozen=True, slots=True)
class Ran:
    repository: Path
    done: Done
    sent: list[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A busy server, a winner and a refusal, each quoting the request's header."""
    repository = tmp_path_factory.mktemp("repository")
    experiment = scratch.write_total(repository / "total")
    scratch.make_repository(repository)
    quoting = scratch.FASTER.replace("    int i = 0;", f"    int i = 0; /* {KEY} */")
    refusal = {"error": {"message": f"no more for Bearer {KEY}"}}
    script = [
        Answer(status=429, headers={"retry-after": "0.01"}, body=refusal),
        f"Your key is {KEY}.\n" + fenced(quoting),
        Answer(status=401, body=refusal),
    ]
    with Loopback(script) as server:
        model = ("--model", "m", "--base-url", server.base_url)
        done = loop(experiment, "--json", "--loop", "2", *model, env=scratch.environment(OPENAI_API_KEY=KEY))
        return Ran(repository, done, [_authorization(request) for request in server.requests])


def _authorization(request: Received) -> str:
    return request.headers["authorization"]


def test_the_endpoint_is_sent_the_key(ran: Ran) -> None:
    assert ran.sent == [f"Bearer {KEY}"] * 3


def test_nothing_on_the_screen_holds_it(ran: Ran) -> None:
    assert ran.done.statuses == ["best"], ran.done.err
    assert "no more for Bearer ***" in ran.done.err and "no more for Bearer ***" in ran.done.out
    assert KEY not in ran.done.out + ran.done.err


def test_no_file_holds_it(ran: Ran) -> None:
    files = [path for path in ran.repository.rglob("*") if path.is_file()]
    assert any(path.name == "journal.jsonl" for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


def test_no_commit_holds_it(ran: Ran) -> None:
    command = ["git", "cat-file", "--batch-all-objects", "--batch"]
    objects = subprocess.run(command, cwd=ran.repository, capture_output=True, check=True).stdout
    assert b"int i = 0; /* *** */" in objects
    assert KEY.encode() not in objects

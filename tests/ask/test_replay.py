import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.ask.models.replay import Replay
from harness.ask.proposer import Exhausted, Request
from harness.ask.rendering import Prompt
from harness.contract import Experiment
from harness.errors import ProposerError
from harness.records import Parent, Proposal, Usage


def requested(experiment: Experiment, number: int = 1, answered: Mapping[str, int] | None = None) -> Request:
    prompt = Prompt(text="", tokens=0, counted_by="estimate", dropped=())
    parent = Parent(ref="seed", source="")
    return Request(
        number=number, parent=parent, prompt=prompt, experiment=experiment, trials=(), answered=answered or {}
    )


def replies(folder: Path, experiment: Experiment, count: int, number: int = 1) -> list[str]:
    async def once() -> list[str]:
        replay = Replay(folder)
        return [(await replay.propose(requested(experiment, number + n))).reply for n in range(count)]

    return asyncio.run(once())


def asked(folder: Path, experiment: Experiment, answered: Mapping[str, int] | None = None) -> Proposal:
    return asyncio.run(Replay(folder).propose(requested(experiment, answered=answered)))


def test_replies_are_taken_in_the_order_of_their_names(linear: Experiment, tmp_path: Path) -> None:
    for name, text in (("b.md", "second"), ("a.txt", "first"), ("c.md", "third"), ("notes.c", "none")):
        (tmp_path / name).write_text(text)
    assert replies(tmp_path, linear, 3) == ["first", "second", "third"]


def test_a_search_of_many_attempts_begins_with_the_first_reply(linear: Experiment, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(name)
    assert replies(tmp_path, linear, 2, number=301) == ["a.md", "b.md"]


def test_a_search_that_had_replies_of_the_folder_goes_on_behind_them(linear: Experiment, tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(name)
    first = asked(tmp_path, linear)
    assert asked(tmp_path, linear, {first.request: 1, "of another folder": 5}).reply == "b.md"


def test_a_runs_folder_is_replayed_in_the_order_of_its_numbers(linear: Experiment, tmp_path: Path) -> None:
    for name in ("9999", "10000", "0002"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "reply.md").write_text(name)
    (tmp_path / "journal.md").write_text("no reply")
    assert replies(tmp_path, linear, 3) == ["0002", "9999", "10000"]


def test_after_the_last_reply_the_replay_is_exhausted(linear: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("only")
    with pytest.raises(Exhausted, match="all 1 recorded replies"):
        replies(tmp_path, linear, 2)


def test_a_replay_costs_nothing_and_is_named_so(linear: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("only")
    proposal = asked(tmp_path, linear)
    assert (proposal.usage, proposal.model, proposal.parent) == (Usage(), "replay", "seed")


def test_a_reply_that_is_no_utf8_is_still_replayed(linear: Experiment, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"caf\xe9")
    assert asked(tmp_path, linear).reply == "caf\ufffd"


@pytest.mark.parametrize("name", ["missing", "empty", "file.md"])
def test_a_folder_without_replies_is_refused_with_what_it_should_hold(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.md").write_text("no folder")
    with pytest.raises(ProposerError) as caught:
        Replay(tmp_path / name)
    assert (name in caught.value.message, "reply.md" in caught.value.hint) == (True, True)

"""Who answers: what a proposer is asked, what it must offer, and which one a run's options choose.

Knows no endpoint, no search space and no folder of replies: those are the three classes under `models`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from harness.ask.rendering import Prompt
from harness.contract import Experiment
from harness.errors import ProposerError
from harness.records import Choices, Parent, Proposal, Trial

BUILTIN = "builtin"
REPLAY = "replay:"
KEY = "OPENAI_API_KEY"
BASE_URL = "OPENAI_BASE_URL"
_HOW_TO_NAME_ONE = f"--model NAME with {KEY} set, or --model NAME --base-url URL"


class Exhausted(Exception):
    """The proposer has nothing more to propose: the search ends, and nothing is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question. `number` is the attempt's if replies come in the order of their requests. For a proposer that
    learns: `trials`, the points of the search space tried so far, and `untold`, those that have no verdict yet;
    `champion` and `best_on`, what is best over all and on each case; `known`, the digests of all sources
    seen; `answered`, how many replies the search has to each `Proposal.request`. `tell` is for whom it may concern that
    an answer takes longer, `lost` that one was billed, most likely, and is not there. `pause` waits so many seconds
    before the request is sent again; `Exhausted` where the run's limits leave no room for that."""

    number: int
    parent: Parent
    prompt: Prompt
    experiment: Experiment
    trials: Sequence[Trial]
    untold: Sequence[Choices] = ()
    champion: Parent | None = None
    best_on: Mapping[str, Parent] = field(default_factory=dict)
    known: Container[str] = ()
    answered: Mapping[str, int] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda line: None
    lost: Callable[[], None] = lambda: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep


class Proposer(Protocol):
    """`name` is recorded with every proposal; `line` is the first line on the screen: who answers."""

    name: str
    line: str

    async def propose(self, request: Request) -> Proposal:
        """One answer. `Exhausted` where there is none left, ProposerError where asking again is of no use, GivenUp
        where another request may do better."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line says about who answers."""

    model: str | None = None
    base_url: str | None = None
    temperature: float | None = None
    seed: int | None = None


# The classes are imported where they are chosen: a run pays for one of openai (half a second) and optuna, never both.
def choose(experiment: Experiment, choice: Choice, environ: Mapping[str, str]) -> Proposer:
    """The proposer that the options and the environment ask for; without a model, the built-in one."""
    model = choice.model
    if model is None or model == BUILTIN:
        _refuse_idle(choice)
        return _builtin(experiment, choice, environ)
    if model.startswith(REPLAY):
        from harness.ask.models.replay import Replay

        _refuse_idle(choice)
        folder = model.removeprefix(REPLAY)
        if not folder:
            raise ProposerError("--model replay: names no folder.", "replay:FOLDER answers with the replies in it.")
        return Replay(Path(folder))
    if not model.strip():
        raise ProposerError("--model is empty.", f"Name one: {_HOW_TO_NAME_ONE}; or leave --model out.")
    base_url, named_by = choice.base_url, "--base-url"
    if base_url is None:
        base_url, named_by = environ.get(BASE_URL) or None, BASE_URL
    if not environ.get(KEY) and base_url is None:
        raise ProposerError(
            f"The model {model} needs a key, and {KEY} is not set.",
            f"Set {KEY}, or give --base-url URL for a local server; without --model the built-in proposer answers.",
        )
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise ProposerError(f"{named_by} is {base_url}, must begin with http:// or https://.", "Mend or remove it.")
    from harness.ask.models.openai import OpenAI

    return OpenAI(model, base_url=base_url, key=environ.get(KEY), temperature=choice.temperature, seed=choice.seed)


def _refuse_idle(choice: Choice) -> None:
    """What is said to a model, where none is asked, is a mistake."""
    answers = f"{choice.model} answers" if choice.model else "no model is named"
    for option, value in (("--base-url", choice.base_url), ("--temperature", choice.temperature)):
        if value is not None:
            raise ProposerError(f"{option} is {value}, but {answers}.", "Name the model that it is for: --model NAME.")


def _builtin(experiment: Experiment, choice: Choice, environ: Mapping[str, str]) -> Proposer:
    if experiment.space is None:
        named = "The built-in proposer is asked for" if choice.model else "No model is named"
        raise ProposerError(f"{named}, and {experiment.name} has no space.py.", f"Name a model: {_HOW_TO_NAME_ONE}.")
    if experiment.edit == "diff":
        raise ProposerError(
            f"The built-in proposer gives whole functions, and {experiment.name} takes edits only.",
            f"Name a model: {_HOW_TO_NAME_ONE}; or set `edit` to `either` in its experiment.json.",
        )
    from harness.ask.models.builtin import Builtin

    proposer = Builtin(experiment, seed=choice.seed)
    if choice.model is None:
        key = f"{KEY} is set, but no model is named" if environ.get(KEY) else "no model is named and no key found"
        proposer.line = f"the built-in proposer answers: {key}. To ask a model: {_HOW_TO_NAME_ONE}"
    return proposer

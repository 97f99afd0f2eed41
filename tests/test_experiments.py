"""One contract test for every experiment that can be named: it loads, its seed passes its own judge, broken code does
not, and what it tells a model is whole."""

import asyncio
import importlib.util
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, product

import numpy as np
import pytest

from brief import brief
from harness import catalog, contract
from harness.ask.prompt import Context
from harness.ask.proposer import BUILTIN, Choice, Request, choose
from harness.ask.rendering import render
from harness.ask.reply import Unreadable, read_reply
from harness.ask.tokens import TokenCounter
from harness.contract import CPU, Case, Experiment
from harness.judge import cuda, cuda_gate, device, gate, python_gate
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.opening import open_judge
from harness.records import SEED, Parent, Status

NAMES = catalog.names()
# What a slip of the pen does to code: each is tried on every place where it can be, until the judge has said no.
SLIPS = {
    "c": ((r" \+= ", " -= "), (r" \* ", " + "), (r" < ", " <= "), (r"\+\+", "--"), (r" \+ ", " - "), (r"= 0\b", "= 1")),
    "python": (
        (r" / ", " * "),
        (r" \* ", " + "),
        (r"dim=1", "dim=0"),
        (r"\.T\b", ""),
        (r", keepdim=True", ""),
        (r" -= ", " += "),
        (r" > ", " < "),
        (r"= 0\b", "= 1"),
    ),
    "cuda": ((r"<<<", "<<"), (r"const int rows", "rows"), (r"float \*out", "double *out")),
}
INSPECT = {"c": gate.inspect, "python": python_gate.inspect, "cuda": cuda_gate.inspect}
FOUND_OUT = {Status.WRONG, Status.CRASHED, Status.TIMED_OUT}
MUTANTS = 3
POINTS = 8
LONG = "Notes of a long search. " * 20_000


@cache
def _experiment(name: str) -> Experiment:
    return contract.load(catalog.locate(name))


@cache
def _judge(name: str) -> Judge:
    """Opening it builds, validates and times the seed, on one case. A mutant that never ends is not waited for long."""
    experiment = _experiment(name)
    if experiment.language == "cuda" and cuda.find_nvcc() is None:
        pytest.skip(f"{name} needs nvcc, of the CUDA toolkit")
    if experiment.language == "python":
        for module in experiment.flags:
            if importlib.util.find_spec(module.partition(".")[0]) is None:
                where = experiment.folder.relative_to(contract.ROOT)
                pytest.skip(f"{name} needs {module}: pip install -r {where}/requirements.txt")
    timeout_s = 1 if device.called_on(experiment) == CPU else 30  # a first call on a device may compile it
    return open_judge(brief(experiment, experiment.evaluation.cases[0].name, timeout_s=timeout_s), Stop())


def _seed(experiment: Experiment) -> str:
    return experiment.seed_path.read_text(encoding="utf-8")


def _mutants(experiment: Experiment) -> Iterator[str]:
    source = _seed(experiment)
    code = source.index(f"{experiment.target}(")
    for wrong, right in SLIPS[experiment.language]:
        for place in re.compile(wrong).finditer(source, code):
            yield source[: place.start()] + right + source[place.end() :]


def _context(experiment: Experiment, memory: str = "") -> Context:
    return Context(
        experiment=experiment,
        number=1,
        parent=Parent(ref=SEED, source=_seed(experiment)),
        memory=memory,
        machine={"cpu": "any"},
    )


def test_there_are_experiments_to_check() -> None:
    assert "linear" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_passes_its_own_judge(name: str) -> None:
    assert _judge(name).seed == _seed(_experiment(name))  # else opening it is an error


@pytest.mark.parametrize("name", NAMES)
def test_data_that_a_check_names_is_other_than_what_nobody_names(name: str) -> None:
    evaluation = _experiment(name).evaluation

    def drawn(case: Case) -> Sequence[bytes | None]:
        arrays = evaluation.inputs(case, np.random.default_rng(1)).values()
        return [None if array is None else array.tobytes() for array in arrays]

    named = [case for case in evaluation.checks if case.data != "normal"]
    assert [case for case in named if drawn(case) == drawn(Case(case.name, **case.dims))] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_of_the_pen_fails(name: str) -> None:
    mutants = list(_mutants(_experiment(name)))
    faults = (_judge(name).prepare(mutant).fault for mutant in mutants[:: max(1, len(mutants) // MUTANTS)])
    found = next((fault for fault in faults if fault), None)
    assert found, "no mutant was found out"
    is_called = _judge(name).kind.is_runnable  # without a device, only what does not build or may not be
    assert found.status in (FOUND_OUT if is_called else {Status.BUILD_FAILED, Status.FORBIDDEN})


@pytest.mark.parametrize("name", NAMES)
def test_the_task_names_the_signature(name: str) -> None:
    experiment = _experiment(name)
    assert experiment.signature in " ".join(experiment.task.split())


@pytest.mark.parametrize("name", NAMES)
def test_the_prompt_holds_task_and_parent_and_drops_nothing_while_there_is_room(name: str) -> None:
    experiment = _experiment(name)
    prompt = render(experiment, _context(experiment), TokenCounter())
    assert prompt.dropped == ()
    assert experiment.signature in prompt.text and _seed(experiment).strip() in prompt.text


@pytest.mark.parametrize("name", NAMES)
def test_the_prompt_keeps_to_its_budget_whatever_is_remembered(name: str) -> None:
    experiment = _experiment(name)
    prompt = render(experiment, _context(experiment, memory=LONG), TokenCounter())
    assert prompt.tokens <= experiment.limits.prompt_tokens
    assert "MEMORY" in prompt.dropped


@pytest.mark.parametrize("name", NAMES)
def test_the_candidate_s_file_ends_as_the_seed_s_does(name: str) -> None:
    experiment = _experiment(name)
    assert experiment.candidate_path.suffix == experiment.seed_path.suffix


@pytest.mark.parametrize("name", [name for name in NAMES if _experiment(name).space])
def test_points_of_the_space_are_read_and_pass_the_gate(name: str) -> None:
    experiment = _experiment(name)
    assert experiment.space is not None
    choices, valid = experiment.space.CHOICES, getattr(experiment.space, "valid", lambda choices: True)
    points = (dict(zip(choices, point, strict=True)) for point in product(*choices.values()))
    allowed = [point for point in islice(points, 200_000) if valid(point)]
    for point in allowed[:: max(1, len(allowed) // POINTS)]:
        source = experiment.space.render(point)
        answer = read_reply(f"```{experiment.language}\n{source}\n```\n", "stop", experiment, _seed(experiment))
        assert not isinstance(answer, Unreadable), (point, answer)
        assert INSPECT[experiment.language](answer.source, experiment) == (), point


@pytest.mark.parametrize("name", [name for name in NAMES if _experiment(name).space])
def test_the_builtin_proposer_has_an_answer(name: str) -> None:
    experiment = _experiment(name)
    proposer = choose(experiment, Choice(model=BUILTIN, seed=1), os.environ)
    parent = Parent(ref=SEED, source=_seed(experiment))
    prompt = render(experiment, _context(experiment), TokenCounter())
    request = Request(number=1, parent=parent, prompt=prompt, experiment=experiment, trials=())
    proposal = asyncio.run(proposer.propose(request))
    assert not isinstance(read_reply(proposal.reply, "stop", experiment, parent.source), Unreadable)

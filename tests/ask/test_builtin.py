"""The built-in proposer over real spaces: linear's own, and tiny ones in a copy of its folder. Nothing is timed."""

import asyncio
import random
import shutil
import statistics
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from harness import catalog, contract
from harness.ask.models.builtin import Builtin
from harness.ask.proposer import Exhausted, Request
from harness.ask.rendering import Prompt
from harness.ask.reply import read_reply
from harness.contract import Experiment
from harness.errors import ProposerError
from harness.judge.machine import cpu_info
from harness.points import is_crossing
from harness.records import Candidate, Choices, Parent, Proposal, Status, Trial

SEARCHED = 3  # the seed of the one long search
TINY = 'CHOICES = {"a": (1, 2, 4), "b": ("x", "y")}\ndef render(choices): return f"{choices}\\n"\n'


@pytest.fixture(scope="module")
def linear() -> Experiment:
    return contract.load(catalog.locate("linear"))


@pytest.fixture
def with_space(tmp_path: Path) -> Callable[[str], Experiment]:
    """The experiment `linear` with another search space."""

    def load(source: str) -> Experiment:
        folder = tmp_path / "linear"
        ignored = shutil.ignore_patterns("runs", "winners", "__pycache__")
        shutil.copytree(catalog.locate("linear"), folder, ignore=ignored)
        (folder / "space.py").write_text(source, encoding="utf-8")
        return contract.load(folder)

    return load


def ask(
    builtin: Builtin, experiment: Experiment, number: int, trials: Sequence[Trial] = (), parent: str = "seed"
) -> Proposal:
    request = Request(
        number=number,
        parent=Parent(ref=parent, source="parent"),
        prompt=Prompt(text="", tokens=0, counted_by="", dropped=()),
        experiment=experiment,
        trials=trials,
    )
    return asyncio.run(builtin.propose(request))


def choices_of(proposal: Proposal) -> Choices:
    assert proposal.choices is not None
    return proposal.choices


def landscape(choices: Choices) -> float:
    """A speed-up that the choices alone decide: one peak, interactions, and choices that do nothing."""
    isa = {"scalar": 1.0, "avx2": 6.0, "avx512": 9.0}[str(choices["isa"])]
    rows, cols, lone = (int(choices[name]) for name in ("tile_rows", "tile_cols", "lone_cols"))
    tile = 1 / (1 + abs(rows - 4) / 2) / (1 + abs(cols - 5) / 2) / (1 + abs(lone - 6) / 4)
    together = 1.3 if choices["leftover_rows"] == "together" else 1.0
    masked = 1.2 if choices["tail"] == "masked" else 1.0
    return isa * tile * together * masked


def search(experiment: Experiment, seed: int, attempts: int) -> list[Trial]:
    builtin, trials = Builtin(experiment, seed), list[Trial]()
    for number in range(1, attempts + 1):
        choices = choices_of(ask(builtin, experiment, number, trials))
        trials.append(Trial(choices=choices, status=Status.ACCEPTED, speedup=landscape(choices), number=number))
    return trials


@pytest.fixture(scope="module")
def searched(linear: Experiment) -> Sequence[Trial]:
    """One long search. How it began is how any shorter one with this seed goes."""
    return tuple(search(linear, SEARCHED, attempts=200))


def drawn(experiment: Experiment, seed: int, attempts: int) -> list[float]:
    """Speed-ups of valid points that this machine can run, drawn at random."""
    space, rng, found = experiment.space, random.Random(seed), list[float]()
    assert space is not None
    flags = frozenset(cpu_info().get("flags", "").split())
    values = {name: [v for v in all_ if space.available(name, v, flags)] for name, all_ in space.CHOICES.items()}
    while len(found) < attempts:
        point = {name: rng.choice(some) for name, some in values.items()}
        if space.valid(point):
            found.append(landscape(point))
    return found


def test_after_sixty_proposals_it_has_found_more_than_random_draws_do(
    linear: Experiment, searched: Sequence[Trial]
) -> None:
    searches = [searched[:60], *(search(linear, seed, 60) for seed in (0, 1))]
    guided = [max(trial.speedup or 0.0 for trial in trials) for trials in searches]
    assert statistics.median(guided) > statistics.median(max(drawn(linear, seed, 60)) for seed in range(9))


def test_two_hundred_proposals_are_two_hundred_points(searched: Sequence[Trial]) -> None:
    assert len({tuple(sorted(trial.choices.items())) for trial in searched}) == 200


def test_every_proposal_is_a_valid_point_of_the_space(linear: Experiment, searched: Sequence[Trial]) -> None:
    assert linear.space is not None
    assert all(linear.space.valid(trial.choices) for trial in searched)


def test_the_reply_is_read_as_one_candidate(linear: Experiment) -> None:
    proposal = ask(Builtin(linear, seed=5), linear, 1)
    assert isinstance(read_reply(proposal.reply, proposal.finish_reason, linear, parent_source=""), Candidate)


@pytest.mark.parametrize("number", [2, 25, 26, 60])
def test_a_resumed_search_goes_on_as_the_unbroken_one_would_have(
    linear: Experiment, searched: Sequence[Trial], number: int
) -> None:
    resumed = ask(Builtin(linear, SEARCHED), linear, number, searched[: number - 1])
    assert choices_of(resumed) == searched[number - 1].choices


def test_another_seed_starts_elsewhere(linear: Experiment) -> None:
    firsts = {tuple(choices_of(ask(Builtin(linear, seed), linear, 1)).values()) for seed in range(5)}
    assert len(firsts) > 1


def test_proposals_that_no_verdict_has_come_back_for_are_not_repeated(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY)
    builtin = Builtin(tiny, seed=1)
    assert len({tuple(choices_of(ask(builtin, tiny, number)).values()) for number in range(1, 7)}) == 6


def test_a_space_with_no_point_left_is_exhausted(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY)
    tried = [
        Trial(choices={"a": a, "b": b}, status=Status.CRASHED, speedup=None, number=number)
        for number, (a, b) in enumerate(product((1, 2, 4), ("x", "y")), start=1)
    ]
    with pytest.raises(Exhausted, match="6"):
        ask(Builtin(tiny, seed=1), tiny, 7, tried)


def test_points_that_make_no_sense_are_passed_over(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY + 'def valid(choices): return choices["a"] != 2 and choices["b"] == "y"\n')
    builtin = Builtin(tiny, seed=1)
    assert sorted(choices_of(ask(builtin, tiny, number))["a"] for number in (1, 2)) == [1, 4]


def test_values_that_this_cpu_lacks_are_not_proposed(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY + 'def available(name, value, cpu_flags): return value != "x" or "no_cpu" in cpu_flags\n')
    builtin = Builtin(tiny, seed=1)
    assert {choices_of(ask(builtin, tiny, number))["b"] for number in (1, 2, 3)} == {"y"}


def test_a_choice_that_nothing_here_can_run_is_an_error(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY + 'def available(name, value, cpu_flags): return name != "a"\n')
    with pytest.raises(ProposerError, match="no value of 'a' can run"):
        Builtin(tiny, seed=1)


def test_trials_of_another_space_are_passed_over(with_space: Callable[[str], Experiment]) -> None:
    tiny = with_space(TINY)
    old = [
        Trial(choices={"c": 1}, status=Status.ACCEPTED, speedup=2.0, number=1),
        Trial(choices={"a": 16, "b": "x"}, status=Status.ACCEPTED, speedup=2.0, number=2),
    ]
    assert choices_of(ask(Builtin(tiny, seed=1), tiny, 3, old)).keys() == {"a", "b"}


def test_many_proposals_change_one_choice_of_one_of_the_best_points(searched: Sequence[Trial]) -> None:
    trials, moves = searched[:60], 0
    for number, trial in enumerate(trials[12:], start=12):
        best = sorted(trials[:number], key=lambda one: -(one.speedup or 0.0))[:3]
        moves += any(sum(trial.choices[name] != one.choices[name] for name in one.choices) == 1 for one in best)
    assert moves >= 12


def test_points_that_fail_are_left_for_those_that_run(linear: Experiment) -> None:
    def tell(choices: Choices, number: int) -> Trial:
        if choices["tail"] == "masked":
            return Trial(choices=choices, status=Status.WRONG, speedup=None, number=number)
        return Trial(choices=choices, status=Status.TIE, speedup=1.0, number=number)

    builtin, trials = Builtin(linear, seed=9), list[Trial]()
    for number in range(1, 81):
        trials.append(tell(choices_of(ask(builtin, linear, number, trials)), number))
    late = [trial.status for trial in trials[40:]]
    assert late.count(Status.TIE) > 2 * late.count(Status.WRONG)


def differences(one: Choices, other: Choices) -> int:
    return sum(one[name] != other[name] for name in one)


def test_moves_start_from_the_parent_that_was_named(linear: Experiment, searched: Sequence[Trial]) -> None:
    trials = searched[:60]
    worst = min(trials, key=lambda trial: trial.speedup or 0.0)
    asked = [ask(Builtin(linear, 3), linear, number, trials, parent=str(worst.number)) for number in range(61, 91)]
    moved = [choices_of(one) for one in asked if one.parent == str(worst.number)]
    assert len(moved) > 5
    assert all(differences(choices, worst.choices) == 1 for choices in moved)


def test_a_proposal_names_what_it_was_made_from(linear: Experiment, searched: Sequence[Trial]) -> None:
    trials = searched[:60]
    best = {str(one.number): one.choices for one in sorted(trials, key=lambda one: -(one.speedup or 0.0))[:3]}
    asked = [ask(Builtin(linear, 3), linear, number, trials) for number in range(61, 91)]
    assert {one.parent for one in asked} <= {"seed", *best} and {one.parent for one in asked} & best.keys()
    moved = [(choices_of(one), best[one.parent]) for one in asked if one.parent in best]
    assert all(differences(*pair) <= 2 for pair in moved)


def test_a_crossing_is_moved_from_by_a_change_in_one_of_its_halves(
    linear: Experiment, crossed: Sequence[Proposal]
) -> None:
    builtin, trials = Builtin(linear, seed=3), search(linear, 3, 20)
    best = choices_of(crossed[0])
    trials.append(Trial(choices=best, status=Status.BEST, speedup=1e3, number=21))
    asked = [ask(builtin, linear, number, trials, parent="21") for number in range(22, 52)]
    moved = [one for one in asked if one.parent == "21"]
    assert len(moved) > 5
    assert all(differences(choices_of(one), best) == 1 for one in moved)
    assert all(isinstance(read_reply(one.reply, "stop", linear, parent_source=""), Candidate) for one in moved)


def crossings(linear: Experiment, known: Sequence[str]) -> list[Proposal]:
    """What a proposer that was told of twenty points proposes while one case has another best."""
    builtin, trials = Builtin(linear, seed=3), []
    for number in range(1, 21):
        choices = choices_of(ask(builtin, linear, number, trials))
        trials.append(Trial(choices=choices, status=Status.SLOWER, speedup=landscape(choices), number=number))
    assert linear.space is not None
    render = linear.space.render
    champion, other = (Parent(ref=str(one.number), source=render(one.choices)) for one in trials[:2])
    best_on = dict.fromkeys((case.name for case in linear.evaluation.cases), champion) | {"batch": other}
    found = []
    for number in range(21, 61):
        request = Request(
            number=number,
            parent=champion,
            prompt=Prompt(text="", tokens=0, counted_by="", dropped=()),
            experiment=linear,
            trials=trials,
            champion=champion,
            best_on=best_on,
            known=known,
        )
        found.append(asyncio.run(builtin.propose(request)))
    return [proposal for proposal in found if is_crossing(choices_of(proposal))]


@pytest.fixture(scope="module")
def crossed(linear: Experiment) -> Sequence[Proposal]:
    return crossings(linear, known=())


def test_the_best_of_a_case_is_now_and_then_crossed_into_the_best_over_all(
    linear: Experiment, crossed: Sequence[Proposal]
) -> None:
    assert 1 <= len(crossed) <= 12
    assert "if (rows > 22)" in crossed[0].reply and crossed[0].parent == "1"
    assert isinstance(read_reply(crossed[0].reply, "stop", linear, parent_source=""), Candidate)


def test_a_crossing_that_was_tried_is_not_proposed_again(linear: Experiment, crossed: Sequence[Proposal]) -> None:
    answer = read_reply(crossed[0].reply, "stop", linear, parent_source="")
    assert isinstance(answer, Candidate)
    assert crossings(linear, known=(answer.digest,)) == []

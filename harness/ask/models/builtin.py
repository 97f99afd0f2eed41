"""The built-in proposer: no key, no network. Draws points of an experiment's `space.py`, guided by past trials.

A space offers `CHOICES` (name -> values in order) and `render(choices)`, and may offer `valid(choices)` and
`available(name, value, cpu_flags)`. Nothing here knows what a choice means, compiles or measures. Every other
point is a known one with one choice changed: the request's parent, or where that is the best anyway one of the best so
far. Where to look for the rest, optuna's TPE says. The point taken is the nearest to it that makes sense and was never
proposed before. Now and then the best of one case is crossed into the best over all, by a dispatch on shape; a crossing
is changed in one of its halves. What a proposal names as its parent is what it was made from, the seed where it was
drawn.
"""

import random
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, product
from math import log
from operator import itemgetter
from types import ModuleType
from typing import TypeAlias

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from harness.ask.crossing import CROSSINGS, condition
from harness.ask.proposer import Exhausted, Request
from harness.contract import Experiment
from harness.errors import ProposerError
from harness.hooks import blaming, gave, offered
from harness.points import condition as taken_when
from harness.points import crossing, halves, is_crossing
from harness.records import SEED, Choices, Proposal, Trial
from harness.source import digest

Value: TypeAlias = str | int
Point: TypeAlias = tuple[Value, ...]

_RANDOM_FIRST = 10
_CROSSED = 0.1  # the share of crossings, as long as there is one that was never tried
_CHANGES = 8  # tried on a crossing until one is new
_MOVES, _MOVED = 0.5, 3  # the share of points that are moves, on one of so many: the best alone may be a dead end


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A source, what it was made from and how; `choices` are None where those of a half are not known."""

    parent: str
    choices: Choices | None
    words: str
    source: str


class Builtin:
    """Proposes points of the space; the same seed, number and trials give the same proposal."""

    name = "builtin"

    def __init__(self, experiment: Experiment, seed: int | None) -> None:
        assert experiment.space is not None  # which `choose` has seen to
        self.line = f"built-in proposer, no model: draws from {experiment.name}/space.py"
        self._language = experiment.language
        self._folder, self._space = experiment.folder, experiment.space
        with blaming(experiment.folder):
            self._values = _offered(experiment.name, experiment.space)
        self._seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        self._seen: set[Point] = set()
        self._told = 0
        self._made: dict[str, Choices] = {}  # by attempt
        self._best: list[tuple[float, str]] = []
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(direction="maximize")
        self._distributions = {name: _distribution(values) for name, values in self._values.items()}

    async def propose(self, request: Request) -> Proposal:
        """The next point as an answer in words and code. Exhausted where every point was proposed already."""
        asked_at, began_s = datetime.now(UTC), time.monotonic()
        self._learn(request.trials[self._told :])
        self._seen.update(self._point(choices) for choices in request.untold if set(choices) == set(self._values))
        rng = random.Random(f"{self._seed}:{request.number}")
        made = self._cross(request, rng) or self._move(request, rng) or self._of_space(SEED, self._draw(rng), rng)
        return Proposal(
            number=request.number,
            parent=made.parent,
            model=self.name,
            reply=f"{made.words}\n\n```{self._language}\n{made.source.rstrip()}\n```\n",
            asked_at=asked_at.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began_s,
            choices=made.choices,
        )

    def _of_space(self, parent: str, near: Point, rng: random.Random) -> _Made:
        """A point that was never proposed."""
        point = next(self._valid_around(near, rng, self._seen), None)
        if point is None:
            raise Exhausted(f"every point of the search space was proposed: {len(self._seen)}.")
        self._seen.add(point)
        choices = dict(zip(self._values, point, strict=True))
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in choices.items())
        source = self._space.render(choices)
        if not isinstance(source, str):
            raise gave(self._folder, self._space.render, "`render`", source, "a whole source as text")
        return _Made(parent=parent, choices=choices, words=f"A point of the search space: {said}.", source=source)

    def _cross(self, request: Request, rng: random.Random) -> _Made | None:
        """Now and then the best over all cases, with another in its place where that is better; None where it is not
        the turn of that, or where there is no such pair that is new."""
        one, champion = request.experiment, request.champion
        is_turn = self._told >= _RANDOM_FIRST and rng.random() < _CROSSED
        cross = CROSSINGS.get(one.language)
        if cross is None or champion is None or not is_turn:
            return None
        others = {parent.source: parent for parent in request.best_on.values() if parent.source != champion.source}
        for source in rng.sample(sorted(others), len(others)):
            cases = one.evaluation.cases
            ours = [case for case in cases if case.name in request.best_on]
            ours = [case for case in ours if request.best_on[case.name].source == source]
            where = condition(ours, [case for case in cases if case not in ours], one.signature)
            crossed = cross(source, champion.source, where, one.signature) if where else None
            if where and crossed and self._is_new(crossed, request):
                first, second = (self._made.get(ref) for ref in (others[source].ref, champion.ref))
                choices = crossing(where, first, second) if first and second else None
                words = f"The best so far, and where {where} the best of those cases."
                return _Made(parent=champion.ref, choices=choices, words=words, source=crossed)
        return None

    def _move(self, request: Request, rng: random.Random) -> _Made | None:
        """A known version with one choice changed; None where it is not the turn of that."""
        is_turn = self._told >= _RANDOM_FIRST and rng.random() < _MOVES
        if not self._best or not is_turn:
            return None
        is_named = request.parent != request.champion and request.parent.ref in self._made
        start = request.parent.ref if is_named else rng.choice(self._best)[1]
        if not is_crossing(self._made[start]):
            return self._of_space(start, self._point(self._made[start]), rng)
        for _ in range(_CHANGES):
            choices = self._changed(self._made[start], rng)
            source = self._source(choices, request.experiment)
            if source and self._is_new(source, request):
                return _Made(parent=start, choices=choices, words="A crossing, one half changed.", source=source)
        return None

    def _changed(self, choices: Choices, rng: random.Random) -> Choices:
        """A point with one choice changed, where that makes sense; a crossing with one of its halves so."""
        if not is_crossing(choices):
            point = self._point(choices)
            return dict(zip(self._values, next(self._valid_around(point, rng, {point}), point), strict=True))
        first, second = halves(choices)
        if rng.random() < 0.5:
            return crossing(taken_when(choices), self._changed(first, rng), second)
        return crossing(taken_when(choices), first, self._changed(second, rng))

    def _source(self, choices: Choices, experiment: Experiment) -> str | None:
        """What a point or a crossing of known points prints; None where that cannot be."""
        if not is_crossing(choices):
            return str(self._space.render(choices))
        first, second = (self._source(half, experiment) for half in halves(choices))
        if not first or not second:
            return None
        return CROSSINGS[experiment.language](first, second, taken_when(choices), experiment.signature)

    def _is_new(self, source: str, request: Request) -> bool:
        return len(source) <= request.experiment.limits.source_bytes and digest(source) not in request.known

    async def close(self) -> None:
        """Nothing is held open."""

    def _learn(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._told += 1
            if set(trial.choices) == set(self._values):
                self._seen.add(self._point(trial.choices))
            if self._is_ours(trial.choices):
                self._tell(trial)

    def _is_ours(self, choices: Choices) -> bool:
        """Whether this space, on this CPU, could print it."""
        if is_crossing(choices):
            return self._language in CROSSINGS and all(map(self._is_ours, halves(choices)))
        return choices.keys() == self._values.keys() and all(choices[name] in self._values[name] for name in choices)

    def _point(self, choices: Choices) -> Point:
        return tuple(choices[name] for name in self._values)

    def _tell(self, trial: Trial) -> None:
        """A duplicate is told nothing of: it has no measurement, and its twin was told. Of a crossing, TPE is not."""
        self._made[str(trial.number)] = trial.choices
        if trial.speedup is not None and trial.speedup > 0:
            found = [*self._best, (trial.speedup, str(trial.number))]
            self._best = sorted(found, key=itemgetter(0), reverse=True)[:_MOVED]
        if is_crossing(trial.choices):
            return
        params = {
            name: values.index(trial.choices[name]) if _is_scale(values) else trial.choices[name]
            for name, values in self._values.items()
        }
        told: FrozenTrial | None = None
        if trial.speedup is not None and trial.speedup > 0:
            told = create_trial(params=params, distributions=self._distributions, value=log(trial.speedup))
        elif trial.status.is_failure:
            # Pruned with no value in between: TPE ranks it below everything that was measured.
            told = create_trial(params=params, distributions=self._distributions, state=TrialState.PRUNED)
        if told is not None:
            self._study.add_trial(told)

    def _draw(self, rng: random.Random) -> Point:
        # A sampler made anew from the seed and the number: a search that was killed goes on as it would have.
        self._study.sampler = optuna.samplers.TPESampler(
            seed=rng.getrandbits(32), n_startup_trials=_RANDOM_FIRST, multivariate=True
        )
        trial = self._study.ask(self._distributions)
        # The verdict comes back through the journal as a trial of its own, so this one ends here; TPE passes over it.
        self._study.tell(trial, state=TrialState.FAIL)
        return tuple(
            values[trial.params[name]] if _is_scale(values) else trial.params[name]
            for name, values in self._values.items()
        )

    def _valid_around(self, point: Point, rng: random.Random, taken: Container[Point]) -> Iterator[Point]:
        """Points that make sense and are not taken, the nearest first."""
        valid = getattr(self._space, "valid", lambda choices: True)
        for near in self._around(point, rng):
            if near not in taken and valid(dict(zip(self._values, near, strict=True))):
                yield near

    def _around(self, point: Point, rng: random.Random) -> Iterator[Point]:
        """Every point of the space once: `point`, those that differ from it in one choice, in two, and so on."""
        offered = list(self._values.values())
        for distance in range(len(offered) + 1):
            places = list(combinations(range(len(offered)), distance))
            for where in rng.sample(places, len(places)):
                others = [[value for value in offered[i] if value != point[i]] for i in where]
                for changed in product(*(rng.sample(values, len(values)) for values in others)):
                    change = dict(zip(where, changed, strict=True))
                    yield tuple(change.get(i, value) for i, value in enumerate(point))


def _offered(experiment: str, space: ModuleType) -> Mapping[str, tuple[Value, ...]]:
    """The values of each choice that this CPU can run; none is a choice without any."""
    found = offered(space)
    for name, values in found.items():
        if not values:
            raise ProposerError(
                f"{experiment}/space.py: no value of {name!r} can run on this CPU.",
                f"add one to CHOICES that needs less; it has {', '.join(map(str, space.CHOICES[name])) or 'none'}.",
            )
    return found


def _is_scale(values: Sequence[Value]) -> bool:
    """Numbers in order: what is learned of one says something of its neighbours."""
    return all(isinstance(value, int) for value in values)


def _distribution(values: Sequence[Value]) -> BaseDistribution:
    return IntDistribution(0, len(values) - 1) if _is_scale(values) else CategoricalDistribution(values)

"""What the hooks of eval.py and the rules of security.py give back, as the judge can use it; ContractError names the
hook and what it must give.

A hook that raises is blamed by hooks.py: then a line of its own is on the stack.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.contract import Case, Experiment
from harness.errors import ContractError
from harness.hooks import gave
from harness.judge.signature import Signature, require_numbers
from harness.judge.verdict import Finding, Standings
from harness.records import Status, Violation

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...] | None]
_WORK = ("flops", "bytes")


def status_of(experiment: Experiment, finding: Finding, standings: Standings) -> Status:
    found = experiment.evaluation.accept(finding, standings)
    try:
        return Status(found)
    except ValueError:
        must = "a status such as " + ", ".join((Status.BEST, Status.SPECIALIST, Status.ACCEPTED, Status.TIE))
        raise _wrong(experiment, "accept", found, must) from None


def work_of(experiment: Experiment, case: Case) -> Mapping[str, float]:
    """Flops and bytes of one call."""
    found = experiment.evaluation.work(case)
    try:
        work = {key: float(found.get(key, 0.0)) for key in _WORK}
    except (AttributeError, TypeError, ValueError):
        work = {}
    if not work or not all(0 <= value < math.inf for value in work.values()):
        raise _wrong(experiment, f"work({case.name})", found, f"a mapping of {' and '.join(_WORK)} to numbers")
    return work


def violations_of(experiment: Experiment, submission: Any) -> Iterator[Violation]:
    """All that the rules hold against a submission."""
    for rule in experiment.rules:
        found = rule(submission)
        violations = list(found) if isinstance(found, Iterable) else [found]
        if not all(isinstance(one, Violation) for one in violations):
            name = f"the rule `{getattr(rule, '__qualname__', rule)}`"
            raise gave(experiment.folder, rule, name, found, "Violations, one by one")
        yield from violations


def hidden_of(experiment: Experiment, rng: np.random.Generator, signature: Signature) -> Sequence[Case]:
    found = experiment.evaluation.hidden(rng)
    cases = list(found) if np.iterable(found) else [found]
    if not all(isinstance(case, Case) for case in cases):
        raise _wrong(experiment, "hidden", found, "a list of cases")
    require_numbers(experiment, signature, cases)
    return cases


def inputs_of(
    experiment: Experiment, case: Case, rng: np.random.Generator, signature: Signature, like: Shapes | None = None
) -> Mapping[str, Array | None]:
    """The arrays of one call, by name and as the signature has them; of the same shapes as those of another call."""
    hook = f"inputs({case.name})"
    given = experiment.evaluation.inputs(case, rng)
    if not isinstance(given, Mapping):
        raise _wrong(experiment, hook, given, "a mapping of names to arrays")
    if list(given) != list(signature.inputs):
        raise _wrong(
            experiment, hook, list(given), f"{list(signature.inputs)}: one entry a pointer to const, None for NULL"
        )
    arrays: dict[str, Array | None] = {}
    for name, array in given.items():
        try:
            arrays[name] = None if array is None else np.ascontiguousarray(array, dtype=signature.inputs[name])
        except (TypeError, ValueError):
            must = f"an array of {signature.inputs[name].__name__}"
            raise _wrong(experiment, f"{hook}[{name!r}]", array, must) from None
    found = shapes_of(arrays)
    if like not in (None, found):
        raise _wrong(experiment, hook, f"arrays of {found}", f"those of every call of a case, such as {like}")
    return arrays


def shapes_of(arrays: Mapping[str, Array | None]) -> Shapes:
    return {name: None if array is None else array.shape for name, array in arrays.items()}


def truth_of(
    experiment: Experiment, case: Case, arrays: Mapping[str, Array | None], signature: Signature
) -> tuple[Doubles, Doubles]:
    """What must come out of one call, and how far from it one may be."""

    def numbers(name: str, hook: Callable[..., Any]) -> Doubles:
        with np.errstate(all="ignore"):
            found = hook(**arrays, **signature.asked_by(hook, case))
        try:
            if found is not None:
                return np.asarray(found, np.float64)
        except (TypeError, ValueError):
            pass
        raise _wrong(experiment, name, found, "an array of numbers")

    expected = numbers("reference", experiment.evaluation.reference)
    bound = numbers("bound", experiment.evaluation.bound)
    try:
        np.broadcast_to(bound, expected.shape)
    except ValueError:
        must = f"one that broadcasts to the shape of reference's, {expected.shape}"
        raise _wrong(experiment, "bound", f"shape {bound.shape}", must) from None
    return expected, bound


def _wrong(experiment: Experiment, hook: str, found: object, must: str) -> ContractError:
    said = found if isinstance(found, str) else repr(found)
    return ContractError(
        f"{experiment.folder.name}/eval.py: {hook} gives {said[:200]}, must give {must}.",
        "docs/add-an-experiment.md says what each hook is called with and gives back.",
    )

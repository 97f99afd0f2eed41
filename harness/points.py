"""Choices as one flat mapping where a source is made of two points: those of both halves, and when the first is taken.

Only names: nothing here knows a space, or joins sources.
"""

from harness.records import Choices

_IF = "if"  # no name that a template could use
_HALVES = ("then", "else")


def crossing(condition: str, first: Choices, second: Choices) -> Choices:
    """The choices of a crossing: `first` where the condition holds, else `second`."""
    halves = zip(_HALVES, (first, second), strict=True)
    return {_IF: condition, **{f"{half}.{name}": value for half, choices in halves for name, value in choices.items()}}


def is_crossing(choices: Choices) -> bool:
    return _IF in choices


def condition(choices: Choices) -> str:
    """When the first half of a crossing is taken."""
    return str(choices[_IF])


def halves(choices: Choices) -> tuple[Choices, Choices]:
    """The two that `crossing` was given."""
    first, second = (
        {name.removeprefix(f"{half}."): value for name, value in choices.items() if name.startswith(f"{half}.")}
        for half in _HALVES
    )
    return first, second


def apart(choices: Choices, usual: Choices) -> tuple[str, ...]:
    """What sets a point apart from another, as `name=value`; a crossing: where its halves differ. All of it where there
    is nothing to compare it with."""
    if is_crossing(choices):
        first, second = halves(choices)
        same = [(name, value) for name, value in first.items() if second.get(name) == value]
        usual = {f"{half}.{name}": value for half in _HALVES for name, value in same}
    return tuple(f"{name}={value}" for name, value in choices.items() if usual.get(name) != value)

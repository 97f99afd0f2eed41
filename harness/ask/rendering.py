"""An experiment's sections as one text, fitted to its token budget: least important first to go.

Knows no section; a fault of one is told with its place in the experiment's prompt.py.
"""

import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError

from harness.ask.prompt import REQUIRED, Context, Section
from harness.ask.tokens import ESTIMATE, TokenCounter, estimate, upper_bound
from harness.contract import Experiment
from harness.errors import ContractError

_BETWEEN = "\n\n"
# What a hook or an expression of a template raises when it is wrong.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    TemplateError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """`tokens` as counted by `counted_by`; `dropped` names the sections that did not fit."""

    text: str
    tokens: int
    counted_by: str
    dropped: tuple[str, ...]


def render(experiment: Experiment, context: Context, counter: TokenCounter) -> Prompt:
    """The experiment's sections as one text that fits `prompt_tokens`."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    values |= {"edit": experiment.edit, "language": experiment.language.capitalize()}
    parts = (part for section in _sections(experiment, context) for part in _parts(section, values))
    rendered = [(section, _render(section, experiment, given)) for section, given in parts]
    kept = [(section, text) for section, text in rendered if text]
    limit = experiment.limits.prompt_tokens
    text = _BETWEEN.join(text for _, text in kept)
    if upper_bound(text) <= limit:
        return Prompt(text=text, tokens=estimate(text), counted_by=ESTIMATE, dropped=())
    return _fit(experiment, kept, counter)


def _parts(section: Section, values: Mapping[str, object]) -> Iterator[tuple[Section, Mapping[str, object]]]:
    """The section itself, or as often as what it is for each of."""
    if not section.each:
        yield section, values
        return
    items = values.get(section.each, ())
    for number, item in enumerate(items if isinstance(items, Sequence) else (), start=1):
        yield replace(section, name=f"{section.name} {number}"), {**values, "item": item}


def _fit(experiment: Experiment, parts: Sequence[tuple[Section, str]], counter: TokenCounter) -> Prompt:
    limit = experiment.limits.prompt_tokens
    tokens = {section.name: counter.count(text + _BETWEEN) for section, text in parts}
    dropped: list[str] = []
    least_first = sorted(enumerate(parts), key=lambda item: (item[1][0].priority, -item[0]))
    for _, (section, _) in least_first:
        if sum(tokens.values()) <= limit:
            break
        if section.priority >= REQUIRED:
            raise ContractError(
                f"{experiment.name}: the prompt needs {sum(tokens.values())} tokens for {', '.join(tokens)} alone, "
                f"prompt_tokens is {limit}.",
                "Raise limits.prompt_tokens in experiment.json, or shorten EXPERIMENT.md or --instructions.",
            )
        del tokens[section.name]
        dropped.append(section.name)
    text = _BETWEEN.join(text for section, text in parts if section.name in tokens)
    return Prompt(text=text, tokens=counter.count(text), counted_by=counter.name, dropped=tuple(dropped))


def _sections(experiment: Experiment, context: Context) -> list[Section]:
    where = f"{experiment.folder.name}/prompt.py"
    try:
        sections = experiment.sections(context)
    except _FAULTS as fault:
        line = _line_of(fault, str(experiment.folder / "prompt.py"))
        raise ContractError(
            f"{where}{line}: {type(fault).__name__}: {fault}.",
            f"sections(context) gives a list of Section; context has {', '.join(f.name for f in fields(context))}.",
        ) from fault
    if not isinstance(sections, list) or not all(isinstance(section, Section) for section in sections):
        raise ContractError(
            f"{where}: sections() gives {_short(sections)}, must be a list of Section.",
            "harness.ask.prompt has Section and ready-made ones.",
        )
    names = [section.name for section in sections]
    if not names or len(set(names)) < len(names):
        raise ContractError(f"{where}: the sections are {names}, must be one or more.", "Give each a name of its own.")
    return sections


def _render(section: Section, experiment: Experiment, values: Mapping[str, object]) -> str:
    try:
        return _compiled(section.template).render(values).strip()
    except _FAULTS as fault:
        raise ContractError(
            f"{experiment.folder.name}/prompt.py: section {section.name}{_line_of(fault, '<template>')}: {fault}.",
            f"A template may use {', '.join(values)}.",
        ) from fault


def _line_of(fault: Exception, filename: str) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == filename]
    line = fault.lineno if isinstance(fault, TemplateSyntaxError) else lines[-1] if lines else None
    return "" if line is None else f" line {line}"


def _fenced(text: str, language: str = "") -> str:
    """The text in a fence that nothing inside it can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


_JINJA = Environment(undefined=StrictUndefined, autoescape=False)
_JINJA.filters["fenced"] = _fenced


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    return _JINJA.from_string(template)

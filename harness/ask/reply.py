"""A model's answer -> exactly one function: whole in a fenced block, or as SEARCH/REPLACE edits of the parent.

Whatever the text is, the outcome is data: a Candidate, or the one reason why there is none. Whether the function
compiles, is allowed or is right is not asked here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from harness.ask.edits import apply_edits, has_edits
from harness.ask.facts import FACTS
from harness.ask.torn import OPENINGS, STOPS, TEARS
from harness.contract import Experiment
from harness.languages import READERS
from harness.records import Candidate
from harness.source import Function, SourceUnit, describe_difference

_REPLY_PER_SOURCE = 4
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})(?P<info>[^`]*)")
_PLACES_TRIED = 5
_LONGEST_QUOTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Why an answer holds no candidate, in one line."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A piece of an answer that may be code."""

    text: str
    is_closed: bool


def read_reply(reply: str, finish_reason: str, experiment: Experiment, parent_source: str) -> Candidate | Unreadable:
    """The one candidate in the answer, or why there is none."""
    if finish_reason == "content_filter":
        return Unreadable(reason="the provider's content filter stopped the answer")
    is_cut = finish_reason == "length"
    text = _without_thoughts(_clean(reply), is_cut)
    limit_bytes = _REPLY_PER_SOURCE * experiment.limits.source_bytes
    size_bytes = _size(text)
    if size_bytes > limit_bytes:
        return Unreadable(reason=f"the reply has {size_bytes} bytes, more than {limit_bytes}")
    if not text.strip():
        why = "its tokens were spent before it began" if is_cut else f"finish reason {_one_line(finish_reason)}"
        return Unreadable(reason=f"the reply is empty ({why})")
    outcome = _sources(text, is_cut, experiment, parent_source)
    if isinstance(outcome, Unreadable):
        return outcome
    return _candidate(outcome, experiment)


def _sources(text: str, is_cut: bool, experiment: Experiment, parent: str) -> str | Unreadable:
    """The source that the answer gives, by the ways that the experiment allows."""
    edited = None
    if has_edits(text):
        if experiment.edit == "whole":
            return Unreadable(reason="the reply edits the parent; this experiment takes whole functions only")
        if is_cut:
            return Unreadable(reason="the reply is truncated: it stops in the middle of its edits")
        edited = apply_edits(text, _clean(parent))
        if edited.fault:
            return Unreadable(reason=edited.fault)
        text = edited.rest
    elif experiment.edit == "diff":
        return Unreadable(reason="the reply has no SEARCH/REPLACE block; this experiment takes edits only")
    if edited is None:
        return _whole(text, is_cut, experiment, parent)
    normalise = READERS[experiment.language].normalise
    closed = (block.text for block in _blocks(text) if block.is_closed)
    others = {normalise(piece) for piece in closed if _may_define(piece, experiment)} - {normalise(_clean(parent))}
    if others - {normalise(edited.source)}:
        return Unreadable(reason=f"two answers: edits of the parent and a whole {experiment.target} beside them")
    return edited.source


def _whole(text: str, is_cut: bool, experiment: Experiment, parent: str) -> str | Unreadable:
    target = experiment.target
    blocks = list(_blocks(text))
    closed = [block.text for block in blocks if block.is_closed]
    hits = [piece for piece in closed if _may_define(piece, experiment)]
    if not hits and is_cut:
        # Only a closed block is known to be whole.
        return Unreadable(reason="the reply is truncated: it stopped at the limit of tokens")
    if not hits:
        pieces = [block.text for block in blocks if not block.is_closed] + [_without_fences(text)]
        found = (_loose(piece, experiment) for piece in pieces)
        hits = [source for source in found if source is not None][:1]
    normalise = READERS[experiment.language].normalise
    if len(hits) > 1:
        distinct = {normalise(source): source for source in reversed(hits)}
        if len(distinct) > 1:
            # The parent, quoted before the answer, is not an answer.
            distinct.pop(normalise(_clean(parent)), None)
        if len(distinct) > 1:
            return Unreadable(reason=f"two answers: {len(distinct)} blocks define {target} differently")
        hits = list(distinct.values())
    if hits:
        return hits[0]
    return Unreadable(reason=_why_none(closed or [_without_fences(text)], experiment))


def _may_define(piece: str, experiment: Experiment) -> bool:
    if experiment.target not in piece:
        return False
    # What is too long is refused for its length; parsing it first would only cost time.
    parse = READERS[experiment.language].parse
    return len(piece) > experiment.limits.source_bytes or bool(_defines(parse(piece), experiment.target))


def _loose(text: str, experiment: Experiment) -> str | None:
    """The code in a text with prose around it: from the first line from which all up to the target reads as code."""
    target, parse = experiment.target, READERS[experiment.language].parse
    lines = text.split("\n")
    opening = [number for number, line in enumerate(lines) if OPENINGS[experiment.language].match(line)]
    named = next((number for number in opening if re.search(rf"\b{target}\s*\(", lines[number])), None)
    if named is None:
        return None
    starts = [*[number for number in opening if number < named][: _PLACES_TRIED - 1], named]
    best: str | None = None
    for start in starts:
        code = "\n".join(lines[start:])[: experiment.limits.source_bytes]
        functions = parse(code).functions
        end = max((function.end_line for function in functions if function.name == target), default=0)
        if not end:
            continue
        # Helpers may follow the target.
        reach = max(function.end_line for function in functions)
        for last in dict.fromkeys((reach, end)):
            piece = "\n".join(lines[start : start + last])
            if parse(piece).first_error_line is None:
                return piece
        best = best or "\n".join(lines[start : start + end])
    return best


def _candidate(source: str, experiment: Experiment) -> Candidate | Unreadable:
    """The checks that any candidate must pass, however it was given."""
    target, reader = experiment.target, READERS[experiment.language]
    source = _tidy(source.split("\n"))
    size_bytes = _size(source)
    if size_bytes > experiment.limits.source_bytes:
        return Unreadable(reason=f"the source has {size_bytes} bytes, more than {experiment.limits.source_bytes}")
    functions = _defines(reader.parse(source), target)
    if not functions:
        return Unreadable(reason=_why_none([source], experiment))
    if tear := TEARS[experiment.language](source):
        return Unreadable(reason=f"the reply is truncated or torn: {tear}")
    definite = [function for function in functions if not function.is_alternative]
    if len(definite) > 1:
        places = " and ".join(str(function.start_line) for function in definite[:2])
        return Unreadable(reason=f"{target} is defined twice, in lines {places}")
    if difference := describe_difference(reader.parse_signature(experiment.signature), (definite or functions)[0]):
        return Unreadable(reason=f"another signature: {_one_line(difference)}")
    return described(source, experiment)


def described(source: str, experiment: Experiment) -> Candidate:
    """A source with what it is found to say of itself."""
    found = FACTS[experiment.language](source)
    kinds = tuple(kind for kind in experiment.tags if kind in found)
    tags = tuple(found[kind] for kind in kinds)
    return Candidate(source=source, digest=READERS[experiment.language].digest(source), tags=tags, kinds=kinds)


def _why_none(pieces: Sequence[str], experiment: Experiment) -> str:
    target, language = experiment.target, experiment.language
    for piece in pieces:
        if stop := STOPS[language](piece, target):
            return f"the reply is truncated or torn: {_one_line(stop)}"
    units = [READERS[language].parse(piece) for piece in pieces if len(piece) <= experiment.limits.source_bytes]
    if any(function.name == target for unit in units for function in unit.prototypes):
        return f"only a prototype of {target}, without a body"
    names = list(dict.fromkeys(function.name for unit in units for function in unit.functions))
    near = get_close_matches(target, names, n=1, cutoff=0.0)
    return f"no function {target}" + (f"; the nearest is {_one_line(near[0])}" if near else " in the reply")


def _defines(unit: SourceUnit, target: str) -> list[Function]:
    return [function for function in unit.functions if function.name == target]


def _blocks(text: str) -> Iterator[_Block]:
    """The fenced blocks; one whose end is missing goes on to the end of the text."""
    opened: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        mark = _FENCE.fullmatch(line)
        if opened is None:
            opened = mark
        elif mark and mark["mark"].startswith(opened["mark"]):
            is_end = not mark["info"].strip()
            yield _Block(text=_tidy(lines), is_closed=is_end)
            # A fence that names a language opens a block: the one before it was never closed.
            opened, lines = None if is_end else mark, []
        else:
            lines.append(line.removeprefix(opened["indent"]))
    if opened is not None:
        yield _Block(text=_tidy(lines), is_closed=False)


def _without_fences(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not _FENCE.fullmatch(line))


def _without_thoughts(text: str, is_cut: bool) -> str:
    """What follows the reasoning that some servers leave in the answer, between its tags or before the closing one."""
    _, is_over, answer = text.rpartition("</think>")
    if is_over:
        return answer
    return "" if is_cut and text.lstrip().startswith("<think>") else text


def _clean(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _tidy(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip("\n") + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 4 * _LONGEST_QUOTE else line[: 4 * _LONGEST_QUOTE] + "..."

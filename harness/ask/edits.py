"""SEARCH/REPLACE blocks against the parent's source, as aider's markers write them.

Only whole lines are searched for, and each must stand in the source exactly once; spacing at the ends of lines does
not count, and where nothing is found, nor does indentation. Fences around the blocks are no part of them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SEARCH = re.compile(r"\s*<{5,9}\s*SEARCH\b.*")
_DIVIDER = re.compile(r"\s*={5,9}\s*")
_REPLACE = re.compile(r"\s*>{5,9}\s*REPLACE\b.*")
_LONGEST_QUOTE = 60
_MOST_EDITS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """The parent with the edits applied and the answer without them, or the one fault that prevents it."""

    source: str = ""
    rest: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    search: tuple[str, ...]
    replace: tuple[str, ...]


def has_edits(text: str) -> bool:
    return any(_SEARCH.fullmatch(line) for line in text.split("\n"))


def apply_edits(text: str, parent: str) -> Edited:
    """All edits of the answer, one after the other, each against what the ones before it left."""
    edits, rest, fault = _read(text.split("\n"))
    if fault:
        return Edited(fault=fault)
    if len(edits) > _MOST_EDITS:
        return Edited(fault=f"the reply makes {len(edits)} edits, more than {_MOST_EDITS}: give the whole function")
    lines = parent.strip("\n").split("\n")
    # An answer that says an edit twice means it once.
    for edit in dict.fromkeys(edits):
        place, fault = _find(edit.search, lines)
        if fault:
            return Edited(fault=fault)
        lines[place : place + len(edit.search)] = edit.replace
    source = "\n".join(lines).strip("\n") + "\n"
    if source == parent.strip("\n") + "\n":
        return Edited(fault="the edit changes nothing")
    return Edited(source=source, rest="\n".join(rest))


def _read(lines: Sequence[str]) -> tuple[list[_Edit], list[str], str]:
    """The edits, the lines around them, and what is wrong with them."""
    edits: list[_Edit] = []
    rest: list[str] = []
    search: list[str] | None = None
    replace: list[str] | None = None
    for line in lines:
        if search is None:
            if _SEARCH.fullmatch(line):
                search = []
            else:
                rest.append(line)
        elif _SEARCH.fullmatch(line):
            return [], [], "a SEARCH block begins inside another"
        elif replace is None:
            if _REPLACE.fullmatch(line):
                return [], [], "a SEARCH block has no ======= line"
            if _DIVIDER.fullmatch(line):
                replace = []
            else:
                search.append(line)
        elif _REPLACE.fullmatch(line):
            edits.append(_Edit(search=tuple(search), replace=tuple(replace)))
            search, replace = None, None
        else:
            replace.append(line)
    if search is not None:
        missing = "=======" if replace is None else ">>>>>>> REPLACE"
        return [], [], f"the reply is truncated or torn: a SEARCH block has no {missing} line"
    return edits, rest, ""


def _find(search: Sequence[str], lines: Sequence[str]) -> tuple[int, str]:
    """Where the lines stand, or what is wrong with them."""
    if not any(line.strip() for line in search):
        return 0, "a SEARCH block is empty: it must hold lines of the parent"
    first = next(line.strip() for line in search if line.strip())
    quoted = repr(first if len(first) <= _LONGEST_QUOTE else first[:_LONGEST_QUOTE] + "...")
    places = _places(search, lines, str.rstrip) or _places(search, lines, str.strip)
    if not places:
        return 0, f"a SEARCH text is not in the parent; it begins {quoted}"
    if len(places) > 1:
        return 0, f"a SEARCH text stands {len(places)} times in the parent; it begins {quoted}"
    return places[0], ""


def _places(search: Sequence[str], lines: Sequence[str], same: Callable[[str], str]) -> list[int]:
    wanted = "\n".join(same(line) for line in search)
    have = "\n".join(same(line) for line in lines)
    # Searched as text with a line break at both ends, so that only whole lines match and the time stays linear.
    places, text, needle = [], f"\n{have}\n", f"\n{wanted}\n"
    at = text.find(needle)
    while at >= 0:
        places.append(text.count("\n", 0, at))
        at = text.find(needle, at + 1)
    return places

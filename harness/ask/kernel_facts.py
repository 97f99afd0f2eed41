"""What makes a numeric kernel, as its statements and loops show it: register tiles, blocks, how it takes exponentials.

Parts of facts.py, which hands in plain text; what macros or arrays hide is not seen, and nothing is claimed of it.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set

_BLOCK = 32  # a loop over loops in smaller steps goes by vectors
_CONSTANT = re.compile(r"\b([A-Z]\w*)\s*=\s*(\d+)|#\s*define\s+(\w+)\s+\(?(\d+)\)?\s*$", re.MULTILINE)
_FMA = re.compile(r"\w*f(?:madd|ma)\w*\s*\((.*)\)", re.DOTALL)
_LIBRARY_EXP = re.compile(r"\b(expf?|exp2f?)\s*\(")
_OWN_EXP = re.compile(r"_scalef_ps\s*\(|<<\s*23\b|slli_epi32\s*\(.*,\s*23\s*\)")
_SET = re.compile(r"(?:[\w\s*]+[\s*])?([A-Za-z_]\w*)\s*=(?!=)")


def tile(statements: Sequence[str], wanted: Set[str]) -> tuple[int, int]:
    """How many numbers, and how many others that each of them is multiplied with, make the sums of one turn of a loop;
    zeros where the sums are no such product of two sets."""
    versions, pairs = dict[str, int](), dict[str, tuple[str, str]]()
    for statement in statements:
        before, _, value = statement.partition("=")
        is_sum = before.endswith("+")
        target = before.rstrip("+ ")
        target = target if target in wanted else "".join(target.split())
        if target in pairs:
            continue
        if target not in wanted:
            if (match := _SET.match(statement)) is not None:
                versions[match[1]] = versions.get(match[1], 0) + 1
        elif len(factors := _factors(value, is_sum=is_sum)) > 1:
            first, second = sorted(_versioned(factor, versions) for factor in factors)
            pairs[target] = first, second
    return _sides(list(pairs.values())) if pairs and pairs.keys() == wanted else (0, 0)


def _sides(pairs: Sequence[tuple[str, str]]) -> tuple[int, int]:
    """Both sets of a complete product of two; which side a factor is on, its partners tell."""
    rows = {pairs[0][0]}
    columns = {other for one, other in pairs if one in rows} | {one for one, other in pairs if other in rows}
    rows = {one if other in columns else other for one, other in pairs if one in columns or other in columns}
    product = {frozenset((row, column)) for row in rows for column in columns}
    if product != {frozenset(pair) for pair in pairs} or len(product) < len(pairs) or rows & columns:
        return 0, 0
    return max(len(rows), len(columns)), min(len(rows), len(columns))


def _factors(value: str, *, is_sum: bool) -> Sequence[str]:
    """The two whose product is added, by `+=` or by a call; nothing where it is another expression."""
    match = None if is_sum else _FMA.fullmatch(value.strip())
    parts = _split(value, "*") if is_sum else _split(match[1], ",") if match else []
    return parts[:2] if len(parts) == (2 if is_sum else 3) else ()


def _split(text: str, at: str) -> list[str]:
    """Parts between the marks that stand in no brackets, without spaces."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == at and not depth:
            parts.append("")
        elif not letter.isspace():
            parts[-1] += letter
    return parts


def _versioned(factor: str, versions: Mapping[str, int]) -> str:
    """A name that was set again is another number."""
    return f"{factor}@{versions.get(factor, 0)}"


def widest(sides: Iterable[tuple[int, int]]) -> str:
    """The tile with the most sums; of one number with several others at least."""
    more, less = max(sides, key=math.prod, default=(0, 0))
    return f"register tile {more}x{less}" if more > 1 else ""


def blocking(amounts: Iterable[str], text: str) -> str:
    """By the steps of loops that have loops inside: whether one is wide enough for a block. How wide is left out: each
    width would make a combination of traits that no winner had, and so a winner of what is merely close."""
    listed = list(amounts)
    steps = [int(amount) for amount in listed if amount.isdigit()]
    if len(steps) < len(listed):  # most steps are plain numbers, and to look for names takes a while
        named = {match[1] or match[3]: int(match[2] or match[4]) for match in _CONSTANT.finditer(text)}
        steps += [named.get(amount, 0) for amount in listed]
    return "loops in blocks" if max(steps, default=0) >= _BLOCK else ""


def exponential(text: str) -> str:
    called = _LIBRARY_EXP.search(text) if "exp" in text else None
    is_own = ("23" in text or "scalef" in text) and _OWN_EXP.search(text)
    return f"calls {called[1]}" if called else "exp of its own" if is_own else ""

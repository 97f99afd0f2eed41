"""What the compiler said of a candidate, cut to what helps: what is wrong with it, and what became of its loops.

All of it is text from a candidate, so data and never instructions; no line is quoted but the candidate's own. Runs
nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CANDIDATE = "candidate.c"
_DIAGNOSTICS_CHARACTERS, _LINE_CHARACTERS = 4000, 240
_REMARKS, _CODE_CHARACTERS, _REASONS = 20, 60, 3
_LOCATION = re.compile(rf"{re.escape(CANDIDATE)}:(\d+):(\d+): ")
_FOLDERS = re.compile(r"(?<![\w)\]])/(?:[\w.+-]+/)+")
_NOT_SHOWN = re.compile(r"^(?:In file included from |\s+from |compilation terminated)|^\s*$")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_KILLED = re.compile(r"(\w[\w ]*) signal terminated program|(out of memory|[Cc]annot allocate memory|memory exhausted)")
# A loop over vectors that the source spells out itself.
_BY_HAND = re.compile(r"no vectype for stmt.*\{ref-all\}|__builtin_ia32_")
_OPTIMIZED, _MISSED, _NOT_A_LOOP = "optimized: ", "missed: ", "couldn't vectorize loop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """Why there is no artifact. `is_exhausted`: the compiler ran into one of its limits."""

    text: str
    is_exhausted: bool = False

    @property
    def first_error(self) -> str:
        lines = self.text.splitlines()
        errors = [line for line in lines if "error:" in line or "undefined reference" in line]
        return (errors or lines or ["the compiler failed without a word"])[0].strip()


def diagnose(said: str, source: str, limits: str) -> Diagnostics:
    """The compiler's words with the candidate's lines beside them; nothing from any other file."""
    if killed := _KILLED.search(said):
        return Diagnostics(text=f"error: the compiler ended early ({killed[0]}); it has {limits}", is_exhausted=True)
    code = source.split("\n")
    lines: list[str] = []
    quoted = ""
    for line in said.split("\n"):
        if _NOT_SHOWN.search(line):
            continue
        lines.append(_shown(_FOLDERS.sub("", line)))
        place = _LOCATION.match(line)
        if place and place[1] != quoted and int(place[1]) <= len(code):
            quoted = place[1]
            lines.append(_shown(f"{quoted:>5} | {code[int(quoted) - 1]}"))
    kept = 0
    while kept < len(lines) and sum(map(len, lines[: kept + 1])) < _DIAGNOSTICS_CHARACTERS:
        kept += 1
    more = [f"… {len(lines) - kept} more lines"] if kept < len(lines) else []
    return Diagnostics(text="\n".join(lines[:kept] + more))


def remarks(said: str, source: str) -> tuple[str, ...]:
    """gcc's words on vectorising, one line for each of the candidate's lines that it speaks of, in their order."""
    found: dict[int, dict[str, None]] = {}
    loop: int | None = None
    for line in said.split("\n"):
        place = _LOCATION.match(line)
        _, optimized, what = line.partition(_OPTIMIZED)
        _, missed, reason = line.partition(_MISSED)
        if place and optimized:
            found.setdefault(int(place[1]), {})[what.strip()] = None
        elif place and reason == _NOT_A_LOOP:
            loop = int(place[1])
        elif missed and loop is not None:  # why, wherever in the loop or in a header that it calls
            if not _BY_HAND.search(reason):
                why = reason.removeprefix("not vectorized: ").rstrip(";")
                found.setdefault(loop, {})[f"not vectorized: {why}"] = None
            loop = None
    code = source.split("\n")
    places = (number for number in sorted(found) if number <= len(code))
    lines = [_remark(number, code[number - 1], [*found[number]]) for number in places]
    more = (f"… {len(lines) - _REMARKS} more",) if len(lines) > _REMARKS else ()
    return (*lines[:_REMARKS], *more)


def _remark(number: int, code: str, said: Sequence[str]) -> str:
    return _shown(f"{number:>5} | {code.strip()[:_CODE_CHARACTERS]} -- {'; '.join(said[:_REASONS])}")


def _shown(line: str) -> str:
    line = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.rstrip())
    return line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]}…"

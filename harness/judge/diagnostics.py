"""What a compiler said, cut to what helps a model or its reader: the candidate's own lines, and nothing from any other
file. It is text from a candidate: data, never instructions.
"""

import re
from dataclasses import dataclass

CANDIDATE = "candidate.c"
_MOST_CHARACTERS, _LINE_CHARACTERS = 4000, 240
_LOCATION = re.compile(rf"{re.escape(CANDIDATE)}:(\d+):(\d+): ")
_FOLDERS = re.compile(r"(?<![\w)\]])/(?:[\w.+-]+/)+")
_NOT_SHOWN = re.compile(r"^(?:In file included from |\s+from |compilation terminated)|^\s*$")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_KILLED = re.compile(r"(\w[\w ]*) signal terminated program|(out of memory|[Cc]annot allocate memory|memory exhausted)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostics:
    """What is shown of it. `is_exhausted`: it ran into one of its limits."""

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
    while kept < len(lines) and sum(map(len, lines[: kept + 1])) < _MOST_CHARACTERS:
        kept += 1
    more = [f"… {len(lines) - kept} more lines"] if kept < len(lines) else []
    return Diagnostics(text="\n".join(lines[:kept] + more))


def _shown(line: str) -> str:
    line = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", line.rstrip())
    return line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]}…"

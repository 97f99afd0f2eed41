"""What `gcc -E` made of a candidate: the lines that are the candidate's own, the headers that it opened and their text.

Pure functions over text. A candidate may write line markers of its own, to pass its code off as a header's: that is
found out here, and nothing else of the text is judged.
"""

import re
from dataclasses import dataclass

_CANDIDATE = "candidate.c"
_MARKER = re.compile(r'\n# (\d+) "((?:[^"\\\n]|\\.)*)"([ 1-4]*)(?=\n)')
_PRELUDE_OPENED = re.compile(r'\n# 1 "(?:\./)?prelude\.h" 1\n')
# A line marker in the source itself, after joining lines. Looked for without asking what is a comment or a string: what
# hides a marker from a reader of those must not hide it here.
_JOINED = re.compile(r"(?:\\|\?\?/)[ \t\f\v\0]*\r?\n")
_WRITTEN = re.compile(
    r"(?:^|\*/)[ \t\f\v\0\r\ufeff]*(?:\#|%:|\?\?=)(?:[ \t\f\v\0]|/\*.*?\*/)*\d+(?:[ \t\f\v\0]|/\*.*?\*/)*[\w\"]",
    re.MULTILINE | re.DOTALL,
)
_OPENS, _CLOSES = "1", "2"
_FOLDER = re.compile(r".*/include(?:-fixed)?/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A file that the candidate itself included, and the line where it did, if that is known."""

    path: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """The candidate's own text with its macros expanded. `lines[i]` is the line of the candidate that line i of the
    text comes from. `of_headers` is what its headers became, and `is_theirs` whether they say that without the
    candidate too. `moved_at` is the line where the candidate tampers with line markers."""

    text: str
    lines: tuple[int, ...]
    headers: tuple[Header, ...]
    of_headers: tuple[str, ...] = ()
    is_theirs: bool = True
    moved_at: int | None = None

    def line_of(self, row: int) -> int | None:
        return self.lines[row] if row < len(self.lines) else None

    @property
    def includes(self) -> str:
        """A source that includes the same headers, and nothing else."""
        return "".join(f"#include <{_FOLDER.sub('', header.path)}>\n" for header in self.headers)


def read_expansion(printed: str, source: str) -> Expansion:
    """The candidate's part of what gcc printed for its source."""
    joined = _JOINED.sub("", source)
    written = _WRITTEN.search(joined)
    prelude = _PRELUDE_OPENED.search(printed)
    start = printed.find(f'\n# 1 "{_CANDIDATE}"', prelude.end() if prelude else 0)
    text: list[str] = []
    lines: list[int] = []
    headers: list[Header] = []
    of_headers: list[str] = []
    files, outermost = [_CANDIDATE], ""
    moved_at = joined.count("\n", 0, written.end()) + 1 if written else None
    markers = list(_MARKER.finditer(printed, max(start, 0)))
    for index, marker in enumerate(markers):
        number, name, flag = int(marker[1]), marker[2], marker[3].strip()[:1]
        if flag == _OPENS:
            outermost = name if len(files) == 1 else outermost
            files.append(name)
        elif flag == _CLOSES:
            files.pop()
            if len(files) == 1:
                headers.append(Header(path=outermost, line=number - 1))
        if not files or name != files[-1]:
            moved_at = moved_at or (lines[-1] if lines else 1)
            break
        end = markers[index + 1].start() if index + 1 < len(markers) else len(printed)
        part = printed[marker.end() + 1 : end].removesuffix("\n").split("\n")
        if len(files) == 1:
            text += part
            lines += range(number, number + len(part))
        else:
            of_headers += filter(str.strip, part)
    return Expansion(
        text="\n".join(text),
        lines=tuple(lines),
        headers=tuple(headers),
        of_headers=tuple(of_headers),
        moved_at=moved_at,
    )

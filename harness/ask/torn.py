"""Where code begins in prose, and whether a piece of it stops in the middle: what the languages write differently."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from harness import python_source
from harness.cuda_source import as_c
from harness.source import normalise, parse

_DIRECTIVE = re.compile(r"#\s*(\w*)")
# Where C outside of a function begins: looked for only in an answer without fences, or in a fence that was not closed.
_C = re.compile(
    r"[ \t]*(?:\#[ \t]*(?:include|define|if|ifdef|ifndef|pragma|undef)\b|/\*|//"
    r"|(?:typedef|static|inline|struct|enum|union|__attribute__|extern)\b"
    r"|(?:const[ \t]+)?(?:void|int|float|double|__m\d+i?|char|long|short|unsigned|size_t|u?int\d+_t)\b[\w \t*]*\()"
)
_CUDA = re.compile(rf"[ \t]*(?:template|using|constexpr|__global__|__device__)\b|{_C.pattern}")
_PYTHON = re.compile(r"(?:def|import|from)\b|[A-Z_]+[ \t]*=")
OPENINGS: Mapping[str, re.Pattern[str]] = MappingProxyType({"c": _C, "python": _PYTHON, "cuda": _CUDA})


def _tear_of_c(source: str) -> str:
    if parse(source).first_error_line is None or (open_braces := _open_braces(source)) == 0:
        return ""
    return f"{open_braces} braces are not closed" if open_braces > 0 else "more braces are closed than opened"


def _tear_of_cuda(source: str) -> str:
    return _tear_of_c(as_c(source))


def _open_braces(source: str) -> int:
    """How many braces are left open; of an #if's branches only the first is counted."""
    balance, depth, skipped_from = 0, 0, 0
    for line in normalise(source).split("\n"):
        directive = _DIRECTIVE.match(line)
        word = directive[1] if directive else ""
        depth += word.startswith("if")
        if word.startswith("el") and not skipped_from:
            skipped_from = depth
        if word == "endif":
            skipped_from = 0 if skipped_from >= depth else skipped_from
            depth -= 1
        if not directive and not skipped_from:
            words = line.split(" ")
            balance += words.count("{") - words.count("}")
    return balance


def _stops_in_c(source: str, target: str) -> str:
    """Why the target is not whole in a piece that does not define it; nothing where it is not even begun."""
    is_begun = _open_braces(source) > 0 and re.search(rf"\b{target}\s*\(", source)
    return f"the braces of {target} are not closed" if is_begun else ""


def _stops_in_python(source: str, target: str) -> str:
    return python_source.describe_tear(source) if re.search(rf"\bdef\s+{target}\s*\(", source) else ""


TEARS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"c": _tear_of_c, "python": python_source.describe_tear, "cuda": _tear_of_cuda}
)
STOPS: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {"c": _stops_in_c, "python": _stops_in_python, "cuda": _stops_in_c}
)

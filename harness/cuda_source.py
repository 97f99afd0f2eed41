"""What a CUDA C++ source says, by the C reader: what CUDA and C++ write on top of C is taken away first.

Lines stay as they are. What the C grammar cannot follow all the same (lambdas, classes) reads as an error in its place
and no further: the functions around it are found. Whether the code is right CUDA is left to the compiler.
"""

import re

from harness import source as c_source
from harness.source import Function, SourceUnit, digest, normalise

__all__ = ["as_c", "digest", "normalise", "parse", "parse_signature"]

_ARGUMENTS = r"\((?:[^()]|\([^()]*\))*\)"
_ANGLES = r"<(?:[^<>(){};]|\([^()]*\)|<[^<>(){};]*>)*>"
_BLANKED = re.compile(
    r"""(?P<kept>//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)'|^[ \t]*\#[^\n]*)
    |\bextern\s*"C"(?!\s*\{)
    |\bextern(?=\s+__shared__)
    |\bif\s+constexpr\b
    |\busing\s[^;{}]{1,200};
    |\b(?:__launch_bounds__|__align__|alignas|__cluster_dims__)\s*ARGUMENTS
    |\b(?:__global__|__device__|__host__|__shared__|__constant__|__managed__|__grid_constant__|__forceinline__
        |__noinline__|typename|noexcept)\b
    |\btemplate\s*ANGLES
    |<<<[^;{}]{1,400}?>>>
    |(?<=\w)ANGLES(?=\s*(?:\(|<<<))
    |(?P<constexpr>\bconstexpr\b)
    |(?P<extent>\bdim3\s+\w+)(?=\s*[({])""".replace("ARGUMENTS", _ARGUMENTS).replace("ANGLES", _ANGLES),
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def as_c(source: str) -> str:
    """The source as far as C can say it."""
    return _BLANKED.sub(_in_c, source)


def parse(source: str) -> SourceUnit:
    """What the source says; the text of functions is that of the C reader."""
    return c_source.parse(as_c(source))


def parse_signature(text: str) -> Function:
    """The function that `text`, a prototype, declares. ValueError with the reason."""
    return c_source.parse_signature(as_c(text))


def _in_c(match: re.Match[str]) -> str:
    if match["kept"]:
        return match[0]
    if match["constexpr"]:
        return "const"
    if match["extent"]:  # `dim3 grid(n, 2)` would declare a function
        return f"{match[0]} = dim3"
    words = "if " if match[0].startswith("if") else " "
    return words + "\n" * match[0].count("\n")

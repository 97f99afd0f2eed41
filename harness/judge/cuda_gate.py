"""Rules for CUDA C++ that an experiment's security.py composes, and the source as they see it.

The compiler reads such a source twice, for the host and for the device, and shows each another text. So these rules
look at what is written: every branch of every `#if`, every macro's body. No word can come to be that is not written,
because pasting (`##`) is refused. What macros make of the words, the look into the object finds (cuda.py).
"""

import re
from collections.abc import Iterator

from harness import cuda_source
from harness.contract import Experiment
from harness.judge import gate
from harness.judge.answers import violations_of
from harness.judge.expansion import Expansion, Header
from harness.judge.gate import C_ATTRIBUTES, MACHINE_RULES, Rule
from harness.judge.submission import Submission, tokenise
from harness.records import Violation
from harness.source import describe_difference

_COMMENT = re.compile(r"""//[^\n]*|/\*.*?(?:\*/|\Z)|(?P<kept>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)""", re.DOTALL)
_JOINED = re.compile(r"\\[ \t\f\v]*\n")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[ \t]*([^\n]*)", re.MULTILINE)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)", re.MULTILINE)
_DIRECTIVES = frozenset("include define undef if ifdef ifndef elif else endif pragma".split())
_NOT_PRAGMA = re.compile(r"^[ \t]*#[ \t]*(?!pragma\b)\w*", re.MULTILINE)


class CudaSubmission(Submission):
    """The written text, comments gone and lines joined: its words with those of macros, its declarations as C."""

    def __init__(self, source: str, experiment: Experiment) -> None:
        text, lines = _joined(_COMMENT.sub(_without_comment, source.replace("\r\n", "\n")))
        headers = tuple(
            Header(path=_named(match[1]), line=lines[text.count("\n", 0, match.start())])
            for match in _INCLUDE.finditer(text)
        )
        expansion = Expansion(text=cuda_source.as_c(text), lines=lines, headers=headers)
        super().__init__(expansion, experiment.target, experiment.signature)
        self.written = text
        self.tokens = tuple(tokenise(_NOT_PRAGMA.sub("", text)))


def inspect(source: str, experiment: Experiment) -> tuple[Violation, ...]:
    """Every rule that the source breaks. What is no CUDA C++ is left to the build, which says it best."""
    size_bytes, most = len(source.encode("utf-8", "replace")), experiment.limits.source_bytes
    if size_bytes > most:
        return (Violation(rule="size", message=f"the source has {size_bytes} bytes, at most {most} are allowed"),)
    submission = CudaSubmission(source, experiment)
    return tuple(violations_of(experiment, submission))


def plain_directives(submission: Submission) -> Iterator[Violation]:
    """The usual directives, and nothing that makes words of parts of words."""
    written = submission.written if isinstance(submission, CudaSubmission) else ""
    for match in _DIRECTIVE.finditer(written):
        if match[1] not in _DIRECTIVES:
            line = submission.line(written.count("\n", 0, match.start()))
            yield Violation(rule="plain_directives", message=f"a #{match[1]}; the lines stay as they are", line=line)
    for mark in ("##", "%:", "??="):
        if (at := written.find(mark)) >= 0:
            line = submission.line(written.count("\n", 0, at))
            yield Violation(rule="plain_directives", message=f"{mark}: every word is written whole", line=line)


def one_entry(submission: Submission) -> Iterator[Violation]:
    """The target as the signature has it; more than one is for the compiler to refuse."""
    wanted = cuda_source.parse_signature(submission.signature)
    for function in submission.unit.functions:
        if function.name == submission.target and (difference := describe_difference(wanted, function)):
            message = f"{difference}: the signature is {submission.signature}"
            yield Violation(rule="one_entry", message=message, line=submission.line(function.start_line - 1))


def _joined(text: str) -> tuple[str, tuple[int, ...]]:
    """The text with continued lines as one, and the number that each line began with."""
    rows: list[str] = []
    numbers: list[int] = []
    number = 1
    for line in _JOINED.sub("\x00", text).split("\n"):
        rows.append(line.replace("\x00", ""))
        numbers.append(number)
        number += 1 + line.count("\x00")
    return "\n".join(rows), tuple(numbers)


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match["kept"] else " " + "\n" * match[0].count("\n")


def _named(words: str) -> str:
    """The header that an #include names; what is no `<name>` stays as it is written, and is on no list."""
    named = re.fullmatch(r"<([\w./+-]+)>[ \t]*", words)
    return named[1] if named else words.strip()[:60] or "nothing"


CUDA_HEADERS = frozenset(
    (
        "cuda_runtime.h math.h cmath stdint.h cstdint stddef.h cstddef float.h cfloat limits.h climits"
        " cuda_fp16.h cuda_bf16.h mma.h cuda_pipeline.h cooperative_groups.h cooperative_groups/reduce.h"
    ).split()
)
_CLOCKS = "clock clock64 __nanosleep __clock* __globaltimer* __prof_trigger __nv_ptx*"
_HEAPS = "malloc calloc realloc free new delete alloca __nv_aligned_device_malloc cudaMalloc* cudaFree* cudaHost*"
_SPEAKING = "printf vprintf fprintf puts putchar assert __assertfail __assert_fail"
_COMPILERS_OWN = "__cuda* ____nv_* __fat* __device_stub* __sti* __nv_inited* __nv_fatbin*"
_LIBRARIES = "cublas* cudnn* cusparse* cusolver* curand* cufft* nvrtc* cutlass* cute thrust cub dlopen dlsym system"
# What every CUDA experiment starts from; one with other needs lists the rules itself, with lists of its own.
CUDA_RULES: tuple[Rule, ...] = (
    gate.plainly_written,
    plain_directives,
    gate.headers(CUDA_HEADERS),
    one_entry,
    gate.no_state,
    gate.no_externals,
    gate.no_assembly,
    gate.pragmas({"unroll"}),
    gate.attributes(C_ATTRIBUTES),
    gate.calls_forbidden(_LIBRARIES, "no library: the kernels are the candidate's own"),
    gate.calls_forbidden(_CLOCKS, "the clock and the counters are the judge's"),
    gate.calls_forbidden(_HEAPS, "a candidate allocates nothing: registers, shared memory and its output are enough"),
    gate.calls_forbidden(_SPEAKING, "a kernel says nothing but its output"),
    gate.calls_forbidden(_COMPILERS_OWN, "names that begin so are the compiler's"),
    gate.calls_forbidden("__has_include* __has_embed _Pragma __asm*", "a source is read alike wherever it is"),
    *MACHINE_RULES,
)

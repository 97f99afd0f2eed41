"""Rules that an experiment's security.py composes: what a source may contain, said early and clearly.

The rules look at what the compiler will see: the candidate's own lines after the preprocessor. The gate is for good
messages and for what leaves no trace in the artifact, such as compiler options; memory, calls and state are held by the
artifact check and the process as well.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

from harness.contract import Experiment
from harness.judge import toolchain
from harness.judge.answers import violations_of
from harness.judge.diagnostics import Diagnostics
from harness.judge.expansion import Expansion, Header, read_expansion
from harness.judge.submission import Submission
from harness.judge.toolchain import SupportsBool
from harness.records import Violation
from harness.source import Function, describe_difference, parse, parse_signature

_PREPROCESS_S = 5.0
_EXPANDED_PER_SOURCE = 4
_ASSEMBLY = ("asm", "__asm", "__asm__")
_RAW_STRINGS = ("R", "LR", "uR", "UR", "u8R")

Rule: TypeAlias = Callable[[Submission], Iterator[Violation]]


def inspect(source: str, experiment: Experiment, stop: SupportsBool = False) -> tuple[Violation, ...]:
    """Every rule that the source breaks. What does not get through the preprocessor is left to the build, which says
    it best, unless it is a header that may not be included."""
    limits = experiment.limits
    size_bytes = len(source.encode("utf-8", "replace"))
    if size_bytes > limits.source_bytes:
        return _refused_size(f"the source has {size_bytes} bytes, at most {limits.source_bytes} are allowed")
    limit_s = min(_PREPROCESS_S, limits.build_timeout_s)
    done = toolchain.preprocess(source, experiment.signature, experiment.flags, limit_s, stop)
    found: tuple[Violation, ...] = ()
    if isinstance(done, Diagnostics):
        if done.is_exhausted and not stop:
            found = _refused_size(f"the preprocessor does not get through it: {done.first_error}")
        written = tuple(Header(path=name, line=None) for name in parse(source).includes)
        expansion = Expansion(text="", lines=(), headers=written)
    else:
        expansion = read_expansion(done, source)
        alone = toolchain.preprocess(expansion.includes, experiment.signature, experiment.flags, limit_s, stop)
        if isinstance(alone, Diagnostics) and alone.is_exhausted:
            return () if stop else _refused_size(f"the preprocessor does not get through it: {alone.first_error}")
        said = read_expansion(alone, expansion.includes).of_headers if isinstance(alone, str) else None
        expansion = replace(expansion, is_theirs=said == expansion.of_headers)
    most = _EXPANDED_PER_SOURCE * limits.source_bytes
    if len(expansion.text) > most:
        return _refused_size(f"its macros expand to {len(expansion.text)} bytes, at most {most} are allowed")
    submission = Submission(expansion, experiment.target, experiment.signature)
    return (*found, *violations_of(experiment, submission))


def plainly_written(submission: Submission) -> Iterator[Violation]:
    """Text that reads the same here and in the compiler: no moved lines, no literals that hide what follows."""
    if submission.expansion.moved_at is not None:
        message = "a #line or a line marker: the lines keep their own file and number"
        yield Violation(rule="plainly_written", message=message, line=submission.expansion.moved_at)
    tokens = submission.tokens
    for before, token in pairwise(tokens):
        if token.kind != "text" or not before.touches(token):
            continue
        line = submission.line(token.row)
        if before.text in _RAW_STRINGS:
            yield Violation(rule="plainly_written", message="a raw string; plain ones are allowed", line=line)
        elif before.kind == "number":
            message = f"a quote inside the number {before.text}; write numbers without"
            yield Violation(rule="plainly_written", message=message, line=line)


def headers(allowed: Collection[str]) -> Rule:
    """System headers off this list only, however they are named; what these include in turn is their business. What
    they say is not judged, so it has to be what they say to everybody."""

    def rule(submission: Submission) -> Iterator[Violation]:
        if not submission.expansion.is_theirs:
            message = "a macro changes what a header says; all #define and #undef come after the last #include"
            yield Violation(rule="headers", message=message, line=submission.expansion.headers[-1].line)
        for header in submission.expansion.headers:
            name = header.path.strip('"')
            is_system = toolchain.is_systems(name)
            if name in allowed or (is_system and any(name.endswith(f"/{known}") for known in allowed)):
                continue
            shown = name.rsplit("/", 1)[-1] if is_system else name
            message = f"#include of {shown}; allowed: {_listed(allowed)}"
            yield Violation(rule="headers", message=message, line=header.line)

    return rule


def one_target(submission: Submission) -> Iterator[Violation]:
    """One function that the world can see, as the signature has it; every other is a static helper. Text that the
    grammar does not follow is left to the compiler, which holds all of this too."""
    if submission.unit.first_error_line is not None:
        return
    target, functions = submission.target, submission.unit.functions

    def violation(message: str, function: Function) -> Violation:
        return Violation(rule="one_target", message=message, line=submission.line(function.start_line - 1))

    wanted = parse_signature(submission.signature)
    found = [function for function in functions if function.name == target]
    for function in found:
        if difference := describe_difference(wanted, function):
            yield violation(f"{difference}: the signature is {submission.signature}", function)
    for function in found[1:]:
        yield violation(f"{target} is defined more than once", function)
    static = {function.name for function in submission.unit.prototypes if function.is_static}
    for function in functions:
        if function.name != target and not function.is_static and function.name not in static:
            yield violation(f"{function.name} is not static: only {target} may be seen from outside", function)


def no_state(submission: Submission) -> Iterator[Violation]:
    """Nothing outlives a call: variables outside of functions, and static ones inside, are const."""
    for variable in submission.variables():
        if not variable.is_const and not variable.is_extern:
            message = f"{variable.name} outlives the call: keep no state; `static const` tables are allowed"
            yield Violation(rule="no_state", message=message, line=submission.line(variable.row))


def no_externals(submission: Submission) -> Iterator[Violation]:
    """No variable of anyone else. Which functions may be called, the artifact check knows."""
    for variable in submission.variables():
        if variable.is_extern:
            message = f"{variable.name} is declared extern: only the arguments are a candidate's to use"
            yield Violation(rule="no_externals", message=message, line=submission.line(variable.row))


def no_assembly(submission: Submission) -> Iterator[Violation]:
    """Neither statements nor labels nor registers by name."""
    for token in submission.words(*_ASSEMBLY):
        message = f"{token.text}: no assembly of any form; intrinsics are allowed"
        yield Violation(rule="no_assembly", message=message, line=submission.line(token.row))


def pragmas(allowed: Collection[str]) -> Rule:
    """Pragmas that begin with one of these words only: others change the compiler's options for a part of the code."""
    beginnings = [["pragma", *words.split()] for words in allowed]

    def rule(submission: Submission) -> Iterator[Violation]:
        for token in submission.tokens:
            if token.kind != "directive":
                continue
            words = re.findall(r"\w+|\S", token.text)
            if not any(words[: len(beginning)] == beginning for beginning in beginnings):
                message = f"#{' '.join(token.text.split())[:60]}; allowed: {_listed(allowed, '#pragma ')}"
                yield Violation(rule="pragmas", message=message, line=submission.line(token.row))

    return rule


def attributes(allowed: Collection[str]) -> Rule:
    """Attributes that shape code or types only, in any spelling."""

    def rule(submission: Submission) -> Iterator[Violation]:
        for token in submission.attributes():
            name = token.text.strip("_")
            if name not in allowed:
                message = f"attribute {name}; allowed: {_listed(allowed)}"
                yield Violation(rule="attributes", message=message, line=submission.line(token.row))

    return rule


def calls_forbidden(names: str, why: str) -> Rule:
    """None of these words, each said once; one that ends in `*` stands for all that begin so."""
    pattern = re.compile("|".join(re.escape(name).replace(r"\*", r"\w*") for name in names.split()))

    def rule(submission: Submission) -> Iterator[Violation]:
        first = {token.text: token for token in reversed(submission.tokens) if token.kind == "word"}
        for token in reversed(first.values()):
            if pattern.fullmatch(token.text):
                message = f"{token.text}: {why}"
                yield Violation(rule="calls_forbidden", message=message, line=submission.line(token.row))

    return rule


def _refused_size(message: str) -> tuple[Violation, ...]:
    return (Violation(rule="size", message=message),)


def _listed(allowed: Collection[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in sorted(allowed)) or "none"


C_HEADERS = frozenset(
    (
        "stddef.h stdint.h stdbool.h stdalign.h limits.h float.h math.h string.h"
        " immintrin.h x86intrin.h xmmintrin.h emmintrin.h pmmintrin.h tmmintrin.h smmintrin.h nmmintrin.h"
    ).split()
)
C_PRAGMAS = frozenset({"GCC unroll", "GCC ivdep"})
C_ATTRIBUTES = frozenset(
    (
        "vector_size aligned may_alias always_inline noinline hot cold const pure"
        " unused maybe_unused fallthrough"  # these two quieten warnings
    ).split()
)
# Instructions that leave no symbol in the artifact; each is refused under its intrinsic's name and its builtin's.
_OBSERVING = (
    "__rdtsc* _rdtsc* __builtin_ia32_rdtsc* __rdpmc _rdpmc __builtin_ia32_rdpmc _rdpid* __builtin_ia32_rdpid"
    " __cpuid* __get_cpuid* _xgetbv _xsetbv __builtin_ia32_xgetbv __builtin_ia32_xsetbv __builtin_readcyclecounter"
)
_RANDOM = "_rdrand* _rdseed* __builtin_ia32_rdrand* __builtin_ia32_rdseed*"
_MODES = (
    "_mm_setcsr __builtin_ia32_ldmxcsr _MM_SET_* _fxrstor* _xrstor* __builtin_ia32_fxrstor* __builtin_ia32_xrstor*"
    " __writeeflags __builtin_ia32_writeeflags* __builtin_ia32_fldenv __builtin_ia32_fnclex"
)
_CACHES = (
    "_mm_clflush* _mm_clwb _mm_cldemote _cldemote _clflush* __builtin_ia32_clflush* __builtin_ia32_clwb"
    " __builtin_ia32_cldemote _wbinvd _wbnoinvd __builtin_ia32_wb* _mm_clzero __builtin_ia32_clzero"
)
_WAITING = (
    "_mm_monitor* _mm_mwait* __builtin_ia32_monitor* __builtin_ia32_mwait* _umonitor _umwait _tpause"
    " __builtin_ia32_umonitor __builtin_ia32_umwait __builtin_ia32_tpause _xbegin _xend _xabort _xtest"
    " __builtin_ia32_xbegin __builtin_ia32_xend __builtin_ia32_xabort __builtin_ia32_xtest __builtin_tbegin*"
)
_MACHINE = (
    "_readfsbase* _readgsbase* _writefsbase* _writegsbase* __builtin_ia32_rdfsbase* __builtin_ia32_rdgsbase*"
    " __builtin_ia32_wrfsbase* __builtin_ia32_wrgsbase* _rdpkru* _wrpkru* __builtin_ia32_rdpkru __builtin_ia32_wrpkru"
    " _ptwrite* __builtin_ia32_ptwrite* _encl*_u32 _enqcmd* __builtin_ia32_enqcmd* _senduipi __builtin_ia32_senduipi"
    " _clui _stui __builtin_ia32_clui __builtin_ia32_stui _hreset __builtin_ia32_hreset _serialize"
    " __builtin_ia32_serialize __llwpcb __slwpcb __lwp* __builtin_ia32_llwpcb __builtin_ia32_slwpcb"
    " _inc_ssp _incssp* _get_ssp _saveprevssp _rstorssp __builtin_ia32_*ssp*"
)
_FLOW = (
    "__builtin_return_address __builtin_frame_address __builtin_extract_return_addr __builtin_frob_return_addr"
    " __builtin_setjmp __builtin_longjmp __builtin_unwind_init __builtin_eh_return* __builtin_dwarf_cfa"
    " __builtin_apply* __builtin_return __builtin_thread_pointer __builtin_set_thread_pointer"
    " __builtin_init_trampoline __builtin_adjust_trampoline __builtin_nonlocal_goto __builtin___clear_cache"
)
# No instruction that tells of the machine or changes it, whatever the language around it.
MACHINE_RULES: tuple[Rule, ...] = (
    calls_forbidden(_OBSERVING, "the clock, the counters and the CPU's identity are the judge's"),
    calls_forbidden(_RANDOM, "the result depends on the arguments alone"),
    calls_forbidden(_MODES, "the rounding, denormal and flag modes stay as they are"),
    calls_forbidden(_CACHES, "the caches belong to the next arm as well"),
    calls_forbidden(_WAITING, "a candidate neither waits nor opens transactions"),
    calls_forbidden(_MACHINE, "the state of the machine is not a candidate's to use"),
    calls_forbidden(_FLOW, "a candidate returns to its caller, and looks at nothing of it"),
    calls_forbidden("__builtin_cpu_*", "it needs a library; use `#if defined(__AVX2__)` and the like"),
)
# What every C experiment starts from; one with other needs lists the rules itself, with lists of its own.
C_RULES: tuple[Rule, ...] = (
    plainly_written,
    headers(C_HEADERS),
    one_target,
    no_state,
    no_externals,
    no_assembly,
    pragmas(C_PRAGMAS),
    attributes(C_ATTRIBUTES),
    *MACHINE_RULES,
)

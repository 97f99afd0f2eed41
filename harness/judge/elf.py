"""What a built artifact may be: one exported function and read-only everything else, so that it can keep no state.

Reads sections, segments and symbols; runs nothing. Every broken rule is a Violation with the fact in it.
"""

import io
from collections.abc import Iterator

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from harness.judge.toolchain import Artifact
from harness.records import Violation

# What gcc calls of its own accord, and the mathematics that float code needs. The runner has them all loaded.
ALLOWED_SYMBOLS = frozenset(
    (
        "memcpy memmove memset memcmp"
        " expf exp2f expm1f logf log2f log10f log1pf powf sqrtf cbrtf hypotf fabsf fmaf fmaxf fminf fmodf copysignf"
        " sinf cosf tanf asinf acosf atanf atan2f sinhf coshf tanhf erff erfcf"
        " floorf ceilf roundf truncf rintf nearbyintf lrintf lroundf ldexpf frexpf scalbnf"
        " exp exp2 expm1 log log2 log1p pow sqrt fabs fma fmax fmin tanh erf floor ceil round trunc rint"
    ).split()
)
READ_ONLY_BYTES_MAX = 256 << 10
_TEXT_STEP_BYTES, TEXT_PLACES = 16, 255  # all places in a page but the first, in which nothing is ever run
_INITIALISERS = (".init", ".fini", ".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors")
_RELOCATED = (".dynamic", ".got", ".got.plt", ".data.rel.ro")  # made read-only before the artifact is called
_WRITE, _ALLOCATED, _EXECUTE, _THREAD_LOCAL = 0x1, 0x2, 0x4, 0x400
_SEGMENT_EXECUTE, _SEGMENT_WRITE = 0x1, 0x2


def text_at(artifact: Artifact, place: int) -> int:
    """The address of one of TEXT_PLACES for the artifact's code: everything before it is of the same size wherever the
    code is moved to."""
    section = ELFFile(io.BytesIO(artifact.content)).get_section_by_name(".text")
    return (int(section["sh_addr"]) if section else 0) + (1 + place) * _TEXT_STEP_BYTES


def inspect(artifact: Artifact, target: str) -> tuple[Violation, ...]:
    """Every rule that the artifact breaks."""
    try:
        elf = ELFFile(io.BytesIO(artifact.content))
        return (*_sections(elf), *_segments(elf), *symbols(elf, target), *_dynamic(elf))
    except ELFError as fault:
        return (Violation(rule="elf", message=f"the artifact cannot be read: {fault}"),)


def _sections(elf: ELFFile) -> Iterator[Violation]:
    constants_bytes = 0
    for section in elf.iter_sections():
        name, flags, size = section.name, section["sh_flags"], section["sh_size"]
        if not flags & _ALLOCATED or not size:
            continue
        if name in _INITIALISERS or section["sh_type"] in ("SHT_INIT_ARRAY", "SHT_FINI_ARRAY", "SHT_PREINIT_ARRAY"):
            yield Violation(rule="no_initialisers", message=f"section {name}: nothing may run by itself")
        elif flags & _THREAD_LOCAL:
            yield Violation(rule="no_thread_locals", message=f"section {name}: {size} bytes of thread-local data")
        elif flags & _WRITE and name not in _RELOCATED:
            yield Violation(rule="no_state", message=f"section {name}: {size} bytes of writable data; keep no state")
        elif not flags & (_WRITE | _EXECUTE):
            constants_bytes += size
    if constants_bytes > READ_ONLY_BYTES_MAX:
        most = READ_ONLY_BYTES_MAX >> 10
        yield Violation(rule="constants", message=f"{constants_bytes >> 10} KiB of constants, at most {most} KiB")


def _segments(elf: ELFFile) -> Iterator[Violation]:
    for segment in elf.iter_segments():
        flags = segment["p_flags"]
        if segment["p_type"] == "PT_GNU_STACK" and flags & _SEGMENT_EXECUTE:
            yield Violation(rule="no_executable_stack", message="the stack would be executable")
        elif flags & _SEGMENT_EXECUTE and flags & _SEGMENT_WRITE:
            yield Violation(rule="no_writable_code", message="a segment is writable and executable")


def symbols(
    elf: ELFFile, target: str, allowed: frozenset[str] = ALLOWED_SYMBOLS, whose: str = "C library"
) -> Iterator[Violation]:
    """One export, and calls off a list."""
    exported = []
    table = elf.get_section_by_name(".dynsym")
    for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
        if not symbol.name:
            continue
        if symbol["st_info"]["type"] == "STT_LOOS":
            yield Violation(rule="no_ifuncs", message=f"{symbol.name} chooses its code by a resolver")
        if symbol["st_shndx"] != "SHN_UNDEF":
            exported.append(symbol.name)
        elif symbol.name not in allowed:
            yield Violation(rule="calls", message=f"{symbol.name} is called; only a few {whose} functions may be")
    if exported != [target]:
        others = ", ".join(sorted(set(exported) - {target})) or "nothing"
        yield Violation(rule="one_export", message=f"exports {others} besides {target}" if target in exported else
                        f"does not export {target}")  # fmt: skip


def _dynamic(elf: ELFFile) -> Iterator[Violation]:
    dynamic = elf.get_section_by_name(".dynamic")
    for tag in dynamic.iter_tags() if isinstance(dynamic, DynamicSection) else ():
        kind = tag.entry.d_tag
        if kind in ("DT_NEEDED", "DT_RPATH", "DT_RUNPATH", "DT_AUDIT", "DT_FILTER", "DT_AUXILIARY"):
            yield Violation(rule="no_libraries", message=f"{kind} {tag.entry.d_val}: no library may be loaded")
        elif kind in ("DT_INIT", "DT_FINI", "DT_TEXTREL"):
            yield Violation(rule="no_initialisers", message=f"{kind} is set: nothing may run or be patched by itself")
    for section in (section for section in elf.iter_sections() if isinstance(section, RelocationSection)):
        # R_X86_64_IRELATIVE asks the loader to call a resolver, with or without a symbol
        if any(relocation["r_info_type"] == 37 for relocation in section.iter_relocations()):
            yield Violation(rule="no_ifuncs", message="a relocation would run a resolver when the artifact is loaded")

"""The only module that runs a compiler: source -> shared object or preprocessed text, or what the compiler said.

Every candidate's compiler runs in a box: a cleared environment, a folder of its own, limits on memory, output, time
and, where the kernel has Landlock, on the files that it may open. Knows nothing of what a candidate may contain (gate)
or what an object may hold (elf).
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path
from typing import Protocol

from harness.errors import JudgeError
from harness.judge.diagnostics import CANDIDATE, Diagnostics, diagnose, remarks
from harness.workplace import workplace

HERE = Path(__file__).resolve().parent
COMPILER = "gcc"
PRELUDE, REMARKS = "prelude.h", "remarks"
COMPILE_FLAGS = ("-fPIC", "-fvisibility=hidden")
# Without a symbol table: the names of helpers would make different artifacts of the same code.
LINK_FLAGS = ("-shared", "-nostartfiles", "-nostdlib", "-Wl,-s,-z,now,-z,noexecstack")
EXPANDED_BYTES_MAX = 32 << 20
_OBJECT_BYTES_MAX = 64 << 20
_MEMORY_BYTES_MAX = 4 << 30
# The declaration comes before the candidate's text: it exports the target alone, and gcc holds the definition to it.
_PRELUDE = '#include <stddef.h>\n#include <stdint.h>\n__attribute__((visibility("default"))) {signature};\n'
# gcc quotes whatever file a `#line` names: the lines shown are taken by us, from the candidate's own text.
_SAY_LITTLE = ("-w", "-fmax-errors=8", "-fno-diagnostics-show-caret", "-fno-diagnostics-show-option")
# It costs nothing to write down what becomes of the loops.
_REMARK = f"-fopt-info-vec-optimized-missed={REMARKS}"
# The files around it would tell a candidate the gate's run from the build's, and show each another text.
_SEE_NO_FILES = ("-D__has_include(...)=0", "-D__has_include_next(...)=0", "-D__has_embed(...)=0")
_TOOL_TIMEOUT_S = 60.0
_SAID_BYTES_MAX = 256 << 10
# Limits are set by a shell that then becomes the compiler: a hook between fork and exec is not safe beside threads.
# The number of processes is not limited: the kernel counts those of the user, not those of this compiler.
_LIMITED = 'ulimit -v "$1" && ulimit -f "$2" && ulimit -t "$3" && ulimit -c 0 && shift 3 && exec "$@"'
# A cleared environment: nothing of the user's reaches the compiler, its messages come in one language, and the date is
# always the same, so that one source makes one object.
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "SOURCE_DATE_EPOCH": "0", "CCACHE_DISABLE": "1"}
_COMPILERS_LIVE_IN = (
    *("/usr", "/bin", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store", "/etc/alternatives"),
    *("/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
)
_NOT_EXECUTABLE = 126
_NO_COMPILER_RAN = (_NOT_EXECUTABLE, 127)


class SupportsBool(Protocol):
    """A flag that another thread may raise; a plain bool never changes, and that is fine as well."""

    def __bool__(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A built shared object, whole in memory: no file of it stays behind. `compiled` is what it was linked from;
    `remarks` are the compiler's on its loops, text from a candidate."""

    content: bytes
    compiled: bytes = b""
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Box:
    """Runs of a compiler: the folder it writes in and what it may take. `roots`: all else that it may read; empty where
    nothing needs to be closed to it."""

    folder: Path
    timeout_s: float
    stop: SupportsBool
    roots: tuple[str, ...]
    output_bytes: int

    @property
    def said(self) -> str:
        """What the compiler said last, from its beginning."""
        return _beginning(self.folder / "said")


@contextmanager
def boxed(
    timeout_s: float, stop: SupportsBool, roots: tuple[str, ...] = (), output_bytes: int = _OBJECT_BYTES_MAX
) -> Iterator[Box]:
    """A folder that is gone afterwards. What the system refuses meanwhile, most likely for want of room, is said."""
    try:
        with workplace() as folder:
            yield Box(folder, timeout_s, stop, roots, output_bytes)
    except OSError as fault:
        hint = "free some space there, or set TMPDIR to another folder."
        raise JudgeError(f"cannot build in {tempfile.tempdir or 'TMPDIR'}: {fault.strerror or fault}.", hint) from None


def require_compiler() -> str:
    """The compiler's path; JudgeError where there is none."""
    path = shutil.which(COMPILER)
    if path is None:
        raise JudgeError(f"{COMPILER} is not on the PATH.", "install it: `apt-get install gcc` or your system's like.")
    return path


def compiler_version() -> str:
    return f"{COMPILER} {_version_of(require_compiler())}"


@cache
def _version_of(path: str) -> str:
    done = subprocess.run([path, "-dumpfullversion"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def build(
    source: str, signature: str, flags: Sequence[str], timeout_s: float, stop: SupportsBool
) -> Artifact | Diagnostics:
    """Compile one candidate: everything is hidden but the one function of that signature."""
    with boxed(timeout_s, stop, compiler_roots()) as box:
        options = [*flags, *COMPILE_FLAGS, _REMARK, "-c"]
        compiled = run_compiler([*options, *_lay_out(source, signature, box.folder)], box, source)
        artifact = compiled if isinstance(compiled, Diagnostics) else _link(compiled, flags, None, box)
        if isinstance(artifact, Diagnostics) or not (box.folder / REMARKS).is_file():
            return artifact
        return replace(artifact, remarks=remarks(_beginning(box.folder / REMARKS), source))


def relink(
    artifact: Artifact, flags: Sequence[str], text_at: int, timeout_s: float, stop: SupportsBool
) -> Artifact | Diagnostics:
    """The same code once more, at another place in memory."""
    with boxed(timeout_s, stop, compiler_roots()) as box:
        return _link(artifact.compiled, flags, text_at, box)


def _link(compiled: bytes, flags: Sequence[str], text_at: int | None, box: Box) -> Artifact | Diagnostics:
    """With its code where the linker puts it, or there."""
    (box.folder / "candidate.o").write_bytes(compiled)
    at = [] if text_at is None else [f"-Wl,--section-start=.text={text_at:#x}"]
    linked = run_compiler([*flags, *LINK_FLAGS, *at, "candidate.o"], box, "")
    return linked if isinstance(linked, Diagnostics) else Artifact(content=linked, compiled=compiled)


def preprocess(
    source: str, signature: str, flags: Sequence[str], timeout_s: float, stop: SupportsBool
) -> str | Diagnostics:
    """What `build` would compile, after the preprocessor and with line markers; the same box, the same flags."""
    with boxed(timeout_s, stop, compiler_roots(), EXPANDED_BYTES_MAX) as box:
        done = run_compiler([*flags, *COMPILE_FLAGS, "-E", *_lay_out(source, signature, box.folder)], box, source)
        return done if isinstance(done, Diagnostics) else done.decode("utf-8", "replace")


def cached_tool(name: str, sources: Sequence[Path], extra: str, flags: Sequence[str]) -> Path:
    """A program or library of our own, built once and kept under the hash of all that it is made from."""
    parts = [path.read_bytes() for path in sources]
    key = hashlib.sha256(b"\0".join([*parts, extra.encode(), " ".join(flags).encode(), compiler_version().encode()]))
    path = cache_folder() / f"{name}-{key.hexdigest()[:20]}"
    if path.is_file():
        with suppress(OSError):
            os.utime(path)  # in use, so that no sweep takes it
        return path
    with boxed(_TOOL_TIMEOUT_S, False) as box:
        (box.folder / "invoke.h").write_text(extra, encoding="utf-8")
        built = run_compiler([*flags, f"-I{HERE}", f"-I{box.folder}", str(sources[0])], box, "")
        if isinstance(built, Diagnostics):
            raise JudgeError(
                f"{name} does not build: {built.first_error}", "`python loop.py doctor` checks the machine."
            )
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_bytes(built)
        partial.chmod(0o755)
        partial.replace(path)
    return path


def is_systems(path: str) -> bool:
    """Whether a file is one of the compiler's or of the system's headers, by the place where it lies."""
    place = Path(os.path.normpath(path))
    return any(place.is_relative_to(root) for root in compiler_roots())


def cache_folder() -> Path:
    """Where our own tools and what was learnt of this machine are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "loop.py"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise JudgeError(
            f"{folder}: {fault.strerror}.", "set XDG_CACHE_HOME to a folder that can be written."
        ) from None
    return folder


def _lay_out(source: str, signature: str, folder: Path) -> list[str]:
    """The candidate's files in its folder, and the arguments that name them."""
    (folder / CANDIDATE).write_bytes(source.encode("utf-8", "replace"))
    os.utime(folder / CANDIDATE, (0, 0))  # __TIMESTAMP__ tells nothing either
    (folder / PRELUDE).write_text(_PRELUDE.format(signature=signature), encoding="utf-8")
    return [*_SAY_LITTLE, *_SEE_NO_FILES, "-include", PRELUDE, CANDIDATE]


def compiler_roots(path: str = "") -> tuple[str, ...]:
    """Where a compiler keeps itself and its headers, the one in use included."""
    return (*_COMPILERS_LIVE_IN, str(Path(path or require_compiler()).resolve().parents[1]))


def run_compiler(arguments: Sequence[str], box: Box, source: str, path: str = "") -> bytes | Diagnostics:
    """One run of gcc, or of the compiler at `path`, in its box; `source` is what its messages are about."""
    output, said_file = box.folder / "out", box.folder / "said"
    path = path or require_compiler()
    limits = [_MEMORY_BYTES_MAX >> 10, box.output_bytes >> 9, ceil(box.timeout_s) + 1]
    confine: list[str] = []
    if box.roots:
        confine = [str(cached_tool("confine", [HERE / "confine.c"], "", ("-O2",))), str(box.folder), *box.roots, "--"]
    command = ["/bin/sh", "-c", _LIMITED, "sh", *map(str, limits), *confine, path, *arguments]
    with said_file.open("wb") as said:
        process = subprocess.Popen(
            [*command, "-o", str(output)],
            cwd=box.folder,
            env=_ENVIRONMENT | {"TMPDIR": str(box.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # nothing is written there: it tells at once when the last of them has ended
            stderr=said,
            start_new_session=True,
        )
    if not _ends_in_time(process, box):
        return Diagnostics(text=f"error: the compiler was stopped after {box.timeout_s:g} s", is_exhausted=True)
    text = box.said
    if process.returncode == _NOT_EXECUTABLE and confine:  # the shell's word on the box; of the compiler it says 127
        raise JudgeError(
            f"{confine[0]} cannot be started: {text.strip().rpartition(': ')[2]}.",
            "set XDG_CACHE_HOME to a folder that programs may be run from.",
        )
    if process.returncode in _NO_COMPILER_RAN:
        raise JudgeError(f"{path} cannot be started: {text.strip()}", "`python loop.py doctor` checks the machine.")
    if process.returncode == 0 and output.is_file():
        return output.read_bytes()
    allowed = f"{_MEMORY_BYTES_MAX >> 30} GiB of memory, {box.output_bytes >> 20} MiB of output, {box.timeout_s:g} s"
    return diagnose(text.replace(f"{box.folder}/", ""), source, allowed)


def _ends_in_time(process: "subprocess.Popen[bytes]", box: Box) -> bool:
    deadline_s = time.monotonic() + box.timeout_s
    try:
        while time.monotonic() <= deadline_s and not box.stop:
            with suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=0.2)
                return True
        return False
    finally:
        # gcc is a driver: cc1, as and ld are its children, and outlive it unless the whole group goes
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SAID_BYTES_MAX).decode("utf-8", "replace")

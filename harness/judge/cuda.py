"""CUDA C++: nvcc in the compiler's box, what an object of it may hold, and the Python module that calls it.

The candidate's kernels run through the Python arm (docs/adr/0015): this module makes what that arm loads. It decides
nothing and starts no process but the compiler.
"""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Symbol, SymbolTableSection

from harness.contract import CUDA, Experiment
from harness.errors import JudgeError
from harness.judge import elf, python, toolchain
from harness.judge.diagnostics import Diagnostics
from harness.judge.signature import read_signature
from harness.judge.toolchain import Artifact, SupportsBool
from harness.records import Violation

MODULES = ("torch",)
DEFAULT_ARCHITECTURE = "sm_80"  # nvcc 11.0 to 13 know it, and the PTX beside it runs on whatever came later
_SOURCE = "candidate.cu"
_PRELUDE = '#include <cuda_runtime.h>\nextern "C" __attribute__((visibility("default"))) {signature};\n'
_HOST_FLAGS = "-fPIC,-fvisibility=hidden,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics"
_FLAGS = ("-c", "-w", "-Xcompiler", _HOST_FLAGS, "-Xptxas", "-v", "-include", toolchain.PRELUDE)
_LINK_FLAGS = ("-shared", "-Wl,-s,-z,now,-z,noexecstack")
# What nvcc has a launch call, and what may be set before one: nothing that waits, allocates, copies or tells the time.
_LAUNCHING = frozenset(
    (
        "__cudaRegisterFatBinary __cudaRegisterFatBinaryEnd __cudaUnregisterFatBinary __cudaRegisterFunction"
        " __cudaInitModule __cudaPushCallConfiguration __cudaPopCallConfiguration __cudaGetKernel __cudaLaunchKernel"
        " cudaLaunchKernel cudaLaunchKernelExC cudaLaunchCooperativeKernel"
        " cudaFuncSetAttribute cudaFuncSetCacheConfig cudaGetLastError cudaPeekAtLastError"
    ).split()
)
# What every object is linked with calls these, where it is unloaded or profiled.
_STARTING = frozenset("__cxa_atexit __cxa_finalize __gmon_start__".split())
_TABLES = frozenset({"_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable"})
ALLOWED_SYMBOLS = _LAUNCHING | elf.ALLOWED_SYMBOLS | _STARTING | _TABLES
# nvcc's own: the handle of the device code, and what its stubs keep of a kernel. No candidate may write such names.
_OWN_NAMES = "__cuda|____nv_|__fat|__device_stub__|__nv_inited_managed_rt|__nv_fatbinhandle_for_managed_rt"
_NVCCS_OWN = re.compile(rf"(?:_ZZ?L|_ZGVZL)\d+(?:{_OWN_NAMES})")
_OF_A_FILE = re.compile(r"^_ZL\d+")  # how C++ writes a static name
_REGISTERING = "__sti____cudaRegisterAll"
_WRITE, _ALLOCATED = 0x1, 0x2
_POINTER_BYTES = 8
_NUMBERS = {"int": "ctypes.c_int", "long": "ctypes.c_long"}
_ENTRY = re.compile(r"Compiling entry function '(\w+)'")
_USED = re.compile(r"info\s*: (Used .*)")
_SPILLED = re.compile(r"(\d+) bytes spill stores")

# What the Python arm loads; LIBRARY is put there by the runner. The runtime is torch's, found among all that is loaded.
_MODULE = """\
import ctypes
import torch

_run = LIBRARY.{target}
_run.restype = None
_run.argtypes = [{types}]
_failed = {failed}

def _at(tensor):
    return None if tensor is None else tensor.data_ptr()

def {target}({inputs}, shape):
    {output} = torch.empty(shape, device="{device}")
    _run({arguments})
    code = _failed()
    if code:
        raise torch.cuda.CudaError(code)
    return {output}
"""
_LAST_ERROR = "ctypes.CDLL(None).cudaGetLastError"


def find_nvcc() -> str | None:
    homes = [home for home in (os.environ.get("CUDA_HOME"), "/usr/local/cuda") if home]
    return shutil.which("nvcc", path=os.pathsep.join([os.environ.get("PATH", ""), *(f"{home}/bin" for home in homes)]))


def require_nvcc() -> str:
    """nvcc's path; JudgeError where there is none."""
    path = find_nvcc()
    if path is None:
        raise JudgeError(
            "nvcc is not on the PATH, and CUDA C++ is built by nothing else.",
            "install the CUDA toolkit, 11.0 or later, or set CUDA_HOME to where it is; a device is not needed.",
        )
    return path


@cache
def nvcc_version() -> str:
    path = find_nvcc()
    if path is None:
        return "no nvcc"
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"release ([\d.]+)", done.stdout)
    return f"nvcc {found[1] if found else '?'}"


def build(experiment: Experiment, source: str, architecture: str, stop: SupportsBool) -> Artifact | Diagnostics:
    """The candidate as a shared object, its host and device code; `compiled` is the object that it was linked from."""
    nvcc = require_nvcc()
    roots = (*toolchain.compiler_roots(), *toolchain.compiler_roots(nvcc)[-1:])
    with toolchain.boxed(experiment.limits.build_timeout_s, stop, roots) as box:
        (box.folder / _SOURCE).write_bytes(source.encode("utf-8", "replace"))
        (box.folder / toolchain.PRELUDE).write_text(_PRELUDE.format(signature=experiment.signature), encoding="utf-8")
        options = [*experiment.flags, f"-arch={architecture}", *_FLAGS]
        compiled = toolchain.run_compiler([*options, _SOURCE], box, source, nvcc)
        if isinstance(compiled, Diagnostics):
            return compiled
        said = tuple(remarks(box.said))
        (box.folder / "candidate.o").write_bytes(compiled)
        linked = toolchain.run_compiler([*_LINK_FLAGS, "candidate.o"], box, "")
        return linked if isinstance(linked, Diagnostics) else Artifact(content=linked, compiled=compiled, remarks=said)


def remarks(said: str) -> Iterator[str]:
    """What ptxas says that each kernel takes, in its words."""
    kernel, spilled = "", "0"
    for line in said.splitlines():
        if entry := _ENTRY.search(line):
            kernel, spilled = entry[1], "0"
        elif found := _SPILLED.search(line):
            spilled = found[1]
        elif (used := _USED.search(line)) and kernel:
            yield f"{kernel[:80]}: {used[1][:120]}, {spilled} bytes spilled"


def inspect(artifact: Artifact, target: str) -> tuple[Violation, ...]:
    """Every rule that the artifact breaks, and the object that it was linked from."""
    try:
        linked, compiled = (ELFFile(io.BytesIO(content)) for content in (artifact.content, artifact.compiled))
        called = elf.symbols(linked, target, ALLOWED_SYMBOLS, "CUDA runtime and C library")
        return (*_initialisers(compiled), *_state(compiled), *called)
    except ELFError as fault:
        return (Violation(rule="elf", message=f"the artifact cannot be read: {fault}"),)


def _initialisers(compiled: ELFFile) -> Iterator[Violation]:
    """One alone: nvcc's, which tells the runtime of the device code."""
    own = any(_REGISTERING in symbol.name for symbol in _symbols(compiled))
    for section in compiled.iter_sections():
        name = section.name
        is_nvccs = name == ".init_array" and section["sh_size"] == _POINTER_BYTES and own
        if name.startswith((".init", ".fini", ".ctors", ".dtors", ".preinit")) and section["sh_size"] and not is_nvccs:
            yield Violation(rule="no_initialisers", message=f"section {name}: nothing may run by itself")


def _state(compiled: ELFFile) -> Iterator[Violation]:
    """Variables of the host that can be written, and variables of the device: these are told to the runtime."""
    for symbol in _symbols(compiled):
        index = symbol["st_shndx"]
        if symbol.name in ("__cudaRegisterVar", "__cudaRegisterManagedVar"):
            message = "a __device__, __constant__ or __managed__ variable outlives the call: keep no state"
            yield Violation(rule="no_state", message=message)
        if symbol["st_info"]["type"] not in ("STT_OBJECT", "STT_TLS") or not isinstance(index, int):
            continue
        flags = compiled.get_section(index)["sh_flags"]
        if flags & _WRITE and flags & _ALLOCATED and not _NVCCS_OWN.match(symbol.name):
            yield Violation(
                rule="no_state", message=f"{_OF_A_FILE.sub('', symbol.name)} outlives the call: keep no state"
            )


def _symbols(file: ELFFile) -> Sequence[Symbol]:
    table = file.get_section_by_name(".symtab")
    return tuple(table.iter_symbols()) if isinstance(table, SymbolTableSection) else ()


class Arm(python.Arm):
    """A Python arm whose module does nothing but hand the tensors' addresses to the shared object."""

    def _start(self, artifact: Artifact, base: int) -> python.Child:
        library = os.memfd_create("loop-artifact", os.MFD_CLOEXEC)
        try:
            os.write(library, artifact.content)
            return self._split(module(self.experiment), artifact.digest, base, library)
        finally:
            os.close(library)


def module(experiment: Experiment) -> str:
    """The Python module that calls the shared object of an experiment: what the Python arm loads."""
    signature = read_signature(experiment)
    parameters = signature.function.parameters
    given = [f"_at({p.name})" if p.is_pointer else p.name for p in parameters]
    return _MODULE.format(
        target=experiment.target,
        types=", ".join("ctypes.c_void_p" if p.is_pointer else _NUMBERS[p.ctype] for p in parameters),
        inputs=", ".join(name for name in signature.columns if name != signature.output),
        output=signature.output,
        device=experiment.device,
        arguments=", ".join(given),
        failed=_LAST_ERROR if experiment.device == CUDA else "int",
    )

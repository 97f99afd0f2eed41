"""Which machine this is: times of one are never ranked against times of another."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path

from harness.contract import Experiment
from harness.judge import cuda, device, toolchain

_ISAS = (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("sse4_2", "SSE4.2"), ("asimd", "NEON"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a time depends on besides the code."""

    cpu: str
    isa: str
    cores: int
    kernel: str
    compiler: str

    def __str__(self) -> str:
        return f"{self.cpu} ({self.isa}), {self.cores} cores, {self.compiler}, Linux {self.kernel}"


def fingerprint(experiment: Experiment) -> str:
    """This machine as a score names it, with what builds the experiment and on what device it is timed: times that
    differ in any of it are not ranked."""
    machine = this_machine()
    if experiment.command:
        beside = f" beside {device.cuda()}" if device.cuda() else ""  # which it may use
        return str(replace(machine, compiler=experiment.command.line + beside))
    return str(replace(machine, compiler=built_by(experiment) + device.name_of(experiment)))


def built_by(experiment: Experiment) -> str:
    """The compiler with its flags, or the interpreter with its libraries."""
    return _BUILT_BY[experiment.language](this_machine(), experiment.flags)


@cache
def this_machine() -> Machine:
    info = cpu_info()
    flags = info.get("flags", info.get("Features", "")).split()
    return Machine(
        cpu=info.get("model name", platform.machine()),
        isa=next((name for flag, name in _ISAS if flag in flags), platform.machine()),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        compiler=toolchain.compiler_version(),
    )


@cache
def cpu_info() -> Mapping[str, str]:
    """The first processor of /proc/cpuinfo."""
    first = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


@cache
def caches() -> Mapping[str, str]:
    """Sizes of the data caches, such as {"L1d": "32K"}."""
    found = {}
    for index in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((index / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:  # some kernels leave one out
            continue
        if kind != "Instruction":
            found[f"L{level}{'d' if kind == 'Data' else ''}"] = size
    return found


def _by_compiler(machine: Machine, flags: Sequence[str]) -> str:
    return " ".join((machine.compiler, *flags))


def _by_interpreter(machine: Machine, modules: Sequence[str]) -> str:
    distributions = dict.fromkeys(name.partition(".")[0] for name in modules)
    return " ".join((f"Python {platform.python_version()}", *(f"{name} {_version(name)}" for name in distributions)))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "?"


def _by_nvcc(machine: Machine, flags: Sequence[str]) -> str:
    return " ".join((cuda.nvcc_version(), *flags))


_BUILT_BY = {"c": _by_compiler, "python": _by_interpreter, "cuda": _by_nvcc}

"""Which accelerator this machine has, what is left of an experiment that asks for one where there is none, and what a
candidate's process needs to work on one.

The only module that talks to a driver. It makes no context: the judge's own process stays off the device.
"""

import ctypes
import os
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from harness.contract import CPU, CUDA, Experiment
from harness.errors import JudgeError

_NAME_BYTES = 256
_TRITON = "triton"
# What says where libraries and devices are; everything else of the user's stays out.
_VISIBLE = "CUDA_VISIBLE_DEVICES"
PASSED_ON = ("LD_LIBRARY_PATH", "CUDA_DEVICE_ORDER", _VISIBLE, "CUDA_HOME", "CUDA_PATH")
# Where a driver, its libraries and the compilers that Triton runs live.
_READABLE = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/etc/alternatives", "/etc/ld.so.cache", "/sys/devices"),
    *("/proc/self", "/proc/driver", "/proc/cpuinfo", "/proc/meminfo"),
)
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """What a time on it depends on; `architecture` is what nvcc calls it, such as `sm_90`."""

    name: str
    architecture: str
    driver: str

    def __str__(self) -> str:
        return f"{self.name} ({self.architecture}, driver API {self.driver})"


@cache
def cuda() -> Accelerator | None:
    """The first CUDA device that this process may use, None where there is no driver or no device."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, number, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    if driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), 0):
        return None

    def asked(attribute: int) -> int:
        driver.cuDeviceGetAttribute(ctypes.byref(number), attribute, device)
        return number.value

    architecture = f"sm_{asked(_MAJOR)}{asked(_MINOR)}"
    driver.cuDeviceGetName(name, _NAME_BYTES, device)
    driver.cuDriverGetVersion(ctypes.byref(number))
    version = f"{number.value // 1000}.{number.value % 1000 // 10}"
    return Accelerator(name=name.value.decode("ascii", "replace"), architecture=architecture, driver=version)


def lacks(experiment: Experiment) -> str:
    """What this machine lacks to time the experiment, in two words; empty where nothing. JudgeError where the
    experiment could be timed on something else, which is for the user to choose."""
    if experiment.device != CUDA or cuda():
        return ""
    if CPU in experiment.devices:
        raise JudgeError(
            f"{experiment.name}: there is no CUDA device here.", f"--device {CPU} times it on the processor instead."
        )
    return "no device"


def name_of(experiment: Experiment) -> str:
    """The device as a score names it, nothing for a processor, which is named anyway."""
    return "" if experiment.device == CPU else f" on {cuda() or 'no device'}"


def called_on(experiment: Experiment) -> str:
    """Where candidates are called: on a processor, too, where the device is missing and they are only checked."""
    return CPU if lacks(experiment) else experiment.device


def builds_later(experiment: Experiment) -> bool:
    """Whether candidates of the experiment run compilers when they are called."""
    return _TRITON in experiment.flags


def environment(experiment: Experiment) -> Mapping[str, str]:
    """What the interpreter of an experiment that asks for a device is told besides what all are told."""
    if experiment.device == CPU:
        return {}
    if called_on(experiment) == CPU:
        return {"TRITON_INTERPRET": "1"}
    first, _, _ = os.environ.get(_VISIBLE, "0").partition(",")  # the one whose name is kept, and that is waited for
    return {"PATH": os.defpath} | told() | {_VISIBLE: first}


def told() -> dict[str, str]:
    """What the user's environment says of libraries and devices."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def readable() -> str:
    """The folders that a candidate's process on a device may read, one a line: programs and libraries."""
    return "\n".join(dict.fromkeys((*_READABLE, sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"))))

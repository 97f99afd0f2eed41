"""Which accelerator this machine has, and what is left of an experiment that asks for one where there is none.

The only module that talks to a driver. It makes no context: the judge's own process stays off the device.
"""

import ctypes
from dataclasses import dataclass
from functools import cache

from harness.contract import CPU, CUDA, Experiment
from harness.errors import JudgeError

_NAME_BYTES = 256
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

"""CUDA sources of `attention_cuda` as shared objects that run on a processor: launches become calls of emulated.h."""

import re
import subprocess
from pathlib import Path

_HEADER = Path(__file__).with_name("emulated.h")
_LAUNCH = re.compile(r"([\w<>]+)<<<(.*?)>>>\((.*?)\);")


def emulated(source: str, folder: Path) -> Path:
    """The object; RuntimeError with the compiler's words where there is none."""
    text = _LAUNCH.sub(r"launch(\2, [=] { \1(\3); });", source)
    made, file = folder / "emulated.so", folder / "emulated.cpp"
    file.write_text(f'#include "{_HEADER}"\n{text}', encoding="utf-8")
    command = ["g++", "-std=c++17", "-O1", "-w", "-fno-strict-aliasing", "-shared", "-fPIC", "-o", str(made), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return made

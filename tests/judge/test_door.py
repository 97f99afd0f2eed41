"""The Python arm's door, opened by processes of a few lines."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.judge import toolchain

NOT_OURS, NOTHING_TO_MAP = 2, 4  # door.c's exit codes


@pytest.fixture(scope="module")
def door() -> Path:
    sources = [toolchain.HERE / name for name in ("door.c", "device_box.h", "sandbox.h", "shared.h")]
    return toolchain.cached_tool("door.so", sources, "", ("-O2", "-shared", "-fPIC"))


@pytest.mark.parametrize(("is_ours", "code"), [(True, NOTHING_TO_MAP), (False, NOT_OURS)])
def test_an_arm_whose_judge_is_gone_ends_before_it_maps_anything(door: Path, is_ours: bool, code: int) -> None:
    judge = os.getpid() if is_ours else os.getppid()
    opens = f"import ctypes; ctypes.CDLL({str(door)!r}).open_window(-1, -1, 0, 0, 0, {judge})"
    assert subprocess.run([sys.executable, "-c", opens], check=False).returncode == code

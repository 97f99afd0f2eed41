"""What is kept beside our tools between runs, with real files."""

import os
import time
from pathlib import Path

from harness.judge import kept, toolchain
from harness.judge.toolchain import HERE


def _made(folder: Path, name: str, age_s: float) -> Path:
    path = folder / name
    path.write_text("kept")
    then_s = time.time() - age_s
    os.utime(path, (then_s, then_s))
    return path


def test_what_is_long_unused_is_swept_and_nothing_else(tmp_path: Path) -> None:
    old = _made(tmp_path, "remarks-0.json", kept.UNUSED_FOR_S + 60)
    new = _made(tmp_path, "remarks-1.json", kept.UNUSED_FOR_S - 60)
    kept.sweep(tmp_path, time.time())
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    kept.sweep(tmp_path / "none", time.time())


def test_a_tool_that_is_used_counts_as_new() -> None:
    build = ("clock.so", [HERE / "clock.c", HERE / "shared.h"], "", ("-O1", "-shared", "-fPIC"))
    tool = toolchain.cached_tool(*build)
    os.utime(tool, (0, 0))
    toolchain.cached_tool(*build)
    assert time.time() - tool.stat().st_mtime < kept.UNUSED_FOR_S

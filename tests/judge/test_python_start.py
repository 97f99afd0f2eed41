"""How a Python experiment's modules are imported. It needs no torch: a module of its own is slow."""

import json
import site
import subprocess
import time
from pathlib import Path

import pytest

import scratch

SEED = "def total(x: Tensor) -> Tensor:\n    return x.sum().view(1)\n"


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    """This Python with its packages, and `slow`, which is never done importing."""
    subprocess.run([scratch.PYTHON, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (packages / "ours.pth").write_text("\n".join(site.getsitepackages()))
    (packages / "slow.py").write_text("import time\n\ntime.sleep(60)\n")
    return tmp_path / "venv" / "bin" / "python"


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    folder = scratch.write_total(tmp_path / "repository" / "total")
    manifest = scratch.MANIFEST | {
        "language": "python",
        "signature": "def total(x: Tensor) -> Tensor",
        "build": {"imports": ["slow"]},
        "files": {"seed": "naive.py", "candidate": "candidate.py"},
    }
    (folder / "experiment.json").write_text(json.dumps(manifest))
    for name in ("naive.py", "candidate.py"):
        (folder / name).write_text(SEED)
    (folder / "security.py").write_text("from harness.judge.python_gate import PYTHON_RULES as RULES\n")
    scratch.make_repository(folder.parent)
    return folder


def imports(pid: int) -> list[int]:
    """The processes below that import what the experiment asks for."""
    return [child for child in scratch.descendants(pid) if b"\0slow" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_ctrl_c_while_modules_are_imported_stops_within_two_seconds(
    interpreter: Path, experiment: Path, tmp_path: Path
) -> None:
    model = scratch.write_replies(tmp_path / "replies", f"```python\n{SEED.replace('view(1)', 'reshape(1)')}```\n")
    process = scratch.start(scratch.ROOT / "loop.py", experiment, "--model", model, python=interpreter)
    deadline_s = time.monotonic() + 20
    while not (below := imports(process.pid)):
        assert time.monotonic() < deadline_s and process.poll() is None
        time.sleep(0.02)
    time.sleep(0.2)
    scratch.interrupt(process)
    pressed_s = time.monotonic()
    done = scratch.finish(process)
    assert time.monotonic() - pressed_s < 2
    assert (done.code, done.err) == (130, "")
    assert not any(map(scratch.is_alive, below))


def test_modules_are_found_wherever_this_python_finds_them(experiment: Path, tmp_path: Path) -> None:
    """Such as those of `pip install --user`, which an isolated interpreter does not look for."""
    packages, was_imported = tmp_path / "packages", tmp_path / "imported"
    packages.mkdir()
    (packages / "slow.py").write_text(
        f"import pathlib, time\n\npathlib.Path({str(was_imported)!r}).touch()\ntime.sleep(60)\n"
    )
    env = scratch.environment() | {"PYTHONPATH": str(packages)}
    process = scratch.start(scratch.ROOT / "loop.py", "judge", experiment, "--file", experiment / "naive.py", env=env)
    deadline_s = time.monotonic() + 20
    while not was_imported.exists():
        assert time.monotonic() < deadline_s and process.poll() is None, process.communicate()
        time.sleep(0.02)
    scratch.interrupt(process)
    scratch.finish(process)

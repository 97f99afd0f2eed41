"""The rules of the house, kept by a test: sizes, boundaries, and how soon the command line answers."""

import ast
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(
    path.relative_to(ROOT)
    for path in [
        ROOT / "loop.py",
        *(p for room in ("harness", "linear", "attention", "benchmarks") for p in (ROOT / room).rglob("*.py")),
    ]
)
MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 50, 6
BOUNDARY = Path("harness/hooks.py")
HEAVY = ("numpy", "openai", "rich", "git", "optuna", "matplotlib", "tiktoken", "jinja2", "cffi")
# The home of a person, and the places where this project was built.
DEVELOPERS_PATH = re.compile(r"/(?:home|Users|root|work)/\w|/tmp/\w+/venv")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def _functions(path: Path) -> Iterator[FunctionNode]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, FunctionNode):
            yield node


def _parameters(function: FunctionNode) -> int:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    own = [argument for argument in every if argument.arg not in ("self", "cls")]
    return len(own) + (function.args.vararg is not None) + (function.args.kwarg is not None)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_fits_on_a_few_screens(path: Path) -> None:
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_function_fits_on_one_screen(path: Path) -> None:
    long = {f.name: f.end_lineno - f.lineno + 1 for f in _functions(path) if f.end_lineno}
    assert {name: lines for name, lines in long.items() if lines > MOST_FUNCTION_LINES} == {}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_function_has_few_parameters(path: Path) -> None:
    counts = {function.name: _parameters(function) for function in _functions(path)}
    assert {name: count for name, count in counts.items() if count > MOST_PARAMETERS} == {}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(_tree(path))


def test_there_is_no_module_for_everything_else() -> None:
    assert [path for path in _tracked() if path.stem in ("utils", "util", "helpers", "misc", "common")] == []


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_only_the_boundary_to_hooks_catches_every_exception(path: Path) -> None:
    caught = [
        handler.lineno
        for handler in ast.walk(_tree(path))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException"))
        and not _raises_again(handler)
    ]
    assert len(caught) == (1 if path == BOUNDARY else 0), caught


def _raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether it only cleans up: its last statement passes on what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    named = []
    for path in _tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        if path != Path(__file__).resolve() and (found := DEVELOPERS_PATH.search(text)):
            named.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert named == []


def test_the_rooms_keep_their_distance() -> None:
    lint_imports = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert lint_imports, "pip install -r requirements-dev.txt brings import-linter"
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_help_answers_within_three_tenths_of_a_second() -> None:
    times_s = []
    for _ in range(5):
        began_s = time.monotonic()
        subprocess.run([sys.executable, "loop.py", "--help"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
        times_s.append(time.monotonic() - began_s)
    assert min(times_s) < 0.3


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, loop\n"
        "try:\n    loop.main(['--help'])\n"
        "except SystemExit:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(HEAVY) & {name.partition(".")[0] for name in done.stderr.split()} == set()

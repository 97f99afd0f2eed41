"""The contract's Python files as modules: imported under names of their own, and checked to offer what the house calls.

A fault in a hook is a line for the user, never an exception of ours.
"""

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import ContractError, HarnessError

_MISSING = object()
_CPUINFO = Path("/proc/cpuinfo")
_DESCRIBED = "docs/add-an-experiment.md says what each file is called with and gives back."
# How the house calls what a hook offers: with so many values by position, or by name (None).
_CALLED_WITH = {
    "sections": 1,
    "inputs": 2,
    "reference": None,
    "bound": None,
    "work": 1,
    "accept": 2,
    "hidden": 1,
    "render": 1,
    "valid": 1,
    "available": 3,
}
_OPTIONAL = {"eval.py": ("hidden", "SLIDES"), "space.py": ("valid", "available")}


def load_hook(folder: Path, file: str, offers: Sequence[str], faults: list[str]) -> ModuleType | None:
    """One of the contract's Python files, imported under a name of its own; its fault becomes a line in `faults`."""
    path = folder / file
    if not path.is_file():
        faults.append(f"{folder.name}/{file} is missing.")
        return None
    module_name = f"experiment_{re.sub(r'[^0-9a-zA-Z]', '_', str(folder))}_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as fault:  # noqa: BLE001 - the one boundary to code of the user: a hook may raise anything
        faults.append(f"{folder.name}/{file}{_line_of(fault, path)}: {type(fault).__name__}: {fault}")
        return None
    optional = (name for name in _OPTIONAL.get(file, ()) if hasattr(module, name))
    for name in (*offers, *optional):
        lack = _fault_of(name, getattr(module, name, _MISSING))
        if lack:
            faults.append(f"{folder.name}/{file}: {lack}")
    return module


def _fault_of(name: str, offered: Any) -> str:
    """What is wrong with one thing that a hook offers; nothing where it can be used as the house will use it."""
    if offered is _MISSING:
        return f"`{name}` is missing."
    if name == "CHOICES":
        return _fault_of_choices(offered)
    if name in _CALLED_WITH:
        return _fault_of_function(name, offered, _CALLED_WITH[name])
    if not isinstance(offered, Sequence):
        return f"`{name}` is {offered!r}, must be a list."
    rules = enumerate(offered if name == "RULES" else ())
    return next(filter(None, (_fault_of_function(f"RULES[{i}]", rule, 1) for i, rule in rules)), "")


def _fault_of_function(name: str, offered: Any, count: int | None) -> str:
    if not callable(offered):
        return f"`{name}` is {offered!r}, must be a function."
    try:
        signature = inspect.signature(offered)
    except (TypeError, ValueError):
        return f"`{name}` is {offered!r}, whose parameters cannot be read: call it in a function of your own."
    if count is not None:
        try:
            signature.bind(*range(count))
        except TypeError:
            values = f"{count} value{'s' if count > 1 else ''}"
            called = f"{getattr(offered, '__name__', name)}{signature}"
            lead = f"`{called}`" if called.startswith(name) else f"`{name}` is `{called}`, which"
            return f"{lead} cannot be called with {values}."
    return ""


def _fault_of_choices(offered: Any) -> str:
    """A choice goes into the journal and must come back as it was: a text or a whole number does."""
    is_mapping = isinstance(offered, Mapping) and len(offered) > 0
    if not is_mapping or not all(isinstance(values, tuple) and values for values in offered.values()):
        return f"`CHOICES` is {offered!r}, must be a mapping of names to tuples of values."
    for name, values in offered.items():
        if not isinstance(name, str):
            return f"`CHOICES` has the name {name!r}, must be a text."
        for value in values:
            if type(value) not in (str, int):
                return f"`CHOICES[{name!r}]` holds {value!r}, must hold texts or whole numbers."
    return ""


def offered(space: ModuleType) -> Mapping[str, tuple[str | int, ...]]:
    """The values of each choice that this CPU can run."""
    available, flags = getattr(space, "available", lambda name, value, cpu_flags: True), _cpu_flags()
    return {
        name: tuple(value for value in values if available(name, value, flags))
        for name, values in space.CHOICES.items()
    }


def _cpu_flags() -> frozenset[str]:
    """What this CPU says it can do; nothing where the kernel does not list it."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(next((flags.split() for key, _, flags in lines if key.strip() in ("flags", "Features")), ()))


def _line_of(fault: Exception, path: Path) -> str:
    if isinstance(fault, SyntaxError) and fault.filename == str(path):
        return f" line {fault.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
    return f" line {lines[-1]}" if lines else ""


def blaming(folder: Path) -> ExitStack:
    """A block in which what an experiment's own files raise becomes a ContractError."""
    stack = ExitStack()
    stack.push(lambda kind, fault, trace: blame(folder, fault))
    return stack


def gave(folder: Path, hook: Callable[..., Any], called: str, found: Any, must: str) -> ContractError:
    """The error for what a hook gave back, at the line where it begins."""
    code, where = getattr(hook, "__code__", None), folder.name
    if code is not None and Path(code.co_filename).parent == folder:
        where += f"/{Path(code.co_filename).name} line {code.co_firstlineno}"
    return ContractError(f"{where}: {called} gives {found!r}, must give {must}.", _DESCRIBED)


def blame(folder: Path, fault: BaseException | None) -> None:
    """ContractError with file and line, where what went wrong was raised by one of the experiment's own files."""
    if not isinstance(fault, Exception) or isinstance(fault, HarnessError):
        return
    frames = [(Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_tb(fault.__traceback__)]
    hooks = [(path.name, line) for path, line in frames if path.parent == folder]
    if hooks:
        name, line = hooks[-1]
        raise ContractError(
            f"{folder.name}/{name} line {line}: {type(fault).__name__}: {fault}",
            _DESCRIBED,
        ) from fault

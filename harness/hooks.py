"""The contract's Python files as modules: imported under names of their own, and checked to offer what the house calls.

A fault in a hook is a line for the user, never an exception of ours.
"""

import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import ContractError, HarnessError

_MISSING = object()
# How the house calls what a hook offers: with so many values by position, or by name (None).
_CALLED_WITH = {"sections": 1, "inputs": 2, "reference": None, "bound": None, "work": 1, "accept": 2, "render": 1}


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
    for name in offers:
        lack = _fault_of(name, getattr(module, name, _MISSING))
        if lack:
            faults.append(f"{folder.name}/{file}: {lack}")
    return module


def _fault_of(name: str, offered: Any) -> str:
    """What is wrong with one thing that a hook offers; nothing where it can be used as the house will use it."""
    if offered is _MISSING:
        return f"`{name}` is missing."
    if name == "CHOICES":
        is_mapping = isinstance(offered, Mapping) and len(offered) > 0
        is_sound = is_mapping and all(isinstance(values, tuple) and values for values in offered.values())
        return "" if is_sound else f"`CHOICES` is {offered!r}, must be a mapping of names to tuples of values."
    if name not in _CALLED_WITH:
        return "" if isinstance(offered, Sequence) else f"`{name}` is {offered!r}, must be a list."
    if not callable(offered):
        return f"`{name}` is {offered!r}, must be a function."
    count = _CALLED_WITH[name]
    if count is not None:
        try:
            inspect.signature(offered).bind(*range(count))
        except TypeError:
            values = f"{count} value{'s' if count > 1 else ''}"
            return f"`{name}{inspect.signature(offered)}` cannot be called with {values}."
    return ""


def _line_of(fault: Exception, path: Path) -> str:
    if isinstance(fault, SyntaxError) and fault.filename == str(path):
        return f" line {fault.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if frame.filename == str(path)]
    return f" line {lines[-1]}" if lines else ""


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
            "docs/add-an-experiment.md says what each file is called with and gives back.",
        ) from fault

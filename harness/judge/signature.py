"""The target's signature as the judge uses it: what to hand over, and the C text of one call.

A C function writes through its one pointer that is not const; a Python function returns its output.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from harness import python_source
from harness.contract import Case, Experiment
from harness.errors import ContractError
from harness.source import Function, parse_signature

_DTYPES: Mapping[str, type[np.generic]] = {
    "float": np.float32,
    "double": np.float64,
    "int": np.int32,
    "unsigned char": np.uint8,
    "uint8_t": np.uint8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The target's parameters as the judge fills them: one output, inputs by name, numbers from the case. `columns` are
    the words that describe one call to a runner."""

    function: Function
    columns: Sequence[str]
    output: str
    inputs: Mapping[str, type[np.generic]]
    numbers: Sequence[str]

    def asked_by(self, hook: Callable[..., Any], case: Case) -> Mapping[str, int]:
        """The case's numbers that a hook names as parameters of its own: what the arrays alone do not tell."""
        named = _parameters(hook)
        return {name: case.dims[name] for name in self.numbers if name in named}


@lru_cache
def _parameters(hook: Callable[..., Any]) -> Collection[str]:
    """Looked up once: a hook is called for every call that is timed."""
    return frozenset(inspect.signature(hook).parameters)


def read_signature(experiment: Experiment) -> Signature:
    """What the contract's signature asks the judge to hand over; ContractError where it cannot."""
    signature = _READERS[experiment.language](experiment, f"{experiment.folder.name}/experiment.json: signature")
    require_numbers(experiment, signature, [*experiment.evaluation.cases, *experiment.evaluation.checks])
    return signature


def require_numbers(experiment: Experiment, signature: Signature, cases: Iterable[Case]) -> None:
    """ContractError where a case lacks a number of the signature's."""
    for case in cases:
        missing = [name for name in signature.numbers if name not in case.dims]
        if missing:
            raise ContractError(
                f"{experiment.folder.name}/eval.py: {case} lacks {', '.join(missing)}.",
                "a case gives a whole number for every number in the signature.",
            )


def _read_c(experiment: Experiment, where: str) -> Signature:
    function = parse_signature(experiment.signature)
    pointers = [p for p in function.parameters if p.is_pointer]
    outputs = [p.name for p in pointers if not p.is_const]
    if len(outputs) != 1:
        raise ContractError(
            f"{where} has {len(outputs)} outputs, must have one pointer that is not const.",
            "inputs are pointers to const, everything else is a number.",
        )
    kinds = {p.name: p.ctype.replace("const", "").replace("*", "").strip() for p in pointers}
    strange = sorted(set(kinds.values()) - set(_DTYPES))
    if strange or kinds[outputs[0]] != "float":
        raise ContractError(
            f"{where} points to {strange or kinds[outputs[0]]}, must be one of {sorted(_DTYPES)};"
            " the output must be float.",
            "change the signature.",
        )
    return Signature(
        function=function,
        columns=[p.name for p in function.parameters],
        output=outputs[0],
        inputs={name: _DTYPES[kind] for name, kind in kinds.items() if name not in outputs},
        numbers=[p.name for p in function.parameters if not p.is_pointer],
    )


def _read_python(experiment: Experiment, where: str) -> Signature:
    function = python_source.parse_signature(experiment.signature)
    strange = sorted({p.ctype for p in function.parameters} - {"Tensor", "int"})
    if strange or function.return_type != "Tensor":
        raise ContractError(
            f"{where} names {', '.join(strange) or function.return_type}, must take Tensor or int and return a Tensor.",
            "a Tensor is of float32, an int is a number of the case.",
        )
    names = [p.name for p in function.parameters]
    return Signature(
        function=function,
        columns=[*names, _RETURNED],
        output=_RETURNED,
        inputs={p.name: np.float32 for p in function.parameters if p.is_pointer},
        numbers=[p.name for p in function.parameters if not p.is_pointer],
    )


def _read_cuda(experiment: Experiment, where: str) -> Signature:
    """As in C, but the output comes last, as the Python runner has it, and all arrays are tensors of float32."""
    read = _read_c(experiment, where)
    numbers = {p.ctype for p in read.function.parameters if not p.is_pointer}
    if strange := sorted({kind.__name__ for kind in read.inputs.values()} - {"float32"} | numbers - {"int", "long"}):
        raise ContractError(
            f"{where} names {', '.join(strange)}, which CUDA experiments do not take.",
            "every pointer is to float, every number an int or a long.",
        )
    others = [name for name in read.columns if name != read.output]
    return replace(read, columns=[*others, read.output])


_RETURNED = "out"  # in messages, and as the last column of a call
_READERS = {"c": _read_c, "python": _read_python, "cuda": _read_cuda}


def invocation(function: Function) -> str:
    """The C text of invoke.h: one row of 64-bit words -> one call of the target."""
    arguments = ", ".join(
        f"({p.ctype})(row[{i}] ? window + row[{i}] : 0)" if p.is_pointer else f"({p.ctype})(int64_t)row[{i}]"
        for i, p in enumerate(function.parameters)
    )
    types = ", ".join(p.ctype for p in function.parameters)
    return (
        f'#include <stddef.h>\n#include <stdint.h>\n#define TARGET "{function.name}"\n'
        "static inline void invoke(void *target, char *window, const uint64_t *row) {\n"
        f"    ((void (*)({types}))target)({arguments});\n}}\n"
    )

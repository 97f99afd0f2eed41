"""A folder -> Experiment. Every fault of a contract is reported at once, with file, key, value and what is allowed.

Knows what the hooks must offer, never what they do: it calls none of them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import index
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import ContractError
from harness.hooks import load_hook
from harness.languages import READERS
from harness.manifest import MANIFEST, REQUIRED, Manifest
from harness.metric import Command, read_command

ROOT = Path(__file__).resolve().parents[1]
TASK = "EXPERIMENT.md"
_HOOKS = {
    "prompt.py": ("sections",),
    "security.py": ("RULES",),
    "eval.py": ("CASES", "CHECKS", "inputs", "reference", "bound", "work", "accept"),
}

CPU, CUDA = "cpu", "cuda"
# What builds a candidate: the compiler's options, or the modules that it may import and that are imported before it is.
_BUILD = {"c": "build.flags", "python": "build.imports", "cuda": "build.flags"}
_DEVICES = {"c": (CPU,), "python": (CPU, CUDA), "cuda": (CUDA,)}


class Case:
    """One workload shape: a name and whole-number dimensions, read as attributes (`case.rows`)."""

    def __init__(self, name: str, data: str = "normal", **dims: int) -> None:
        self.name = name
        self.data = data
        self.dims: Mapping[str, int] = {key: index(value) for key, value in dims.items()}  # whole, or a TypeError
        if not isinstance(name, str):
            raise TypeError(f"a case is called {name!r}, must be a text")

    def __getattr__(self, name: str) -> int:
        try:
            return self.dims[name]
        except KeyError:
            raise AttributeError(f"case {self.name} has no dimension {name!r}; it has {', '.join(self.dims)}") from None

    def __repr__(self) -> str:
        dims = "".join(f", {key}={value}" for key, value in self.dims.items())
        return f"Case({self.name!r}, data={self.data!r}{dims})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a candidate may take before it is stopped."""

    timeout_s: float
    build_timeout_s: float
    memory_mb: int
    source_bytes: int
    prompt_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What `eval.py` offers: the workloads, their inputs, the truth and the experiment's idea of a winner.

    `hidden` draws more cases to validate, other ones for every judgement."""

    cases: Sequence[Case]
    checks: Sequence[Case]
    slides: Sequence[str]
    hidden: Callable[..., Any]
    inputs: Callable[..., Any]
    reference: Callable[..., Any]
    bound: Callable[..., Any]
    work: Callable[..., Any]
    accept: Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A contract that holds. `task` is EXPERIMENT.md; `space` is None where the experiment has no space.py; `flags` are
    compiler options, or modules for Python. With a `command` there is one case, the metric that it prints. `device` is
    the one of its `devices` that was asked for."""

    name: str
    folder: Path
    language: str
    target: str
    signature: str
    seed_file: str
    candidate_file: str
    edit: str
    flags: Sequence[str]
    tags: Sequence[str]
    limits: Limits
    task: str
    sections: Callable[..., Any]
    rules: Sequence[Callable[..., Any]]
    evaluation: Evaluation
    space: ModuleType | None
    command: Command | None = None
    devices: Sequence[str] = (CPU,)
    device: str = CPU

    @property
    def unit(self) -> str:
        """Of the numbers that are compared."""
        return self.command.unit if self.command else "s"

    @property
    def seed_path(self) -> Path:
        return self.folder / self.seed_file

    @property
    def candidate_path(self) -> Path:
        return self.folder / self.candidate_file

    @property
    def suffix(self) -> str:
        return self.candidate_path.suffix

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def winners(self) -> Path:
        return self.folder / "winners"


def load(folder: Path, device: str | None = None) -> Experiment:
    """The experiment in `folder`, on this device or the first that it allows; ContractError lists every fault."""
    faults: list[str] = []
    manifest = Manifest(folder, faults)
    hooks = _HOOKS | ({"eval.py": ("accept",)} if "command" in manifest.data else {})
    modules = {name: load_hook(folder, name, hooks[name], faults) for name in hooks}
    space = load_hook(folder, "space.py", ("CHOICES", "render"), faults) if (folder / "space.py").is_file() else None
    if not (folder / "seed.py").is_file():
        faults.append(f"{folder.name}/seed.py is missing.")
    experiment = _experiment(manifest, modules, space)
    if experiment.language:  # which says what else there may be
        manifest.refuse_unknown()
    faults += _faults_of_cases(f"{folder.name}/eval.py", experiment.evaluation)
    if experiment.language not in ("c", None) and experiment.evaluation.slides:
        faults.append(f"{folder.name}/eval.py: SLIDES is for C; in other languages every call has its own arrays.")
    if faults:
        raise ContractError("\n".join(faults), "docs/add-an-experiment.md describes the contract key by key.")
    if device and device not in experiment.devices:
        allowed = ", ".join(experiment.devices)
        raise ContractError(f"{experiment.name} does not run on {device!r}.", f"its experiment.json allows {allowed}.")
    return replace(experiment, device=device or experiment.devices[0])


def _experiment(manifest: Manifest, modules: Mapping[str, ModuleType | None], space: ModuleType | None) -> Experiment:
    manifest.take("schema", int, lambda value: value == 1, "1")
    language = manifest.take("language", str, lambda value: value in _BUILD, f"one of {', '.join(_BUILD)}")
    edits = ("whole", "diff", "either")
    target = manifest.take("target", str, str.isidentifier, "the name of the one function")
    signature = manifest.take("signature", str, lambda text: "(" in text, "the function's declaration")
    if language and signature:
        _check_signature(manifest, language, signature, target)
    seed_file = manifest.file("files.seed")
    if seed_file and not (manifest.folder / seed_file).is_file():
        manifest.fault(f"files.seed is {json.dumps(seed_file)}, and there is no such file.")
    candidate_file = manifest.file("files.candidate")
    if candidate_file in {MANIFEST, TASK, seed_file, "seed.py", "space.py", *_HOOKS}:
        manifest.fault(f"files.candidate is {json.dumps(candidate_file)}, must be a file of its own: winners go there.")
    command = read_command(manifest.take, candidate_file) if "command" in manifest.data else None
    return Experiment(
        name=manifest.take("name", str, lambda text: bool(re.fullmatch(r"[\w-]+", text)), "letters, digits, - and _"),
        folder=manifest.folder,
        language=language,
        target=target,
        signature=signature,
        seed_file=seed_file,
        candidate_file=candidate_file,
        edit=manifest.take("edit", str, lambda value: value in edits, f"one of {', '.join(edits)}"),
        flags=manifest.texts(_BUILD.get(language, "build.flags"), [] if command else REQUIRED),
        tags=manifest.texts("tags"),
        limits=_limits(manifest),
        task=manifest.read(TASK) or "",
        sections=getattr(modules["prompt.py"], "sections", None),  # type: ignore[arg-type]
        rules=getattr(modules["security.py"], "RULES", ()),
        evaluation=_evaluation(modules["eval.py"], command),
        space=space,
        command=command,
        devices=_devices(manifest, language),
    )


def _check_signature(manifest: Manifest, language: str, signature: str, target: str | None) -> None:
    try:
        declared = READERS[language].parse_signature(signature).name
    except ValueError as fault:
        manifest.fault(f"signature: {fault}.")
    else:
        if target not in (None, declared):
            manifest.fault(f"signature declares {declared}, must declare the target, {target}.")


def _devices(manifest: Manifest, language: str) -> Sequence[str]:
    known = (CPU,) if "command" in manifest.data else _DEVICES.get(language, (CPU, CUDA))
    must = f"a list of one or more of {', '.join(known)}, none twice"
    return tuple(manifest.take("devices", list, partial(_are_some_of, known), must, known[:1]) or known[:1])


def _limits(manifest: Manifest) -> Limits:
    return Limits(
        timeout_s=manifest.number("limits.timeout_s", float, 3600, "seconds"),
        build_timeout_s=manifest.number("limits.build_timeout_s", float, 3600, "seconds"),
        memory_mb=manifest.number("limits.memory_mb", int, 2**20, "MiB"),
        source_bytes=manifest.number("limits.source_bytes", int, 2**24, "bytes"),
        prompt_tokens=manifest.number("limits.prompt_tokens", int, 2**21, "tokens"),
    )


def _faults_of_cases(where: str, evaluation: Evaluation) -> Iterator[str]:
    for key, cases in (("CASES", evaluation.cases), ("CHECKS", evaluation.checks)):
        if not isinstance(cases, Sequence):  # which is reported where it was loaded
            continue
        strange = [one for one in cases if not isinstance(one, Case)]
        if strange:
            yield f"{where}: `{key}` holds {strange[0]!r}, must hold a Case."
        elif key == "CASES" and not cases:
            yield f"{where}: `CASES` is empty, must hold what is timed."
        elif key == "CASES" and len(names := [case.name for case in cases]) > len(set(names)):
            yield f"{where}: `CASES` holds {max(names, key=names.count)!r} twice, must name every case differently."


def _are_some_of(known: Sequence[str], found: list[Any]) -> bool:
    return 0 < len(found) == sum(one in found for one in known)


def _evaluation(module: ModuleType | None, command: Command | None) -> Evaluation:
    offered: dict[str, Any] = {name: getattr(module, name, None) for name in _HOOKS["eval.py"]}
    if command:
        offered |= {"CASES": (Case(command.metric or "metric"),), "CHECKS": (), "work": lambda case: {}}
    lowered = {name.lower(): value for name, value in offered.items()}
    hidden = getattr(module, "hidden", lambda rng: ())
    return Evaluation(slides=getattr(module, "SLIDES", ()), hidden=hidden, **lowered)

"""What the judge needs of a language: one Protocol, and how C, Python, CUDA C++ and a source for a command offer
it.

From here on nothing asks which language a candidate is in.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from harness.contract import Experiment
from harness.errors import JudgeError
from harness.judge import arm, cuda, cuda_gate, device, elf, gate, native, python, python_gate, toolchain
from harness.judge.clock import Interrupted, Stop
from harness.judge.diagnostics import Diagnostics
from harness.judge.inputs import Arena
from harness.judge.signature import read_signature
from harness.judge.toolchain import Artifact
from harness.records import Violation


class Kind(Protocol):
    """One language's way from a source to visits."""

    @property
    def lacks(self) -> str:
        """What this machine lacks to time a candidate, such as `no device`; empty where nothing."""
        ...

    @property
    def is_runnable(self) -> bool:
        """Whether a candidate can be called here at all, timed or not."""
        ...

    @property
    def renews(self) -> bool:
        """Whether every visit has contents of its own, since a candidate may keep what it saw."""
        ...

    def inspect(self, source: str, stop: Stop) -> tuple[Violation, ...]:
        """Every rule of the experiment's that the source breaks."""
        ...

    def build(self, source: str, stop: Stop) -> Artifact | Diagnostics: ...

    def look_into(self, artifact: Artifact) -> tuple[Violation, ...]:
        """What an artifact holds that it may not hold."""
        ...

    def moved(self, artifact: Artifact, luck: float, stop: Stop) -> Artifact:
        """The artifact at another place in memory, where the language has places, by a draw from 0 up to 1: the luck of
        where code lies is averaged and not kept."""
        ...

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> arm.Arm: ...


class C:
    """C: gate, gcc, a look into the object, and the runner in C."""

    lacks, is_runnable, renews = "", True, False

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        self._experiment = experiment

    def inspect(self, source: str, stop: Stop) -> tuple[Violation, ...]:
        return gate.inspect(source, self._experiment, stop)

    def build(self, source: str, stop: Stop) -> Artifact | Diagnostics:
        one = self._experiment
        return toolchain.build(source, one.signature, one.flags, one.limits.build_timeout_s, stop)

    def look_into(self, artifact: Artifact) -> tuple[Violation, ...]:
        return tuple(elf.inspect(artifact, self._experiment.target))

    def moved(self, artifact: Artifact, luck: float, stop: Stop) -> Artifact:
        text_at = elf.text_at(artifact, int(luck * elf.TEXT_PLACES))
        limit_s = self._experiment.limits.build_timeout_s
        moved = toolchain.relink(artifact, self._experiment.flags, text_at, limit_s, stop)
        if stop:
            raise Interrupted
        if isinstance(moved, Diagnostics):
            raise JudgeError(f"an artifact cannot be linked again: {moved.first_error}", "see that /tmp has room.")
        return moved

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> arm.Arm:
        return native.Arm(self._experiment, artifact, arena, slot, cpu, stop)


class Python:
    """Python: rules over its tree, and an interpreter that is warm before it is needed. Without the device that it was
    written for it is still called, on the processor."""

    is_runnable = renews = True

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        self._experiment = experiment
        self.lacks = device.lacks(experiment)
        self._interpreter = python.Interpreter(experiment, stop)

    def inspect(self, source: str, stop: Stop) -> tuple[Violation, ...]:
        return python_gate.inspect(source, self._experiment)

    def build(self, source: str, stop: Stop) -> Artifact | Diagnostics:
        return python_gate.compiles(source)

    def look_into(self, artifact: Artifact) -> tuple[Violation, ...]:
        return ()

    def moved(self, artifact: Artifact, luck: float, stop: Stop) -> Artifact:
        return artifact

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> arm.Arm:
        return python.Arm(self._interpreter, artifact, arena, slot, cpu, stop)


class Cuda:
    """CUDA C++: rules for what is written, nvcc, a look into the object, and the Python arm to call it. Without a
    device nothing can be called."""

    renews = True

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        self._experiment = experiment
        cuda.require_nvcc()
        self.lacks = device.lacks(experiment)
        self.is_runnable = not self.lacks
        found = device.cuda()
        self._architecture = found.architecture if found else cuda.DEFAULT_ARCHITECTURE
        self._interpreter = None if self.lacks else python.Interpreter(replace(experiment, flags=cuda.MODULES), stop)

    def inspect(self, source: str, stop: Stop) -> tuple[Violation, ...]:
        return cuda_gate.inspect(source, self._experiment)

    def build(self, source: str, stop: Stop) -> Artifact | Diagnostics:
        return cuda.build(self._experiment, source, self._architecture, stop)

    def look_into(self, artifact: Artifact) -> tuple[Violation, ...]:
        return cuda.inspect(artifact, self._experiment.target)

    def moved(self, artifact: Artifact, luck: float, stop: Stop) -> Artifact:
        return artifact

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> arm.Arm:
        assert self._interpreter is not None
        return cuda.Arm(self._interpreter, artifact, arena, slot, cpu, stop)


class Source:
    """A source in any language that a command will run: the language's own rules, and nothing is built or called."""

    lacks, is_runnable, renews = "", True, False

    def __init__(self, experiment: Experiment, stop: Stop) -> None:
        self._experiment = experiment

    def inspect(self, source: str, stop: Stop) -> tuple[Violation, ...]:
        one = self._experiment
        inspect = {"python": python_gate.inspect, "cuda": cuda_gate.inspect}.get(one.language)
        return inspect(source, one) if inspect else gate.inspect(source, one, stop)

    def build(self, source: str, stop: Stop) -> Artifact | Diagnostics:
        is_python = self._experiment.language == "python"
        return python_gate.compiles(source) if is_python else Artifact(content=source.encode("utf-8", "replace"))

    def look_into(self, artifact: Artifact) -> tuple[Violation, ...]:
        return ()

    def moved(self, artifact: Artifact, luck: float, stop: Stop) -> Artifact:
        return artifact

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> arm.Arm:
        raise NotImplementedError  # there are no cases to visit: MetricJudge runs the command


_KINDS: Mapping[str, Callable[[Experiment, Stop], Kind]] = {"c": C, "python": Python, "cuda": Cuda}


def open_kind(experiment: Experiment, stop: Stop) -> Kind:
    """The way of the experiment's language; ContractError for a signature that cannot be called, JudgeError where this
    machine lacks what it needs."""
    if experiment.command:
        return Source(experiment, stop)
    read_signature(experiment)
    return _KINDS[experiment.language](experiment, stop)

"""What flows through the loop, as frozen dataclasses with one JSON codec for all of them.

Nothing here reads a file, a clock or an environment; a record is only what it says.
"""

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cache
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

SEED = "seed"


class Status(StrEnum):
    """How an attempt ended, in the order in which the judge finds out."""

    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"
    FORBIDDEN = "forbidden"
    BUILD_FAILED = "build_failed"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    WRONG = "wrong"
    UNMEASURED = "unmeasured"  # nothing against it, and this machine lacks what would time it
    SLOWER = "slower"
    TIE = "tie"
    ACCEPTED = "accepted"
    SPECIALIST = "specialist"
    BEST = "best"

    @property
    def is_winner(self) -> bool:
        return self in (Status.ACCEPTED, Status.SPECIALIST, Status.BEST)

    @property
    def is_failure(self) -> bool:
        """The candidate never got as far as a valid measurement."""
        return self in _FAILURES


_FAILURES = frozenset(
    (Status.UNREADABLE, Status.FORBIDDEN, Status.BUILD_FAILED, Status.CRASHED, Status.TIMED_OUT, Status.WRONG)
)

Choices: TypeAlias = Mapping[str, str | int]
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one or more requests. `cost_usd` is None where the price is not known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = 0.0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: "Usage") -> "Usage":
        unknown = self.cost_usd is None or other.cost_usd is None
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            cost_usd=None if unknown else (self.cost_usd or 0.0) + (other.cost_usd or 0.0),
            estimated=self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """What an attempt starts from: `seed`, an attempt's number or a winner's commit, and its source."""

    ref: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A point of a search space, or two as one, as attempt `number`; `speedup` is None where it was not measured."""

    choices: Choices
    status: Status
    speedup: float | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposer's raw answer, kept whole: it was paid for, whatever it is worth. `request` says in JSON who was asked
    and how, without key and prompt; `answer` is the JSON of what came beside the reply, cut where it is long;
    `failures` are earlier tries, a line each."""

    number: int
    parent: str
    model: str
    reply: str
    asked_at: str
    seconds: float
    usage: Usage = field(default_factory=Usage)
    finish_reason: str = "stop"
    choices: Choices | None = None
    request: str = ""
    answer: str = ""
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The one function taken from a proposal. `digest` is of the source without comments and spacing; `kinds` are those
    of its tags, one by one."""

    source: str
    digest: str
    tags: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken rule of the gate or of the artifact check."""

    rule: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A ratio of times with its interval; above 1 the candidate is faster."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One workload shape: the candidate's time and its ratios to the seed and to the champion. `flops` and `bytes` are
    the work of one call, as the experiment counts it; `ceiling_s` is the least time that this work takes on the machine
    where it was measured, 0 where unknown; `gain` as in Verdict."""

    median_s: float
    low_s: float
    high_s: float
    seed_s: float
    speedup: Estimate
    vs_champion: Estimate | None = None
    flops: float = 0.0
    bytes: float = 0.0
    ceiling_s: float = 0.0
    gain: float | None = None

    @property
    def of_ceiling(self) -> float | None:
        """The share of the machine's ceiling that was reached."""
        return self.ceiling_s / self.median_s if self.ceiling_s else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judge's decision with its evidence. `reason` is one line; `detail` may be many, such as diagnostics.
    `unguarded` names the parts of the sandbox that this kernel could not give, and `ceiling` where there was none to
    refuse by; `noise` is how much a block of the comparison varied, as a part of the time, and `blocks` are the
    champion's time over the candidate's, block by block and case by case, in the order in which they were measured;
    `gain` is the champion's gain over the seed times this one's over the champion (docs/adr/0020)."""

    status: Status
    reason: str
    detail: str = ""
    speedup: Estimate | None = None
    vs_champion: Estimate | None = None
    median_s: float | None = None
    seed_s: float | None = None
    cases: Mapping[str, CaseResult] = field(default_factory=dict)
    specialist_of: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    object_digest: str = ""
    unguarded: tuple[str, ...] = ()
    noise: float | None = None
    machine: str = ""
    seconds: float = 0.0
    gain: float | None = None
    blocks: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One trip round the loop, as the journal keeps it. `candidate` is None where the reply could not be read."""

    number: int
    parent: str
    model: str
    at: str
    candidate: Candidate | None
    verdict: Verdict
    usage: Usage = field(default_factory=Usage)
    choices: Choices | None = None

    @property
    def status(self) -> Status:
        return self.verdict.status


def to_json(value: Any) -> Any:
    """A record as plain JSON values."""
    kind = type(value)
    if value is None or kind in _PLAIN:
        return value
    names = _field_names(kind)  # type: ignore[arg-type]
    if names:
        return {name: to_json(getattr(value, name)) for name in names}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def from_json(kind: type[Record], data: Any) -> Record:
    """The record that `to_json` wrote. Unknown keys are passed over; ValueError says what is wrong."""
    return typing.cast(Record, _decode(kind, data, kind.__name__))


_PLAIN = frozenset({str, int, float, bool})


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind)) if is_dataclass(kind) else ()


@cache
def _fields(kind: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(kind)
    missing = (MISSING, MISSING)
    return tuple((one.name, hints[one.name], (one.default, one.default_factory) == missing) for one in fields(kind))


@cache
def _origin(hint: Any) -> Any:
    return get_origin(hint)


def _decode(hint: Any, data: Any, where: str) -> Any:
    origin = _origin(hint)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(hint), data, where)
    if is_dataclass(hint):
        return _decode_record(typing.cast(type, hint), data, where)
    if origin is tuple:
        if not isinstance(data, list):
            raise ValueError(f"{where} is {data!r}, must be a list")
        return tuple(_decode(get_args(hint)[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise ValueError(f"{where} is {data!r}, must be an object")
        return {key: _decode(get_args(hint)[1], item, f"{where}.{key}") for key, item in data.items()}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(data)
    if hint is float and type(data) is int:
        return float(data)
    if type(data) is not hint:
        raise ValueError(f"{where} is {data!r}, must be {getattr(hint, '__name__', hint)}")
    return data


def _decode_union(options: tuple[Any, ...], data: Any, where: str) -> Any:
    if data is None and type(None) in options:
        return None
    faults = []
    for option in options:
        if option is not type(None):
            try:
                return _decode(option, data, where)
            except ValueError as fault:
                faults.append(str(fault))
    raise ValueError(faults[0])


def _decode_record(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"{where} is {data!r}, must be an object")
    values = {}
    for name, hint, is_required in _fields(kind):
        if name in data:
            item = data[name]
            values[name] = item if type(item) is hint else _decode(hint, item, f"{where}.{name}")
        elif is_required:
            raise ValueError(f"{where}.{name} is missing")
    return kind(**values)

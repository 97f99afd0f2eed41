"""The printed C, built by the real compiler and run against float64 between guard pages on either side."""

import ctypes
import json
import math
import mmap
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.source import parse
from linear import space

POOL = 100
EPS = float(np.finfo(np.float32).eps)
# rows, in_features, out_features, with a bias
SHAPES = [
    (0, 5, 3, True),
    (3, 0, 5, True),
    (3, 0, 5, False),
    (2, 7, 0, True),
    (1, 1, 1, True),
    (1, 1, 1, False),
    (1, 100, 9, True),
    (5, 16, 12, True),
    (7, 129, 65, False),
    (13, 31, 17, True),
    (11, 67, 23, False),
    (16, 48, 24, True),
    (37, 300, 101, True),
    (16, 0, 40, True),
    (16, 0, 40, False),
]
_HELPERS = re.compile(r"\b(linear|every_row|band_\d+|tile_\dx\d|total|sum_four|pack|packed|by_panel)\b")


def cpu_flags() -> set[str]:
    return set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]))


def random_points(count: int, seed: int) -> list[dict[str, str | int]]:
    rng, flags = random.Random(seed), cpu_flags()
    points: list[dict[str, str | int]] = []
    while len(points) < count:
        point = {
            name: rng.choice([value for value in values if space.available(name, value, flags)])
            for name, values in space.CHOICES.items()
        }
        if space.valid(point) and point not in points:
            points.append(point)
    return points


def traits(point: Mapping[str, str | int]) -> set[str]:
    """Its values, and the kinds of lines that it prints: numbers aside."""
    lines = {re.sub(r"\d+", "0", line.strip()) for line in space.render(point).splitlines()}
    return lines | {f"{name} {value}" for name, value in point.items()}


@pytest.fixture(scope="module")
def points() -> list[dict[str, str | int]]:
    """As few of a hundred random points as have every value and print every kind of line that any of them does: about
    twelve, with a third of the code of thirty-two random ones, and more of the template than those."""
    pool = [(point, traits(point)) for point in random_points(POOL, seed=1)]
    left, chosen = set[str]().union(*(has for _, has in pool)), []
    while left:
        point, has = max(pool, key=lambda one: len(one[1] & left))
        chosen.append(point)
        left -= has
    return chosen


@pytest.fixture(scope="module")
def build(points: list[dict[str, str | int]], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """All points in one library, the names of each with its number after them; and what the compiler said."""
    folder = tmp_path_factory.mktemp("space")
    sources = [_HELPERS.sub(rf"\g<0>_{i}", space.render(point)) for i, point in enumerate(points)]
    library = folder / "points.so"
    (folder / "points.c").write_text("\n".join(sources), encoding="utf-8")
    flags = ["-O1", "-march=native", "-Wall", "-Wextra", "-shared", "-fPIC"]
    done = subprocess.run(
        ["gcc", *flags, "-o", library, folder / "points.c"], capture_output=True, text=True, check=False
    )
    return library, done.stderr


class Guarded:
    """Memory between two pages that nobody may touch."""

    def __init__(self, nbytes: int) -> None:
        page = mmap.PAGESIZE
        self._inner = -(-max(nbytes, 1) // page) * page
        self._map = mmap.mmap(-1, self._inner + 2 * page)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        libc = ctypes.CDLL(None, use_errno=True)
        for guard in (start, start + page + self._inner):
            assert libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0) == 0, os.strerror(ctypes.get_errno())

    def place(self, values: np.ndarray[Any, Any], *, at_end: bool) -> np.ndarray[Any, Any]:
        """A copy of `values` flush against the upper or the lower guard."""
        offset = mmap.PAGESIZE + (self._inner - values.nbytes if at_end else 0)
        placed = np.frombuffer(self._map, dtype=np.float32, count=values.size, offset=offset).reshape(values.shape)
        placed[...] = values
        return placed


def pointer(array: np.ndarray[Any, Any] | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def operands(shape: tuple[int, int, int, bool]) -> list[np.ndarray[Any, Any] | None]:
    rows, n, m, with_bias = shape
    rng = np.random.default_rng([rows, n, m])
    sizes = ((rows, n), (m, n), (m,))
    x, weight, bias = (rng.standard_normal(size, dtype=np.float32) for size in sizes)
    return [x, weight, bias if with_bias else None]


def with_infinities(arrays: list[np.ndarray[Any, Any] | None]) -> list[np.ndarray[Any, Any] | None]:
    x, weight = arrays[0], arrays[1]
    assert x is not None and weight is not None
    x[0, -1], x[1, 0], weight[-1, -1], x[2, -1], weight[0, 3] = np.inf, np.nan, 0.0, -np.inf, np.inf
    return arrays


def placed_calls(
    points: list[Mapping[str, str | int]], library: Path, arrays: list[np.ndarray[Any, Any] | None], *, at_end: bool
) -> Iterator[tuple[Mapping[str, str | int], np.ndarray[Any, Any]]]:
    """Every point's output for these operands."""
    loaded = ctypes.CDLL(str(library))
    x, weight, _ = arrays
    assert x is not None and weight is not None
    held = [None if a is None else Guarded(a.nbytes).place(a, at_end=at_end) for a in arrays]
    poison = np.full((x.shape[0], weight.shape[0]), np.nan, dtype=np.float32)
    room = Guarded(poison.nbytes)
    for number, point in enumerate(points):
        out = room.place(poison, at_end=at_end)
        sizes = (ctypes.c_int(size) for size in (x.shape[0], x.shape[1], weight.shape[0]))
        getattr(loaded, f"linear_{number}")(pointer(out), *map(pointer, held), *sizes)
        yield point, out


def exact(arrays: list[np.ndarray[Any, Any] | None]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The layer in float64, and how far a float32 sum of that length may lie from it."""
    x, weight, bias = (None if a is None else a.astype(np.float64) for a in arrays)
    assert x is not None and weight is not None
    added = np.zeros(weight.shape[0]) if bias is None else bias
    with np.errstate(invalid="ignore"):
        out = np.einsum("rk,mk->rm", x, weight) + added
        size = np.einsum("rk,mk->rm", np.abs(x), np.abs(weight)) + np.abs(added)
    return out, (x.shape[1] + 2) * EPS * size


def faults_in_a_child(check: Callable[[], str]) -> str:
    """What `check` says, run in a process of its own: a stray load must fail a test, not end the run."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writing, "w") as pipe:
            pipe.write(check())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said if code == 0 else f"ended with {code}: {said}"


def test_every_sampled_point_compiles_without_a_warning(build: tuple[Path, str]) -> None:
    assert build[1] == ""


@pytest.mark.parametrize("at_end", [True, False], ids=["flush-at-the-end", "flush-at-the-start"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape[:3])))
def test_every_sampled_point_computes_the_layer_inside_its_buffers(
    points: list[Mapping[str, str | int]], build: tuple[Path, str], shape: tuple[int, int, int, bool], at_end: bool
) -> None:
    arrays = operands(shape)
    wanted, bound = exact(arrays)

    def check() -> str:
        calls = placed_calls(points, build[0], arrays, at_end=at_end)
        return "\n".join(str(point) for point, out in calls if not np.all(np.abs(out - wanted) <= bound))

    assert faults_in_a_child(check) == ""


def test_infinities_and_nan_travel_as_they_do_through_the_plain_loop(
    points: list[Mapping[str, str | int]], build: tuple[Path, str]
) -> None:
    arrays = with_infinities(operands((5, 37, 11, True)))
    wanted, bound = exact(arrays)
    finite = np.isfinite(wanted)

    def fits(out: np.ndarray[Any, Any]) -> bool:
        same = np.array_equal(out[~finite], wanted[~finite].astype(np.float32), equal_nan=True)
        return same and bool(np.all(np.abs(out[finite] - wanted[finite]) <= bound[finite]))

    def check() -> str:
        calls = placed_calls(points, build[0], arrays, at_end=True)
        return "\n".join(str(point) for point, out in calls if not fits(out))

    assert faults_in_a_child(check) == ""


def test_every_sampled_point_can_be_read_by_the_house(points: list[Mapping[str, str | int]]) -> None:
    # gcc takes more than the grammar knows; what it does not know has no facts and cannot be crossed.
    assert [point for point in points if parse(space.render(point)).first_error_line is not None] == []


def test_two_points_never_print_the_same_text() -> None:
    # A neighbour differs in one choice: were that choice without effect, the two texts would be one.
    for point in random_points(8, seed=2):
        others = [{**point, name: value} for name, values in space.CHOICES.items() for value in values]
        texts = [space.render(other) for other in others if other != point and space.valid(other)]
        assert len({*texts, space.render(point)}) == len(texts) + 1


def test_no_point_prints_more_than_the_contract_allows_a_candidate() -> None:
    limits = json.loads(Path(space.__file__).with_name("experiment.json").read_text(encoding="utf-8"))["limits"]
    # Long ones are rare among random points: look among those with the most to print.
    rng, lengths = random.Random(5), []
    for _ in range(4000):
        point = {name: rng.choice(values) for name, values in space.CHOICES.items()}
        point |= {"leftover_rows": "together", "traversal": "pointers", "isa": "avx512", "lone_cols": 8}
        if space.valid(point) and int(point["tile_rows"]) * int(point["tile_cols"]) * int(point["unroll"]) >= 40:
            lengths.append(len(space.render(point)))
    assert lengths and max(lengths) <= limits["source_bytes"]


def test_a_tile_that_needs_more_registers_than_the_isa_has_is_no_valid_point() -> None:
    point: dict[str, str | int] = {name: values[0] for name, values in space.CHOICES.items()}
    point |= {"tile_rows": 4, "tile_cols": 4}
    assert {isa for isa in space.CHOICES["isa"] if space.valid({**point, "isa": isa})} == {"avx512"}


def test_sums_can_be_split_into_no_more_parts_than_the_loop_has_turns() -> None:
    point: dict[str, str | int] = {name: values[0] for name, values in space.CHOICES.items()}
    assert not space.valid({**point, "split": 4, "unroll": 2})


def test_a_cpu_without_vectors_is_offered_only_the_scalar_isa() -> None:
    assert [isa for isa in space.CHOICES["isa"] if space.available("isa", isa, frozenset())] == ["scalar"]


def test_a_cpu_that_lists_fma_but_not_avx512_is_offered_avx2() -> None:
    offered = [isa for isa in space.CHOICES["isa"] if space.available("isa", isa, frozenset({"avx2", "fma"}))]
    assert offered == ["scalar", "avx2"]


def test_a_scalar_point_asks_for_no_header() -> None:
    point = next(point for point in random_points(400, seed=3) if point["isa"] == "scalar")
    assert "#include" not in space.render(point)


def test_at_least_a_thousand_points_are_valid_for_each_isa() -> None:
    per_isa = math.prod(len(values) for name, values in space.CHOICES.items() if name != "isa")
    rng = random.Random(4)
    draws = [{name: rng.choice(values) for name, values in space.CHOICES.items()} for _ in range(4000)]
    for isa in space.CHOICES["isa"]:
        share = sum(space.valid({**draw, "isa": isa}) for draw in draws) / len(draws)
        assert share * per_isa >= 1000

"""Two sources as one, of linear's own space, built by gcc and called."""

import ctypes
import os
import random

import numpy as np
import pytest

from harness.ask.crossing import condition, cross
from harness.contract import Case, Experiment
from harness.judge import gate, toolchain
from harness.judge.clock import Stop
from harness.judge.toolchain import Artifact
from harness.source import parse

SIGNATURE = "void scale(float *x, float factor, int n)"
SCALE = "void scale(float *x, float factor, int n) { for (int i = 0; i < n; i++) x[i] *= factor; }\n"


def points(experiment: Experiment, count: int) -> list[str]:
    """Sources of so many points of the space that any x86-64 CPU of today can run."""
    space, rng = experiment.space, random.Random(1)
    assert space is not None
    found: list[str] = []
    while len(found) < count:
        choices = {name: rng.choice(values) for name, values in space.CHOICES.items()} | {"isa": "avx2"}
        if space.valid(choices):
            found.append(space.render(choices))
    return found


def called(artifact: Artifact, rows: int, in_features: int, out_features: int) -> float:
    """The largest error of one call."""
    rng = np.random.default_rng(1)
    x, weight = (rng.standard_normal((n, in_features), np.float32) for n in (rows, out_features))
    out = np.full((rows, out_features), np.nan, np.float32)
    descriptor = os.memfd_create("crossing")
    os.write(descriptor, artifact.content)
    library = ctypes.CDLL(f"/proc/self/fd/{descriptor}")
    os.close(descriptor)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (out, x, weight)]
    library.linear(*pointers, None, rows, in_features, out_features)
    return float(np.abs(out - x @ weight.T).max())


def test_either_way_of_a_crossing_is_right_and_passes_the_gate(linear: Experiment) -> None:
    first, second = points(linear, 2)
    crossed = cross(first, second, "rows <= 2", linear.signature)
    assert crossed is not None
    assert gate.inspect(crossed, linear, Stop()) == ()
    artifact = toolchain.build(crossed, linear.signature, linear.flags, 60, False)
    assert isinstance(artifact, Artifact), artifact.text
    assert max(called(artifact, 1, 130, 33), called(artifact, 9, 67, 20)) < 1e-4


def test_a_crossing_can_be_crossed_again(linear: Experiment) -> None:
    first, second, third = points(linear, 3)
    crossed = cross(first, second, "rows <= 2", linear.signature)
    assert crossed is not None
    again = cross(third, crossed, "rows > 22", linear.signature)
    assert again is not None
    assert isinstance(toolchain.build(again, linear.signature, linear.flags, 60, False), Artifact)


def test_what_both_define_outside_of_functions_is_kept_apart() -> None:
    mine = (
        "#define STEP 4\nenum { WIDTH = 8 };\ntypedef struct pair { int a; } pair;\n"
        "static const float one[2] = {1, STEP};\n"
    )
    crossed = cross(mine + SCALE, mine + SCALE, "n <= 8", SIGNATURE)
    assert crossed is not None
    built = toolchain.build(crossed, SIGNATURE, ("-O1", "-Wall", "-Werror=implicit"), 60, False)
    assert isinstance(built, Artifact), built.text


def test_a_members_name_is_no_name_of_the_sources() -> None:
    source = "struct pair { int n; };\nstatic int a(struct pair p) { return p.a_member; }\n" + SCALE
    crossed = cross(source.replace("a_member", "scale"), SCALE, "n <= 8", SIGNATURE)
    assert crossed is not None and "p.scale;" in crossed


def test_a_header_is_named_once() -> None:
    crossed = cross("#include <math.h>\n" + SCALE, "#include <math.h>\n" + SCALE, "n <= 8", SIGNATURE)
    assert crossed is not None and parse(crossed).includes == ("math.h",)


@pytest.mark.parametrize("source", [SCALE + "}", 'extern "C" { int x; }\n' + SCALE, "static " + SCALE, "int x;\n"])
def test_what_is_not_understood_is_not_crossed(source: str) -> None:
    assert cross(source, SCALE, "n <= 8", SIGNATURE) is None


def shapes(**dims: list[int]) -> list[Case]:
    return [
        Case(str(values), factor=1, **dict(zip(dims, values, strict=True)))
        for values in zip(*dims.values(), strict=True)
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [([1, 2], [8, 64], "n <= 3"), ([64], [1, 8], "n > 22"), ([0], [5], "n <= 0"), ([7], [8], "n <= 7")],
)
def test_a_number_that_tells_the_cases_apart_is_the_condition(
    ours: list[int], theirs: list[int], expected: str
) -> None:
    assert condition(shapes(n=ours), shapes(n=theirs), SIGNATURE.replace("float factor, ", "")) == expected


def test_cases_that_no_number_tells_apart_are_named_one_by_one() -> None:
    signature = "void f(float *x, int n, int m)"
    assert condition(shapes(n=[2], m=[5]), shapes(n=[1, 3], m=[4, 6]), signature) == "n == 2 && m == 5"


def test_cases_of_the_same_shape_cannot_be_told_apart() -> None:
    assert condition(shapes(n=[2]), shapes(n=[2, 1, 3]), "void f(float *x, int n)") is None

"""The experiment that the tests of this room ask about: `linear` itself, and one with a smaller function."""

from dataclasses import replace

import pytest

from harness.contract import ROOT, Experiment, load


@pytest.fixture(scope="session")
def linear() -> Experiment:
    return load(ROOT / "linear")


@pytest.fixture(scope="session")
def scale(linear: Experiment) -> Experiment:
    signature = "void scale(float *x, float factor, int n)"
    return replace(linear, target="scale", signature=signature, tags=("isa", "helpers"))

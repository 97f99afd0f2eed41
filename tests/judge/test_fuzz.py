"""Random mutants of sound candidates: whatever they are, the judge decides, cleans up, and lets nothing wrong by."""

import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brief import brief
from harness import contract
from harness.contract import Case
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.source import tokens, without_comments

LINEAR = contract.load(contract.ROOT / "linear")
QUICK = brief(LINEAR, "odd", timeout_s=0.5, build_timeout_s=5)
_SWAPS = {
    "+": "-",
    "<": "<=",
    "*": "+",
    "++": "--",
    "+=": "=",
    "0": "1",
    "1": "0",
    "8": "16",
    "long": "int",
    "float": "double",
}


def other_shapes(rng: np.random.Generator) -> list[Case]:
    sizes = (rng.integers(0, high, 40) for high in (9, 70, 40))
    return [
        Case(f"other-{n}", rows=int(r), in_features=int(i), out_features=int(o), bias=n % 2)
        for n, (r, i, o) in enumerate(zip(*sizes, strict=True))
    ]


def sound_candidates() -> list[str]:
    space = LINEAR.space
    assert space is not None
    rng = random.Random(5)
    points: list[str] = []
    while len(points) < 4:
        point = {name: rng.choice(values) for name, values in space.CHOICES.items()}
        if point["isa"] != "avx512" and point["tile_rows"] <= 2 and space.valid(point):
            points.append(space.render(point))
    return [LINEAR.seed_path.read_text(), *points]


def mutants(count: int) -> Iterator[str]:
    rng = random.Random(count)
    sources = [words(source) for source in sound_candidates()]
    for _ in range(count):
        mutant = list(rng.choice(sources))
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            place = rng.randrange(len(mutant))
            match rng.randrange(5):
                case 0:
                    del mutant[place]
                case 1:
                    mutant[place] = _SWAPS.get(mutant[place], mutant[place])
                case 2:
                    mutant[place] = rng.choice(mutant)
                case 3:
                    mutant.insert(place, mutant[place])
                case 4:
                    other = rng.randrange(len(mutant))
                    mutant[place], mutant[other] = mutant[other], mutant[place]
        yield " ".join(mutant)


def words(source: str) -> list[str]:
    """The source's words; a directive stays one, with its line to itself."""
    found: list[str] = []
    for line in without_comments(source).replace("\\\n", "").splitlines():
        found += [f"\n{line}\n"] if line.startswith("#") else tokens(line)
    return found


def children() -> set[str]:
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}


def scratch() -> set[str]:
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("loop-")}


def fuzz(count: int) -> None:
    judge = Judge(QUICK, Stop())
    unseen = Judge(
        replace(QUICK, evaluation=replace(QUICK.evaluation, checks=other_shapes(np.random.default_rng(9)))), Stop()
    )
    processes, files = children(), scratch()
    for mutant in mutants(count):
        if judge.prepare(mutant).fault is None:
            again = unseen.prepare(mutant).fault
            assert again is None, f"{again}\n{mutant}"
    assert children() <= processes
    assert scratch() <= files


def test_ten_mutants_are_all_judged_and_leave_nothing_behind() -> None:
    fuzz(10)


@pytest.mark.slow
def test_two_thousand_mutants_are_all_judged_and_leave_nothing_behind() -> None:
    fuzz(2000)

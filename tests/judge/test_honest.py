"""Honest candidates of every style pass the judge: what looks suspicious and is fine must not be refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from brief import brief
from harness import contract
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.machine import cpu_info
from harness.judge.verdict import Rivals, Standings
from harness.records import Status, Verdict

FOLDER = Path(__file__).parents[1] / "honest" / "c"
CORPUS = sorted(FOLDER.glob("*.c"))
LINEAR = contract.load(contract.ROOT / "linear")
NAIVE = LINEAR.seed_path.read_text(encoding="utf-8")
CPU_FLAGS = frozenset(cpu_info().get("flags", "").split())
WHOLE = replace(LINEAR, limits=replace(LINEAR.limits, timeout_s=2))
# Whether they are right on every size is not in question: a fifth of those will do, and every kind of data.
CHECKS = [case for n, case in enumerate(LINEAR.evaluation.checks) if case.data != "normal" or n % 5 == 0]
QUICK = brief(WHOLE, "decode", "small-batch", "odd")
QUICK = replace(QUICK, evaluation=replace(QUICK.evaluation, checks=CHECKS))
FASTER = {"four_sums"}
SLOWER = {"compensated_sum", "long_double_accumulation"}


def source_of(path: Path) -> str:
    """The source as it stands, carriage returns and all; skips what this CPU cannot run: `// needs: avx2 fma`."""
    source = path.read_bytes().decode()
    first, _, _ = source.partition("\n")
    missing = set(first.removeprefix("// needs: ").split()) - CPU_FLAGS if first.startswith("// needs: ") else ()
    if missing:
        pytest.skip(f"this CPU lacks {', '.join(sorted(missing))}")
    return source


def parameters(names: set[str] | None = None) -> list[object]:
    return [pytest.param(path, id=path.stem) for path in CORPUS if names is None or path.stem in names]


def verdict(judge: Judge, path: Path) -> Verdict:
    return judge.judge(source_of(path), Rivals(champion=NAIVE), Standings(is_new_combination=True), alpha=0.05)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(QUICK, Stop())


@pytest.mark.parametrize("path", parameters())
def test_an_honest_candidate_is_admitted_to_the_measurement(path: Path, judge: Judge) -> None:
    assert judge.prepare(source_of(path)).fault is None


@pytest.mark.parametrize("path", parameters(FASTER))
def test_an_honest_candidate_that_is_faster_is_best(path: Path, judge: Judge) -> None:
    assert verdict(judge, path).status is Status.BEST


@pytest.mark.parametrize("path", parameters(SLOWER))
def test_an_honest_candidate_that_is_slower_is_slower(path: Path, judge: Judge) -> None:
    assert verdict(judge, path).status is Status.SLOWER


@pytest.fixture(scope="module")
def whole_judge() -> Judge:
    return Judge(WHOLE, Stop())


@pytest.mark.slow
@pytest.mark.parametrize("path", parameters())
def test_an_honest_candidate_never_fails(path: Path, whole_judge: Judge) -> None:
    found = verdict(whole_judge, path)
    assert not found.status.is_failure, found.reason


def test_the_corpus_is_large_enough() -> None:
    assert len(CORPUS) >= 40

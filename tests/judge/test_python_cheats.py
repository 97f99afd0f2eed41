"""The corpus of Python cheats against the judge: by all that it has, and by process and fresh contents alone.

That every cheat is worth its while elsewhere is shown by a naive harness (slow: each imports torch anew).
"""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt")

from cheats import naive_python
from cheats.corpus import Cheat
from cheats.corpus_python import CORPUS, ROWS
from harness import contract
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.records import Verdict

HELLO = contract.load(contract.ROOT / "hello_world")
QUICK = replace(HELLO, limits=replace(HELLO.limits, timeout_s=2))
# Without the gate these are right and no faster: telling so takes the longest of all verdicts.
LONG_MEASURED = {"memo_on_the_input", "patches_the_clock", "memo_by_lru_cache"}
# Without the gate this wins, and rightly: what is caught is never raised.
ONLY_THE_GATE = {"falls_back_quietly"}


def parameters(cheats: list[Cheat]) -> list[object]:
    slow = pytest.mark.slow
    return [pytest.param(c, id=c.name, marks=slow if c.name in LONG_MEASURED else ()) for c in cheats]


def verdict(judge: Judge, cheat: Cheat) -> Verdict:
    return judge.judge(cheat.source, Rivals(champion=judge.seed), Standings(is_new_combination=True), alpha=0.05)


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(QUICK, Stop())


@pytest.fixture(scope="module")
def bare_judge() -> Judge:
    """No gate: what is left is where the candidate runs, what it is given, and what is checked afterwards."""
    return Judge(replace(QUICK, rules=()), Stop())


@pytest.mark.parametrize("cheat", [pytest.param(cheat, id=cheat.name) for cheat in CORPUS])
def test_a_cheat_gets_the_status_that_stands_beside_it(cheat: Cheat, judge: Judge) -> None:
    found = verdict(judge, cheat)
    assert found.status in cheat.judged, found.reason


@pytest.mark.parametrize("cheat", parameters([cheat for cheat in CORPUS if cheat.name not in ONLY_THE_GATE]))
def test_without_the_gate_a_cheat_still_does_not_win(cheat: Cheat, bare_judge: Judge) -> None:
    found = verdict(bare_judge, cheat)
    assert not found.status.is_winner, found.reason


@pytest.mark.slow
@pytest.mark.parametrize("cheat", [pytest.param(cheat, id=cheat.name) for cheat in CORPUS])
def test_a_cheat_gains_from_a_naive_harness_what_it_says(cheat: Cheat, tmp_path: Path) -> None:
    report = naive_python.try_out(cheat.path, tmp_path)
    gains = {
        "faster": report["accepted"] and report["seconds"] < 0.6 * report["seed_seconds"],
        "wrong": report["accepted"] and not report["right"],
        "harm": bool(report["harm"]),
        "luck": report["accepted"],
    }
    assert gains[cheat.gains], report


def test_the_naive_harness_finds_the_seed_right(tmp_path: Path) -> None:
    report = naive_python.try_out(HELLO.seed_path, tmp_path)
    assert (report["accepted"], report["right"], report["harm"]) == (True, True, [])


def test_the_corpus_is_large_enough_and_has_every_row_that_exists_without_a_gpu() -> None:
    assert len(CORPUS) >= 30
    assert {cheat.row for cheat in CORPUS} == set(ROWS)

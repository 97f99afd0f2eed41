"""The corpus of cheats on a CUDA device: what the rules say of them anywhere, and what becomes of them on a device."""

from dataclasses import replace

import pytest

from cheats.corpus import Cheat
from cheats.corpus_cuda import CORPUS, ROWS
from harness import contract
from harness.contract import CUDA
from harness.judge import device, python_gate
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.records import Verdict

HELLO = contract.load(contract.ROOT / "hello_world", CUDA)
QUICK = replace(HELLO, limits=replace(HELLO.limits, timeout_s=5))
EVERY_CHEAT = [pytest.param(cheat, id=cheat.name) for cheat in CORPUS]


@pytest.fixture(scope="module")
def usable() -> None:
    """A device, and a torch that sees it."""
    if device.cuda() is None:
        pytest.skip("no CUDA device: libcuda.so.1 names none")
    torch = pytest.importorskip(
        "torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt"
    )
    if not torch.cuda.is_available():
        pytest.skip("torch sees no CUDA device (torch.cuda.is_available() is False)")


@pytest.fixture(scope="module")
def judge(usable: None) -> Judge:
    return Judge(QUICK, Stop())


@pytest.fixture(scope="module")
def bare_judge(usable: None) -> Judge:
    """No gate: what is left is where the candidate runs, what it is given, and what is checked afterwards."""
    return Judge(replace(QUICK, rules=()), Stop())


def verdict(judge: Judge, cheat: Cheat) -> Verdict:
    return judge.judge(cheat.source, Rivals(champion=judge.seed), Standings(is_new_combination=True), alpha=0.05)


@pytest.mark.parametrize("cheat", EVERY_CHEAT)
def test_the_rules_refuse_those_that_the_rules_are_to_refuse(cheat: Cheat) -> None:
    assert bool(python_gate.inspect(cheat.source, HELLO)) == ("forbidden" in cheat.judged)


@pytest.mark.gpu
@pytest.mark.parametrize("cheat", EVERY_CHEAT)
def test_a_cheat_gets_the_status_that_stands_beside_it(cheat: Cheat, judge: Judge) -> None:
    found = verdict(judge, cheat)
    assert found.status in cheat.judged, found.reason


@pytest.mark.gpu
@pytest.mark.parametrize("cheat", EVERY_CHEAT)
def test_without_the_gate_a_cheat_still_does_not_win(cheat: Cheat, bare_judge: Judge) -> None:
    found = verdict(bare_judge, cheat)
    assert not found.status.is_winner, found.reason


def test_every_row_that_reads_otherwise_on_a_device_is_there() -> None:
    assert {cheat.row for cheat in CORPUS} == set(ROWS)

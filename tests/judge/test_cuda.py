"""What only a CUDA device can show: the clock waits for it, its box holds, and all three steps of a visit are taken."""

import importlib.util
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt")

from harness import contract
from harness.contract import CUDA, Experiment
from harness.judge import device
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.records import Verdict

NO_TORCH_FOR_IT = "torch sees no CUDA device (torch.cuda.is_available() is False)"
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(device.cuda() is None, reason="no CUDA device: libcuda.so.1 names none"),
]
needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="swish_triton needs triton: pip install -r experiments/swish_triton/requirements.txt",
)
HELLO = contract.load(contract.ROOT / "hello_world", CUDA)
SWISH = contract.load(contract.ROOT / "experiments" / "swish_triton")
STANDINGS = Standings(is_new_combination=False)
BODY = "import os, ctypes, socket, threading\nimport torch\n\n\ndef hello_world(x, weight):\n    {body}\n"
IN_PLACE = "return x.view(-1)[: len(x), None].copy_((x @ weight.T).sum(1, keepdim=True) * 0.75)"
RIGHT = "return (x @ weight.T).sum(1, keepdim=True) * 0.75"


@pytest.fixture(scope="module", autouse=True)
def torch_can_use_it() -> None:
    import torch  # noqa: PLC0415 - the device is looked for first

    if not torch.cuda.is_available():
        pytest.skip(NO_TORCH_FOR_IT)


@pytest.fixture(scope="module")
def bare() -> Judge:
    """No gate: the process alone."""
    return Judge(replace(HELLO, rules=(), limits=replace(HELLO.limits, timeout_s=5)), Stop())


def judged(experiment: Experiment, source: str | None = None) -> Verdict:
    judge = Judge(experiment, Stop())
    return judge.judge(source or judge.seed, Rivals(champion=judge.seed), STANDINGS, 0.05)


def test_the_seed_against_itself_is_timed_and_no_winner() -> None:
    found = judged(HELLO)
    assert found.status in ("tie", "slower") and set(found.cases) == {"small", "large"}, found.reason
    assert str(device.cuda()) in found.machine and found.unguarded == ()


def test_work_that_is_only_started_is_waited_for(bare: Judge) -> None:
    """Kernels that sleep 20 ms each on a stream of their own: a call returns at once, the visit does not."""
    late = "with torch.cuda.stream(LATE): torch.cuda._sleep(40_000_000)\n    "  # one after the other
    source = BODY.format(body=late + RIGHT).replace("import torch\n", "import torch\n\nLATE = torch.cuda.Stream()\n", 1)
    found = bare.judge(source, Rivals(champion=bare.seed), STANDINGS, 0.05)
    assert found.status == "slower" and (found.median_s or 0) > 5e-3, found.reason


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (
            "return (x @ weight.T).sum(1, keepdim=True).mul(0.75).cpu()",
            "wrong",
            "on cpu, must be torch.float32 on cuda",
        ),
        ("return x.new_zeros((len(x), 1), dtype=torch.half)", "wrong", "torch.float16"),
        ("open('/etc/passwd')", "crashed", "PermissionError"),
        ("open('/root/.profile')", "crashed", "PermissionError"),
        ("socket.socket()", "crashed", "PermissionError"),
        ("os.kill(os.getppid(), 9)", "crashed", "made a system call"),
        ("os.execv('/bin/true', ['true'])", "crashed", "made a system call"),
        ("ctypes.CDLL(None).ptrace(0, 0, 0, 0)", "crashed", "made a system call"),
        ("while True: pass", "timed_out", "no answer"),
    ],
)
def test_what_a_candidate_does_ends_as_a_verdict(bare: Judge, body: str, status: str, said: str) -> None:
    found = bare.judge(BODY.format(body=body), Rivals(champion=bare.seed), STANDINGS, 0.05)
    assert found.status == status and said in found.reason, found.reason


def test_an_answer_from_another_call_is_wrong(bare: Judge) -> None:
    answer = RIGHT.removeprefix("return ")
    source = f"SEEN = []\n\n\ndef hello_world(x, weight):\n    SEEN.append({answer})\n    return SEEN[0]\n"
    assert bare.judge(source, Rivals(champion=bare.seed), STANDINGS, 0.05).status == "wrong"


def test_what_was_handed_over_is_no_result(bare: Judge) -> None:
    """On a processor it cannot be written to."""
    fault = bare.prepare(BODY.format(body=IN_PLACE)).fault
    assert fault is not None and "one of its arguments" in fault.reason, fault


@needs_triton
def test_a_triton_kernel_is_compiled_in_its_box_and_right() -> None:
    judge = Judge(SWISH, Stop())
    assert judge.prepare(judge.seed).fault is None


@pytest.mark.slow
@needs_triton
def test_a_triton_kernel_is_timed() -> None:
    found = judged(SWISH)
    assert found.status in ("tie", "slower") and set(found.cases) == {"wide", "odd"}, found.reason

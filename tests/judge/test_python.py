"""The Python arm: a process that is given little, asleep but for its visits, and gone with its judge."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch candidates need torch: pip install -r hello_world/requirements.txt")

from harness import contract
from harness.judge.arm import Arm
from harness.judge.clock import Stop
from harness.judge.fault import Fault
from harness.judge.inputs import Arena, Placement, Workload, lay_out
from harness.judge.kinds import Kind, open_kind
from harness.judge.measure import checked_visit
from harness.judge.toolchain import Artifact
from harness.records import Status
from scratch import descendants, is_alive

HELLO = contract.load(contract.ROOT / "hello_world")
BARE = replace(HELLO, rules=(), limits=replace(HELLO.limits, timeout_s=2, memory_mb=256))
SEED = HELLO.seed_path.read_text()


@pytest.fixture(scope="module")
def kind() -> Kind:
    return open_kind(BARE, Stop())


@pytest.fixture
def arena() -> Iterator[Arena]:
    one = Arena()
    yield one
    one.close()


def workload(arena: Arena, calls: int = 4) -> Workload:
    laid_out = lay_out(BARE, BARE.evaluation.cases[0], np.random.default_rng(1), calls, Placement.FREE, arena)
    arena.open()
    return laid_out


def arm(kind: Kind, source: str, arena: Arena) -> Arm:
    return kind.arm(Artifact(content=source.encode()), arena, 0, -1, Stop())


def fault_of(kind: Kind, body: str, arena: Arena) -> Fault:
    """How a function with this body fails in its first visit."""
    source = f"import os, ctypes, socket\nimport torch\n\n\ndef hello_world(x, weight):\n    {body}\n"
    laid_out = workload(arena)
    with arm(kind, source, arena) as one, pytest.raises(Fault) as raised:
        checked_visit(one, laid_out, calls=2)
    return raised.value


def test_a_visit_answers_every_call(kind: Kind, arena: Arena) -> None:
    laid_out = workload(arena)
    with arm(kind, SEED, arena) as one:
        checked_visit(one, laid_out, calls=2, visits=2)


def test_who_sleeps_has_not_lost_its_core(kind: Kind, arena: Arena) -> None:
    """Or a candidate could choose which of its visits count."""
    source = SEED.replace("import", "import threading\nimport", 1) + "\n\nHELD = threading.Lock()\nHELD.acquire()\n"
    source = source.replace(") -> Tensor:", ") -> Tensor:\n    HELD.acquire(timeout=1e-4)", 1)
    laid_out = workload(arena)
    with arm(kind, source, arena) as one:
        visits = [checked_visit(one, laid_out)[0] for _ in range(200)]
    assert min(one.seconds for one in visits) > 1e-4
    assert not all(one.disturbed for one in visits)


def test_a_source_may_be_longer_than_a_message(kind: Kind, arena: Arena) -> None:
    laid_out = workload(arena)
    with arm(kind, f"{SEED}# {'x' * 1_000_000}\n", arena) as one:
        checked_visit(one, laid_out)


def test_no_call_is_fed_twice_the_same(kind: Kind, arena: Arena) -> None:
    laid_out = workload(arena)
    with arm(kind, SEED, arena) as one:
        seen = []
        for _ in range(3):
            checked_visit(one, laid_out, calls=4)
            seen += [row.tobytes() for row in laid_out.expected]
    assert len(set(seen)) == len(seen)


def test_contents_arrive_only_once_the_arm_is_awake(kind: Kind, arena: Arena) -> None:
    laid_out = workload(arena)
    with arm(kind, SEED, arena) as one:
        checked_visit(one, laid_out)
        segments = [segment for _, segment, _, _ in laid_out.buffers if not segment.writable]
        before = [arena.view(segment).copy() for segment in segments]
        laid_out.refresh(arena, 0, 1)
        assert all((arena.view(segment) == old).all() for segment, old in zip(segments, before, strict=True))


def test_an_answer_from_another_call_is_wrong(kind: Kind, arena: Arena) -> None:
    source = "SEEN = []\n\n\ndef hello_world(x, weight):\n    SEEN.append((x @ weight.T).sum(1, keepdim=True) * 0.75)\n"
    laid_out = workload(arena)
    with arm(kind, source + "    return SEEN[0]\n", arena) as one, pytest.raises(Fault) as raised:
        checked_visit(one, laid_out, calls=2)
    assert raised.value.status is Status.WRONG


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("while True: pass", Status.TIMED_OUT, "no answer within 2 s"),
        ("raise ValueError('so it is')", Status.CRASHED, "ValueError: so it is (line 6)"),
        ("return 7", Status.WRONG, "returned a int"),
        ("return x.new_zeros((len(x), 1), dtype=torch.float64)", Status.WRONG, "torch.float64"),
        ("return torch.nn.Parameter(x.new_zeros((len(x), 1)))", Status.WRONG, "returned a Parameter"),
        ("x[0, 0] = 1", Status.CRASHED, "touched memory it may not touch"),
        ("ctypes.string_at(0)", Status.CRASHED, "touched memory it may not touch"),
        ("torch.empty(1 << 30).fill_(1)", Status.CRASHED, "RuntimeError"),
        ("open('/etc/passwd')", Status.CRASHED, "PermissionError"),
        ("os.fork()", Status.CRASHED, "made a system call"),
        ("os.execv('/bin/true', ['true'])", Status.CRASHED, "made a system call"),
        ("os.kill(os.getppid(), 9)", Status.CRASHED, "made a system call"),
        ("socket.socket()", Status.CRASHED, "made a system call"),
        ("ctypes.CDLL(None).ptrace(0, 0, 0, 0)", Status.CRASHED, "made a system call"),
        ("torch.set_num_threads(2); return x.expand(99, *x.shape).sum((0, 2))", Status.CRASHED, "made a system call"),
    ],
)
def test_what_a_candidate_does_ends_as_a_verdict(
    kind: Kind, body: str, status: Status, reason: str, arena: Arena
) -> None:
    fault = fault_of(kind, body, arena)
    assert fault.status is status and reason in fault.reason, fault.reason


def test_its_environment_is_empty_of_ours(kind: Kind, arena: Arena) -> None:
    fault = fault_of(kind, "raise ValueError(sorted(os.environ))", arena)
    assert "LC_ALL" in fault.reason and "PATH" not in fault.reason


def test_denormals_that_are_flushed_are_found_out(kind: Kind, arena: Arena) -> None:
    body = "torch.set_flush_denormal(True); return (x @ weight.T).sum(1, keepdim=True) * 0.75"
    assert fault_of(kind, body, arena).status is Status.FORBIDDEN


def test_an_arm_has_all_of_its_box(kind: Kind, arena: Arena) -> None:
    workload(arena)
    with arm(kind, SEED, arena) as one:
        with open(f"/proc/{one.process.pid}/status") as file:
            said = dict(line.split(":\t", 1) for line in file.read().splitlines() if ":\t" in line)
        assert (said["NoNewPrivs"], said["Seccomp"], said["Threads"]) == ("1", "2", "1")
        assert os.listdir(f"/proc/{one.process.pid}/fd") == []


def test_interpreter_and_arm_die_with_their_judge() -> None:
    """The arm is in the middle of a call when its judge is killed."""
    endless = "def hello_world(x, weight):\n    while True: pass\n"
    script = (
        "from dataclasses import replace\nfrom harness import contract\nfrom harness.judge.clock import Stop\n"
        "from harness.judge.judge import Judge\n"
        "one = Judge(replace(contract.load(contract.ROOT / 'hello_world'), rules=()), Stop())\n"
        f"print('open', flush=True)\none.prepare({endless!r})\n"
    )
    judge = subprocess.Popen([sys.executable, "-c", script], cwd=contract.ROOT, stdout=subprocess.PIPE, text=True)
    assert judge.stdout is not None and judge.stdout.readline()
    deadline = time.monotonic() + 5
    while len(children := descendants(judge.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    judge.kill()
    judge.communicate()
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(children) >= 2 and not any(map(is_alive, children))

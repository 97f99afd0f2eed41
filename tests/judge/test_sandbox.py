"""The process alone: gate and artifact check switched off, a candidate still reaches nothing and keeps nothing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from brief import brief
from harness import contract
from harness.judge.clock import Stop
from harness.judge.fault import Fault
from harness.judge.judge import Judge
from harness.records import Status

LINEAR = contract.load(contract.ROOT / "linear")
BARE = replace(brief(LINEAR, "decode", timeout_s=1), rules=())
NAIVE = LINEAR.seed_path.read_text()
SYSTEM_CALL = """
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
"""


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(BARE, Stop(), check_artifact=False)


def after(judge: Judge, statement: str, before: str = "") -> Fault | None:
    """What is found against the naive candidate that first runs one statement."""
    return judge.prepare(
        before + NAIVE.replace("    for (int r = 0;", f"    {statement}\n    for (int r = 0;", 1)
    ).fault


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("open", 'call(2, (long)"/etc/passwd", 0, 0);'),
        ("fork", "call(57, 0, 0, 0);"),
        ("clone", "call(56, 17, 0, 0);"),
        ("socket", "call(41, 2, 1, 0);"),
        ("kill", "call(62, 1, 9, 0);"),
        ("execve", 'call(59, (long)"/bin/true", 0, 0);'),
        ("mmap", "call(9, 0, 4096, 7);"),
        ("mprotect", "call(10, (long)linear & -4096, 4096, 7);"),
        ("clock_gettime", "long t[2]; call(228, 1, (long)t, 0);"),
        ("write", 'call(1, 1, (long)"x", 1);'),
        ("ptrace", "call(101, 0, 0, 0);"),
        ("memfd_create", 'call(319, (long)"x", 0, 0);'),
    ],
)
def test_a_system_call_ends_the_process(judge: Judge, name: str, statement: str) -> None:
    found = after(judge, statement, SYSTEM_CALL)
    assert found is not None and found.status is Status.CRASHED
    assert "made a system call" in found.reason


def test_the_time_stamp_counter_cannot_be_read(judge: Judge) -> None:
    found = after(judge, "volatile unsigned long t = __builtin_ia32_rdtsc(); (void)t;")
    assert found is not None and found.status is Status.CRASHED
    assert "time-stamp counter" in found.reason


def test_ending_the_process_is_a_crash_and_not_a_result(judge: Judge) -> None:
    found = after(judge, "call(231, 0, 0, 0);", SYSTEM_CALL)
    assert found is not None and found.status is Status.CRASHED


def test_a_counter_in_writable_data_is_found_although_nobody_looked_at_the_artifact(judge: Judge) -> None:
    found = after(judge, "calls++;", "static volatile int calls;\n")
    assert found is not None and found.status is Status.FORBIDDEN
    assert "kept state" in found.reason


def test_the_frames_of_its_callers_lead_a_candidate_nowhere(judge: Judge) -> None:
    # All that is saved there: how far the arguments, one of them on the stack, and the addresses to return to lead.
    found = after(judge, "for (long *at = __builtin_frame_address(0); (long)at & 4095; at++) LOOK(*at);",
                  "#define LOOK(v) if ((v) > 1l << 20 && (v) >> 12 != (long)at >> 12 && !CODE(v)) __builtin_trap()\n"
                  "#define CODE(v) ((v) - (long)__builtin_return_address(0) + (1ul << 20) < 2ul << 20)\n")  # fmt: skip
    assert found is None


FROM_THE_FIRST = {  # what to set, and what a later call would find
    "the base of GS": ('asm volatile("wrgsbase %0" :: "r"(1L));', 'asm volatile("rdgsbase %0" : "=r"(found));'),
    "the base of FS": (
        'asm volatile("rdfsbase %0" : "=r"(found)); asm volatile("wrfsbase %0" :: "r"(found | 8));',
        'asm volatile("rdfsbase %0" : "=r"(found)); found &= 8;',
    ),
    "a segment": ('asm volatile("mov %0, %%es" :: "r"(0x2b));', 'asm volatile("mov %%es, %0" : "=r"(found));'),
    "a flag": (
        "__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | 1 << 21);",
        "found = __builtin_ia32_readeflags_u64() & 1 << 21;",
    ),
}


@pytest.mark.parametrize(("leave", "find"), FROM_THE_FIRST.values(), ids=FROM_THE_FIRST.keys())
def test_nothing_that_a_call_leaves_in_the_processor_reaches_the_next(judge: Judge, leave: str, find: str) -> None:
    assert after(judge, f"unsigned long found = 0; {find} if (found) __builtin_trap(); {leave}") is None


def test_the_environment_of_a_candidate_is_empty(judge: Judge) -> None:
    os.environ["LOOP_TEST_SECRET"] = "1"
    try:
        found = after(judge, "if (environ && *environ) __builtin_trap();", "extern char **environ;\n")
    finally:
        del os.environ["LOOP_TEST_SECRET"]
    assert found is None


def test_a_candidate_without_faults_passes_in_the_same_mode(judge: Judge) -> None:
    assert judge.prepare(NAIVE).fault is None


def test_memory_without_end_is_refused(judge: Judge) -> None:
    found = after(judge, "volatile char *p = call_malloc(1L << 33); p[0] = 1;",
                  "void *malloc(unsigned long);\n#define call_malloc malloc\n")  # fmt: skip
    assert found is not None and found.status is Status.CRASHED


def test_no_process_is_left_behind(judge: Judge) -> None:
    after(judge, "volatile int on = 1; while (on) { }")
    after(judge, "call(57, 0, 0, 0);", SYSTEM_CALL)
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    names = [Path(f"/proc/{pid}/comm").read_text() for pid in own]
    assert not [name for name in names if name.startswith("runner")]

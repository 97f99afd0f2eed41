"""The judge's statuses, each earned by a small candidate through the real compiler, processes and clock."""

from dataclasses import replace

import pytest

from brief import brief
from harness import contract
from harness.errors import JudgeError
from harness.judge import toolchain
from harness.judge.clock import Interrupted, Stop
from harness.judge.judge import Judge
from harness.judge.verdict import Rivals, Standings
from harness.records import Status, Verdict

LINEAR = contract.load(contract.ROOT / "linear")
QUICK = brief(LINEAR, "decode", "decode-wide", "small-batch", "odd", timeout_s=1)
NAIVE = LINEAR.seed_path.read_text()
FASTER = """
void linear(float *out, const float *x, const float *weight, const float *bias, int rows, int in_features,
            int out_features) {
    for (int r = 0; r < rows; r++)
        for (int o = 0; o < out_features; o++) {
            const float *a = x + (long)r * in_features, *b = weight + (long)o * in_features;
            float lane[16] = {0}, sum = bias ? bias[o] : 0.0f;
            int i = 0;
            for (; i + 16 <= in_features; i += 16)
                for (int k = 0; k < 16; k++) lane[k] += a[i + k] * b[i + k];
            for (; i < in_features; i++) sum += a[i] * b[i];
            for (int k = 0; k < 16; k++) sum += lane[k];
            out[(long)r * out_features + o] = sum;
        }
}
"""


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(QUICK, Stop())


def verdict(judge: Judge, source: str, champion: str = NAIVE, *, is_new: bool = False) -> Verdict:
    return judge.judge(source, Rivals(champion=champion), Standings(is_new_combination=is_new), alpha=0.05)


def with_body(statement: str) -> str:
    """The naive function with one statement put first."""
    return NAIVE.replace("    for (int r = 0;", f"    {statement}\n    for (int r = 0;", 1)


@pytest.fixture(scope="module")
def faster(judge: Judge) -> Verdict:
    return verdict(judge, FASTER)


def test_a_faster_candidate_is_best(faster: Verdict) -> None:
    assert faster.status is Status.BEST


def test_the_speedup_of_a_winner_has_an_interval_around_it(faster: Verdict) -> None:
    assert faster.speedup is not None
    assert 1 < faster.speedup.low <= faster.speedup.ratio <= faster.speedup.high


def test_every_timed_case_is_in_the_verdict(faster: Verdict) -> None:
    assert set(faster.cases) == {case.name for case in QUICK.evaluation.cases}


def test_every_timed_case_has_a_least_time_and_took_longer(faster: Verdict) -> None:
    assert all(0 < case.ceiling_s < case.median_s for case in faster.cases.values())


def test_the_machine_of_a_verdict_names_compiler_and_flags(faster: Verdict) -> None:
    assert f"{toolchain.compiler_version()} -O3 -march=native, Linux " in faster.machine


def test_a_winner_that_is_measured_again_still_beats_the_seed(judge: Judge) -> None:
    found = judge.remeasure(FASTER)
    assert (found.status, found.vs_champion, set(found.cases)) == (
        Status.ACCEPTED,
        None,
        {case.name for case in QUICK.evaluation.cases},
    )
    assert found.speedup is not None and 1 < found.speedup.low <= found.speedup.ratio <= found.speedup.high


def test_a_winner_that_is_measured_again_beside_a_champion_is_best_where_it_beats_that_one(judge: Judge) -> None:
    found = judge.remeasure(FASTER, champion=NAIVE.replace("sum", "total"))
    assert found.status is Status.BEST
    assert found.vs_champion is not None and all(case.vs_champion for case in found.cases.values())


@pytest.mark.parametrize(
    ("statement", "status"), [("*out = *(float *)8;", Status.CRASHED), ("rows = 0;", Status.WRONG)]
)
def test_a_winner_that_fails_when_measured_again_is_a_verdict_of_this_machine(
    judge: Judge, statement: str, status: Status
) -> None:
    found = judge.remeasure(with_body(statement))
    assert (found.status, found.cases, bool(found.machine)) == (status, {}, True)


def test_the_same_code_again_does_not_win(judge: Judge) -> None:
    assert verdict(judge, NAIVE.replace("sum", "total")).status in (Status.TIE, Status.SLOWER)


def test_a_slower_candidate_is_slower_within_a_second_or_so(judge: Judge) -> None:
    found = verdict(judge, NAIVE, champion=FASTER)
    assert found.status is Status.SLOWER


def slow_where(condition: str) -> str:
    """The faster candidate, but some 0.2 ms slower where the condition holds."""
    wait = f"    for (volatile int i = 0; {condition} && i < 600000; i++) {{}}\n"
    return FASTER.replace("    for (int r = 0;", f"{wait}    for (int r = 0;", 1)


def test_a_case_won_alone_makes_a_specialist(judge: Judge) -> None:
    found = verdict(judge, slow_where("rows > 1"), champion=slow_where("rows == 1 && out_features > in_features"))
    assert found.status is Status.SPECIALIST
    assert found.specialist_of == ("decode-wide",)


def test_who_beats_the_champion_on_a_case_and_not_who_is_best_there_is_no_specialist(judge: Judge) -> None:
    source, champion = slow_where("rows > 1"), slow_where("rows == 1 && out_features > in_features")
    rivals = Rivals(champion=champion, specialists={"decode-wide": source})
    found = judge.judge(f"enum {{ another = 1 }};\n{source}", rivals, Standings(is_new_combination=False), 0.05)
    assert not found.status.is_winner
    assert found.reason.startswith("beats the champion on decode-wide, but not who is best there; over all cases: ")


def test_who_beats_the_champion_is_not_held_up_by_a_specialist(judge: Judge) -> None:
    rivals = Rivals(champion=NAIVE, specialists={case.name: "no C at all" for case in QUICK.evaluation.cases})
    assert judge.judge(FASTER, rivals, Standings(is_new_combination=False), 0.05).status is Status.BEST


def test_code_that_does_not_compile_is_build_failed_with_the_compilers_words(judge: Judge) -> None:
    found = verdict(judge, NAIVE.replace("float sum", "flaot sum"))
    assert (found.status, "flaot" in found.reason) == (Status.BUILD_FAILED, True)


def test_a_wrong_element_is_named(judge: Judge) -> None:
    found = verdict(judge, NAIVE.replace("bias ? bias[o] : 0.0f", "0.0f"))
    assert found.status is Status.WRONG
    assert "out[0][0] is" in found.reason


def test_reading_past_the_end_is_seen(judge: Judge) -> None:
    found = verdict(judge, NAIVE.replace("x[(long)r * in_features + i]", "x[(long)r * in_features + i + 1]"))
    assert found.status in (Status.CRASHED, Status.WRONG)


def test_a_crash_says_which_buffer_was_left_and_how_far(judge: Judge) -> None:
    found = verdict(judge, with_body("volatile float far = weight[(long)out_features * in_features]; (void)far;"))
    assert found.status is Status.CRASHED
    assert "0 bytes past the end of weight" in found.reason


def test_writing_to_an_input_crashes(judge: Judge) -> None:
    found = verdict(judge, with_body("if (rows && in_features) ((volatile float *)x)[0] = 0;"))
    assert found.status is Status.CRASHED


def test_a_candidate_that_never_ends_is_stopped_at_its_limit(judge: Judge) -> None:
    found = verdict(judge, with_body("volatile int on = 1; while (on) { }"))
    assert (found.status, "no answer within 1 s" in found.reason) == (Status.TIMED_OUT, True)
    assert found.seconds < QUICK.limits.timeout_s + 5  # the other worker's tests may be measuring first


def test_a_candidate_that_is_slow_in_every_check_is_stopped_after_a_while() -> None:
    hurried = Judge(replace(QUICK, limits=replace(QUICK.limits, timeout_s=0.15)), Stop())
    found = verdict(hurried, with_body("for (volatile int turn = 0; turn < 60000000; turn++) { }"))
    assert (found.status, found.reason) == (Status.TIMED_OUT, "all checks together took more than 3 s")


def test_the_next_candidate_is_not_affected_by_one_that_crashed(judge: Judge) -> None:
    verdict(judge, with_body("*(volatile int *)8 = 1;"))
    assert judge.prepare(NAIVE.replace("sum", "s")).fault is None


def test_filling_the_stack_is_a_crash(judge: Judge) -> None:
    deep = "static int deep(int n) { volatile char room[4096]; room[0] = (char)n; return deep(n + 1) + room[0]; }\n"
    assert verdict(judge, deep + with_body("if (deep(0)) return;")).status is Status.CRASHED


def test_changing_the_rounding_mode_for_good_is_forbidden(judge: Judge) -> None:
    source = "#include <xmmintrin.h>\n" + with_body("_mm_setcsr(_mm_getcsr() | 0x8040);")
    assert verdict(judge, source).status is Status.FORBIDDEN


def test_state_between_calls_is_forbidden(judge: Judge) -> None:
    source = "static int calls;\n" + with_body("calls++; if (calls > 1 << 30) return;")
    assert verdict(judge, source).status is Status.FORBIDDEN


def test_a_seed_that_fails_its_own_validation_is_an_error_of_the_harness() -> None:
    broken = replace(QUICK, evaluation=replace(QUICK.evaluation, bound=lambda x, weight, bias: -1.0))
    with pytest.raises(JudgeError, match="the seed is wrong here"):
        Judge(broken, Stop())


def test_a_stop_ends_a_judgement_at_once(judge: Judge) -> None:
    stop = Stop()
    stopped = Judge(QUICK, stop)
    stop.set()
    with pytest.raises(Interrupted):
        stopped.judge(FASTER, Rivals(champion=NAIVE), Standings(is_new_combination=False), 0.05)

"""The bound of `attention` on both sides, by candidates that the real judge examines: what must pass, and what not."""

from dataclasses import replace

import pytest

from brief import brief
from harness import catalog, contract
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.records import Status

ATTENTION = contract.load(catalog.locate("attention"))
SEED = ATTENTION.seed_path.read_text(encoding="utf-8")
# One timed case is enough to open a judge, and checks of up to 131 tokens to tell a rounding from a fault: the longest
# sequence alone takes a third of the time of all.
QUICK = brief(ATTENTION, "t32")
QUICK = replace(
    QUICK,
    evaluation=replace(
        QUICK.evaluation,
        checks=[case for case in QUICK.evaluation.checks if case.name != "longest"],
        hidden=lambda rng: [case for case in ATTENTION.evaluation.hidden(rng) if case.name != "near-t256"],
    ),
)
EXP, PRODUCT = "expf(weight[j] - top)", "q[i] * k[(long)j * head_dim + i]"
VALUE = "v[(long)j * head_dim + i]"
# Ten bits behind the point, as a half has them, with the range of a float.
HALF = """\
#include <string.h>
static float half(float x) {
    unsigned bits;
    memcpy(&bits, &x, 4);
    bits = (bits + 0x1000) & ~0x1FFFu;
    memcpy(&x, &bits, 4);
    return x;
}
"""
# The series of exp, cut after so many powers; the remainder of a power of two is exact.
SERIES = """\
#include <math.h>
static float series(float x) {
    float n = rintf(x * 1.44269504f), r = fmaf(-n, 0.693147182f, x), term = 1.0f, sum = 1.0f;
    for (int i = 1; i <= DEGREE; i++) {
        sum += term *= r / i;
    }
    return x < -87.0f ? 0.0f : x != x ? x : ldexpf(sum, (int)n);
}
"""
WRONG = {
    "q and k in half precision": HALF + SEED.replace(PRODUCT, "half(q[i]) * half(k[(long)j * head_dim + i])"),
    "v in half precision": HALF + SEED.replace(VALUE, f"half({VALUE})"),
    "weights in half precision": HALF + SEED.replace(EXP, f"half({EXP})"),
    "exp off by a ten-thousandth": SERIES.replace("DEGREE", "3") + SEED.replace(EXP, "series(weight[j] - top)"),
    "the greatest score is not taken off": SEED.replace(EXP, "expf(weight[j])"),
    "hidden keys have a say in the greatest": SEED.replace("(!keep || keep[j]) && weight", "weight"),
    "hidden keys have weight 0, times what they hold": SEED.replace("continue;", "weight[j] = -INFINITY;"),
    "rows without a key are divided": SEED.replace("total == 0.0f ? 0.0f : ", ""),
}
RIGHT = {
    "exp off by a millionth": SEED.replace(EXP, f"{EXP} * (1.0f + 1e-6f * sinf(9.0f * fmaxf(weight[j], -1e3f)))"),
    "half of every product beforehand": SEED.replace(
        PRODUCT, "(q[i] / sqrtf(head_dim)) * k[(long)j * head_dim + i]"
    ).replace("score / sqrtf(head_dim)", "score"),
    "exp as a power of two": SEED.replace(EXP, "exp2f((weight[j] - top) * 1.44269504f)"),
}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(QUICK, Stop())


@pytest.mark.parametrize("what", WRONG)
def test_what_is_off_by_more_than_rounding_is_wrong(judge: Judge, what: str) -> None:
    assert WRONG[what] not in (SEED, HALF + SEED, SERIES + SEED)
    fault = judge.prepare(WRONG[what]).fault
    assert fault is not None and fault.status is Status.WRONG


@pytest.mark.parametrize("what", RIGHT)
def test_what_rounds_in_another_way_passes(judge: Judge, what: str) -> None:
    assert RIGHT[what] != SEED
    assert judge.prepare(RIGHT[what]).fault is None


def test_the_work_of_a_causal_case_is_what_can_be_seen() -> None:
    case = next(case for case in ATTENTION.evaluation.cases if case.name == "t32")
    assert ATTENTION.evaluation.work(case)["flops"] == 12 * (32 * 33 / 2) * 64 * 4

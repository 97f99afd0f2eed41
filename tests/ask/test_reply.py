import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from harness.ask.reply import Unreadable, read_reply
from harness.contract import Experiment
from harness.records import Candidate
from harness.source import digest

PARENT = """\
void scale(float *x, float factor, int n) {
    for (int i = 0; i < n; i++) {
        x[i] *= factor;
    }
}
"""
FASTER = """\
#include <immintrin.h>
#define WIDTH 8
typedef float real;

static void one(real *x, real factor) {
    *x *= factor;
}

void scale(float *x, float factor, int n) {
    int i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        _mm256_storeu_ps(x + i, _mm256_mul_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(factor)));
    }
    for (; i < n; i++) {
        one(x + i, factor);
    }
}
"""
EDIT = """\
<<<<<<< SEARCH
        x[i] *= factor;
=======
        x[i] = factor * x[i];
>>>>>>> REPLACE
"""
PROTOTYPE = "void scale(float *x, float factor, int n);\n"


def fenced(code: str, language: str = "c") -> str:
    return f"```{language}\n{code}```\n"


def read(reply: str, experiment: Experiment, finish_reason: str = "stop") -> Candidate | Unreadable:
    return read_reply(reply, finish_reason, experiment, PARENT)


def source_of(reply: str, experiment: Experiment, finish_reason: str = "stop") -> str:
    outcome = read(reply, experiment, finish_reason)
    assert isinstance(outcome, Candidate), outcome
    return outcome.source


def reason_of(reply: str, experiment: Experiment, finish_reason: str = "stop") -> str:
    outcome = read(reply, experiment, finish_reason)
    assert isinstance(outcome, Unreadable), outcome
    return outcome.reason


def test_a_fenced_block_is_the_candidate_with_its_includes_macros_helpers_and_typedefs(scale: Experiment) -> None:
    assert source_of(f"Vectorised.\n\n{fenced(FASTER)}\nThat is all.", scale) == FASTER


def test_a_candidate_carries_the_digest_of_its_source_and_its_tags_in_the_experiments_order(scale: Experiment) -> None:
    tags, kinds = ("avx2", "static helper functions"), ("isa", "helpers")
    expected = Candidate(source=FASTER, digest=digest(FASTER), tags=tags, kinds=kinds)
    assert read(fenced(FASTER), scale) == expected


@pytest.mark.parametrize("language", ["", "c", "C", "cpp", "c title=scale.c"])
def test_the_language_tag_does_not_matter(scale: Experiment, language: str) -> None:
    assert source_of(fenced(FASTER, language), scale) == FASTER


def test_tildes_and_longer_fences_are_fences(scale: Experiment) -> None:
    assert source_of(f"~~~~c\n{FASTER}~~~~\n", scale) == FASTER


def test_an_indented_fence_gives_its_indentation_back(scale: Experiment) -> None:
    indented = "".join(f"   {line}\n" if line else "\n" for line in fenced(FASTER).rstrip("\n").split("\n"))
    assert source_of(f"1. The code:\n{indented}", scale) == FASTER


def test_windows_line_ends_a_byte_order_mark_and_nul_bytes_are_cleaned_away(scale: Experiment) -> None:
    assert source_of("\ufeff" + fenced(FASTER).replace("\n", "\r\n").replace("WIDTH 8", "WIDTH\0 8"), scale) == FASTER


def test_a_lone_surrogate_does_not_spoil_the_answer(scale: Experiment) -> None:
    assert source_of("so \ud83d fast\n" + fenced(FASTER), scale) == FASTER


def test_tabs_are_kept(scale: Experiment) -> None:
    tabbed = PARENT.replace("    ", "\t").replace("*=", "*= 1 *")
    assert source_of(fenced(tabbed), scale) == tabbed


def test_the_source_ends_with_exactly_one_line_end(scale: Experiment) -> None:
    assert source_of(fenced("\n\n" + FASTER + "\n\n\n"), scale) == FASTER


def test_a_reply_without_fences_is_read_as_a_whole_function(scale: Experiment) -> None:
    assert source_of(FASTER, scale) == FASTER


def test_prose_around_code_without_fences_is_left_out(scale: Experiment) -> None:
    assert source_of(f"Here is a faster version (see below):\n\n{FASTER}\nIt handles 8 at a time.\n", scale) == FASTER


def test_a_fence_that_was_never_closed_still_gives_its_function(scale: Experiment) -> None:
    assert source_of(f"Sure:\n```c\n{FASTER}\nThis is faster, as it does 8 at a time.", scale) == FASTER


def test_a_fence_that_was_never_opened_still_gives_its_function(scale: Experiment) -> None:
    assert source_of(f"{FASTER}```\nThat was it.", scale) == FASTER


def test_of_several_blocks_the_one_with_the_target_wins(scale: Experiment) -> None:
    other = fenced("static int helper(int a) { return a; }\n")
    assert source_of(f"{other}\nand\n{fenced(FASTER)}\nrun it:\n{fenced('gcc -O3 x.c', 'sh')}", scale) == FASTER


def test_the_same_function_said_twice_is_one_answer(scale: Experiment) -> None:
    spaced = FASTER.replace("    ", "  ")
    assert source_of(fenced(FASTER) + "Again, tidied:\n" + fenced(spaced), scale) == FASTER


def test_two_different_functions_are_two_answers(scale: Experiment) -> None:
    assert reason_of(fenced(FASTER) + fenced(FASTER.replace("8", "16")), scale).startswith("two answers")


def test_the_parent_quoted_before_the_answer_is_no_answer(scale: Experiment) -> None:
    assert source_of("Now:\n" + fenced(PARENT) + "Better:\n" + fenced(FASTER), scale) == FASTER


@pytest.mark.parametrize("opening", ["<think>\n", ""])
def test_reasoning_that_a_server_left_in_the_answer_is_no_answer(scale: Experiment, opening: str) -> None:
    drafts = fenced(PARENT.replace("*=", "+=")) + "<<<<<<< SEARCH\nfloat\n=======\ndouble\n>>>>>>> REPLACE\n"
    assert source_of(f"{opening}Perhaps\n{drafts}</think>\n\n{fenced(FASTER)}", scale) == FASTER


def test_reasoning_does_not_count_as_part_of_the_answers_length(scale: Experiment) -> None:
    thoughts = "so " * 4 * scale.limits.source_bytes
    assert source_of(f"<think>{thoughts}</think>{fenced(FASTER)}", scale) == FASTER


def test_an_answer_cut_in_its_reasoning_is_empty(scale: Experiment) -> None:
    reason = reason_of(f"<think>Perhaps\n{fenced(FASTER)}", scale, "length")
    assert reason == "the reply is empty (its tokens were spent before it began)"


def test_an_answer_cut_inside_its_block_is_truncated(scale: Experiment) -> None:
    assert "truncated" in reason_of(fenced(FASTER)[:300], scale, "length")


def test_a_whole_block_before_the_cut_counts(scale: Experiment) -> None:
    assert source_of(fenced(FASTER) + "This is fast bec", scale, "length") == FASTER


def test_braces_that_do_not_balance_are_named(scale: Experiment) -> None:
    torn = FASTER.rstrip().removesuffix("}").rstrip() + "\n"
    assert "braces" in reason_of(fenced(torn), scale)


def test_branches_of_an_if_directive_may_each_open_the_same_brace(scale: Experiment) -> None:
    test = "#ifdef A\n    if (n > 1) {\n#else\n    if (n > 2) {\n#endif\n"
    helper = f"static int one(int n) {{\n{test}        n--;\n    }}\n    return n;\n}}\n"
    assert source_of(fenced(helper + FASTER), scale) == helper + FASTER


def test_a_definition_for_each_branch_of_an_if_directive_is_one_definition(scale: Experiment) -> None:
    code = f"#ifdef __AVX512F__\n{PARENT}#else\n{PARENT}#endif\n"
    assert source_of(fenced(code), scale) == code


def test_a_filtered_answer_says_so(scale: Experiment) -> None:
    assert "content filter" in reason_of(fenced(FASTER), scale, "content_filter")


@pytest.mark.parametrize("reply", ["", "  \n\t\n", "\ufeff\r\n"])
def test_an_empty_answer_says_so(scale: Experiment, reply: str) -> None:
    assert reason_of(reply, scale) == "the reply is empty (finish reason stop)"


def test_an_answer_of_prose_alone_has_no_function(scale: Experiment) -> None:
    assert reason_of("I am sorry, I cannot make scale() faster.", scale) == "no function scale in the reply"


def test_another_name_is_told_with_the_nearest_one_found(scale: Experiment) -> None:
    code = "static int zero(void) { return 0; }\n" + PARENT.replace("scale", "scale_fast")
    assert reason_of(fenced(code), scale) == "no function scale; the nearest is scale_fast"


@pytest.mark.parametrize(
    ("signature", "difference"),
    [
        ("void scale(double *x, float factor, int n)", "parameter 1 of scale (x) is double *, must be float *"),
        ("void scale(float *x, int n)", "scale takes 2 parameter(s), must take 3"),
        ("int scale(float *x, float factor, int n)", "scale returns int, must return void"),
        ("static void scale(float *x, float factor, int n)", "scale is static"),
    ],
)
def test_another_signature_is_told_by_its_difference(scale: Experiment, signature: str, difference: str) -> None:
    code = PARENT.replace("void scale(float *x, float factor, int n)", signature)
    assert reason_of(fenced(code), scale) == f"another signature: {difference}"


def test_restrict_const_brackets_and_parameter_names_may_differ(scale: Experiment) -> None:
    code = PARENT.replace("float *x, float factor, int n", "float x[restrict], const float factor, int const n")
    assert source_of(fenced(code), scale) == code


def test_a_macro_that_stands_for_restrict_is_read_through(scale: Experiment) -> None:
    code = "#define RESTRICT __restrict\n" + PARENT.replace("float *x", "float *RESTRICT x")
    assert source_of(fenced(code), scale) == code


def test_two_definitions_of_the_target_are_told_with_their_lines(scale: Experiment) -> None:
    assert reason_of(fenced(PARENT + PARENT), scale) == "scale is defined twice, in lines 1 and 6"


def test_a_prototype_is_no_answer(scale: Experiment) -> None:
    assert reason_of(fenced(PROTOTYPE), scale) == "only a prototype of scale, without a body"


def test_a_prototype_before_the_definition_is_welcome(scale: Experiment) -> None:
    assert source_of(fenced(PROTOTYPE + FASTER), scale) == PROTOTYPE + FASTER


def test_a_source_over_the_limit_is_refused_with_its_size(scale: Experiment) -> None:
    limit_bytes = scale.limits.source_bytes
    code = FASTER + "// " + "x" * limit_bytes + "\n"
    assert reason_of(fenced(code), scale) == f"the source has {len(code)} bytes, more than {limit_bytes}"


def test_a_reply_of_megabytes_is_refused_with_its_size(scale: Experiment) -> None:
    reply = fenced(FASTER) * 8000
    assert reason_of(reply, scale) == f"the reply has {len(reply)} bytes, more than {4 * scale.limits.source_bytes}"


@pytest.mark.parametrize(
    "unit",
    ["(", "{", "a*b(c)", "if(a)", "```c\nscale(\n", "void scale(float *x) {\n", "#define A restrict\n", "/*", "~~~\n"],
)
def test_a_hostile_reply_takes_a_bounded_time(scale: Experiment, unit: str) -> None:
    reply = "void scale(" + unit * (4 * scale.limits.source_bytes // len(unit) - 10)
    began_s = time.monotonic()
    read(reply, scale)
    assert time.monotonic() - began_s < 10


TEXT = st.text(max_size=300)
PIECES = st.lists(
    st.one_of(
        TEXT,
        st.sampled_from(["```", "```c\n", "\n```\n", "~~~", "<<<<<<< SEARCH\n", "\n=======\n", ">>>>>>> REPLACE\n"]),
        st.sampled_from([FASTER, PARENT, PROTOTYPE, "scale(", "void scale(float *x, float factor, int n) {", "}\n"]),
        st.sampled_from(["#if 1\n", "\0", "\ud800", "/*", '"', "\\\n"]),
    ),
    max_size=8,
).map("".join)
ENDS = st.sampled_from(["stop", "length", "content_filter", "tool_calls", ""])
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(reply=PIECES, finish_reason=ENDS, edit=st.sampled_from(["whole", "diff", "either"]))
@example(reply="\ud800", finish_reason="stop", edit="either")
def test_any_text_gives_a_candidate_or_one_line_of_reason(
    scale: Experiment, reply: str, finish_reason: str, edit: str
) -> None:
    outcome = read(reply, replace(scale, edit=edit), finish_reason)
    assert isinstance(outcome, Candidate) or (outcome.reason and "\n" not in outcome.reason)


PROSE = st.text(st.characters(exclude_characters="`~<>\r\0", exclude_categories=["Cs"]), max_size=200)


@QUICK
@given(
    before=PROSE,
    after=PROSE,
    fence=st.sampled_from(["```", "````", "~~~", "~~~~~"]),
    language=st.sampled_from(["", "c", "C", "cpp"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_a_function_in_any_fence_and_any_prose_is_read_back_the_same(
    scale: Experiment, before: str, after: str, fence: str, language: str, newline: str
) -> None:
    assume("scale" not in before + after)
    reply = f"{before}\n{fence}{language}\n{FASTER}{fence}\n{after}".replace("\n", newline)
    assert source_of(reply, scale) == FASTER

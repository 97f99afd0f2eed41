import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.source import (
    Parameter,
    describe_difference,
    digest,
    normalise,
    parse,
    parse_signature,
    syntax_tree,
)

NAIVE = (Path(__file__).resolve().parents[1] / "linear" / "naive.c").read_text()


def test_functions_are_found_with_their_lines_and_linkage() -> None:
    unit = parse("static int a(void) { return 1; }\n\nint b(int n) {\n    return a() + n;\n}\n")
    found = [(f.name, f.is_static, f.start_line, f.end_line) for f in unit.functions]
    assert found == [("a", True, 1, 1), ("b", False, 3, 5)]


def test_a_function_keeps_its_text() -> None:
    assert parse("int b(int n) { return n; } // end\n").functions[0].text == "int b(int n) { return n; }"


def test_prototypes_are_apart_from_definitions() -> None:
    unit = parse("int a(void);\nint b(void) { return a(); }\n")
    assert ([f.name for f in unit.prototypes], [f.name for f in unit.functions]) == (["a"], ["b"])


def test_system_headers_are_bare_names_and_others_keep_their_quotes() -> None:
    assert parse('#include <immintrin.h>\n#include "mine.h"\n').includes == ("immintrin.h", '"mine.h"')


def test_includes_and_functions_inside_of_conditions_are_found() -> None:
    unit = parse("#if 1\n#include <math.h>\nint a(void) { return 1; }\n#endif\n")
    assert (unit.includes, [f.name for f in unit.functions]) == (("math.h",), ["a"])


def test_only_what_stands_behind_an_else_is_an_alternative() -> None:
    unit = parse("#ifdef A\nint f(void) { return 1; }\n#else\nint f(void) { return 2; }\n#endif\n")
    assert [f.is_alternative for f in unit.functions] == [False, True]


def test_a_sound_source_has_no_error_line() -> None:
    assert parse(NAIVE).first_error_line is None


def test_a_broken_source_names_the_line() -> None:
    assert parse("int a(void) { return 1; }\nint b(void) {\n    return @;\n}\n").first_error_line == 3


@pytest.mark.parametrize("word", ["restrict", "__restrict", "__restrict__"])
def test_every_spelling_of_restrict_is_read(word: str) -> None:
    assert parse_signature(f"void f(float *{word} x)").parameters[0].ctype == "float *"


def test_a_macro_for_static_makes_a_function_static() -> None:
    unit = parse("#define INL static inline __attribute__((always_inline))\nINL int f(int n) { return n; }\n")
    assert unit.functions[0].is_static


@pytest.mark.parametrize(
    ("text", "ctype", "is_pointer", "is_const"),
    [
        ("const float *x", "const float *", True, True),
        ("float const *x", "const float *", True, True),
        ("float *const x", "float *", True, False),
        ("float x[]", "float *", True, False),
        ("float x[4]", "float *", True, False),
        ("float **x", "float **", True, False),
        ("float *const *x", "float *const *", True, True),
        ("const int x", "int", False, True),
        ("unsigned int x", "unsigned", False, False),
        ("long int x", "long", False, False),
        ("int long unsigned x", "unsigned long", False, False),
        ("struct point *x", "struct point *", True, False),
        ("int (*x)(int)", "int ( * ) ( int )", False, False),
        ("float (*x)[4]", "float ( * ) [ 4 ]", False, False),
    ],
)
def test_a_parameter_has_its_type_in_one_spelling(text: str, ctype: str, is_pointer: bool, is_const: bool) -> None:
    expected = Parameter(name="x", ctype=ctype, is_pointer=is_pointer, is_const=is_const)
    assert parse_signature(f"void f({text})").parameters == (expected,)


def test_void_alone_is_no_parameter() -> None:
    assert parse_signature("int f(void)").parameters == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("void f(int n) { }", "has a body"),
        ("void f(int", "is not one C prototype"),
        ("int n", "is not one C prototype"),
        ("void f(int n); void g(int n)", "is not one C prototype"),
        ("", "is not one C prototype"),
        ("void f(int)", "parameter 1 has no name"),
    ],
)
def test_a_signature_that_is_none_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_signature(text)


def test_names_restrict_own_const_brackets_and_spacing_do_not_change_a_signature() -> None:
    a = parse_signature("void f(float *out, const float *x, int n)")
    b = parse_signature("void  g ( float y[restrict] , float const * const __restrict__ z,const int m );")
    assert describe_difference(a, b) == ""


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("int f(float *x, int n)", "f returns int, must return void"),
        ("void f(float *x)", "f takes 1 parameter(s), must take 2"),
        ("void f(const float *x, int n)", "parameter 1 of f (x) is const float *, must be float *"),
        ("void f(float *x, long n)", "parameter 2 of f (n) is long, must be int"),
        ("static void f(float *x, int n)", "f is static"),
    ],
)
def test_the_first_difference_of_two_signatures_is_told(other: str, difference: str) -> None:
    assert describe_difference(parse_signature("void f(float *x, int n)"), parse_signature(other)) == difference


def test_comments_and_spacing_do_not_change_the_digest() -> None:
    spaced = NAIVE.replace("    ", "\t").replace("{", "/* open */ {\n").replace(";", " ; // done\n")
    assert digest(spaced) == digest(NAIVE)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("int x = 1;", "int x = 2;"),
        ('char *s = "a b";', 'char *s = "a  b";'),
        ('char *s = "/* no comment */";', 'char *s = "";'),
        ("int z = x+ ++y;", "int z = x++ +y;"),
        ("#define F (x)\n", "#define F(x)\n"),
        ("#define A 1\nint x;", "#define A 1 int x;\n"),
        ("int ab;", "int a b;"),
    ],
)
def test_sources_that_mean_something_else_have_another_digest(a: str, b: str) -> None:
    assert digest(a) != digest(b)


def test_a_directive_stays_on_a_line_of_its_own() -> None:
    assert normalise("int a;\n  # pragma  GCC   unroll 4 // here\nint b ;") == "int a ;\n# pragma GCC unroll 4\nint b ;"


def test_a_directive_that_goes_on_in_the_next_line_is_one_line() -> None:
    assert normalise("#define A 1 + \\\n  2\nint b;") == "#define A 1 + 2\nint b ;"


def test_the_normalised_source_compiles_to_the_same_code(tmp_path: Path) -> None:
    source = "#define TWO 2 /* two */\n" + NAIVE + '\nconst char *text(void) { return "a // b"; } // end\n'

    def compiled(text: str) -> bytes:
        command = ["gcc", "-O1", "-S", "-x", "c", "-", "-o", "-"]
        return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout

    assert compiled(normalise(source)) == compiled(source)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text("{}()#/*\"'\\\n ;=+azif0.", max_size=80))
def test_any_text_is_read_and_has_a_digest(text: str) -> None:
    parse(text)
    assert len(digest(text)) == 64


@pytest.mark.parametrize("unit", ["(", "{", "*", "x ", "#define A restrict\n"])
def test_a_hostile_source_is_parsed_in_linear_time(unit: str) -> None:
    began_s = time.monotonic()
    parse(unit * (200_000 // len(unit)))
    assert time.monotonic() - began_s < 5


def test_a_source_of_four_kilobytes_is_parsed_within_two_milliseconds() -> None:
    line = "    sum = sum + x[i] * weight[i]; /* one product */\n"
    source = f"void f(float *x, float *weight, int i) {{\n    float sum = 0;\n{line * 78}}}\n"
    syntax_tree(source)
    times_s = []
    for number in range(20):
        began_s = time.perf_counter()
        parse(source + f"// {number}\n")
        times_s.append(time.perf_counter() - began_s)
    assert len(source) > 4000
    assert min(times_s) < 0.002

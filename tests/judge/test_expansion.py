"""Which of gcc's printed lines are the candidate's own, with the real preprocessor."""

import pytest

from harness.judge import toolchain
from harness.judge.expansion import Expansion, read_expansion


def expand(source: str) -> Expansion:
    printed = toolchain.preprocess(source, "void twice(float *out)", ("-O2",), 30, stop=False)
    assert isinstance(printed, str)
    return read_expansion(printed, source)


def own_lines(source: str) -> dict[int | None, str]:
    """What each line of the source became, spacing left out."""
    expansion, found = expand(source), {}
    for row, text in enumerate(expansion.text.split("\n")):
        line = expansion.line_of(row)
        found[line] = found.get(line, "") + "".join(text.split())
    return {line: text for line, text in found.items() if text}


def test_the_text_of_headers_is_left_out():
    assert own_lines("#include <math.h>\n\nint a;\n") == {3: "inta;"}


def test_a_macro_of_a_header_belongs_to_the_line_that_uses_it():
    assert own_lines("#include <stddef.h>\nint *a =\n  NULL;\nint b;\n") == {2: "int*a=", 3: "((void*)0);", 4: "intb;"}


def test_a_pragma_from_a_macro_stays_on_its_line():
    assert own_lines('#define U _Pragma("GCC unroll 4")\n\nU int a;\n') == {3: "#pragmaGCCunroll4inta;"}


def test_joined_lines_carriage_returns_and_a_byte_order_mark_change_no_number():
    assert own_lines("\ufeff#define A \\\r\n  1\r\n\r\nint a = A;\r\n") == {4: "inta=1;"}


def test_only_what_the_candidate_itself_included_is_listed_with_its_line():
    headers = expand("#include <math.h>\n\n#define NAME <string.h>\n#include NAME\nint a;\n").headers
    assert [(header.path.rsplit("/", 1)[-1], header.line) for header in headers] == [("math.h", 1), ("string.h", 4)]


@pytest.mark.parametrize(
    "marker",
    [
        '#line 7 "/usr/include/math.h"',
        '#define WHERE 7 "/usr/include/math.h"\n#line WHERE',
        '# 1 "/usr/include/math.h" 1 3',
        '# 1 "/usr/include/math.h" 1 3 4\n# 2 "candidate.c" 2',
        '#include <math.h>\n# 1 "/usr/include/math.h" 1 3',
        '/* */ # /* \n */ 1 "/usr/include/math.h" 1 3',
        '#\\\n 1 "/usr/include/math.h" 1 3',
        '#\\  \r\n 1 "/usr/include/math.h" 1 3',
        '%: 1 "/usr/include/math.h" 1 3',
        '#define F "/usr/include/math.h"\n# 1 F 1 3',
        'static const char text[] = R"(\n# 1 "/usr/include/math.h" 1 3\n)";',
    ],
)
def test_a_marker_of_the_candidates_own_is_found_out(marker):
    assert expand(f"{marker}\nint hidden;\n").moved_at is not None


def test_the_line_of_a_marker_is_known():
    assert expand('int a;\n\n# 1 "/usr/include/math.h" 1 3\nint hidden;\n').moved_at == 3


@pytest.mark.parametrize(
    "text", ["// #1: load", "/* step\n * # 1 of 2\n */", "#define S(x) #x", "#if 1\n#endif", "#\nint one = 1;"]
)
def test_a_number_sign_elsewhere_is_none(text):
    assert expand(f"{text}\nint a;\n").moved_at is None

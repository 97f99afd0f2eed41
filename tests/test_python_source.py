"""What a Python source says; the same words as for C."""

import pytest

from harness.python_source import digest, normalise, parse, parse_signature
from harness.source import describe_difference

SOURCE = '''"""Doc."""
import torch
from torch import Tensor

def f(x: Tensor, n: int = 3) -> Tensor:
    """Doc."""
    return torch.sum(x)  # all
'''


def test_functions_and_imports_are_found() -> None:
    unit = parse(SOURCE)
    assert [(one.name, one.start_line, one.end_line) for one in unit.functions] == [("f", 5, 7)]
    assert (unit.includes, unit.first_error_line) == (("torch", "torch"), None)


def test_types_are_the_annotations() -> None:
    assert [(p.name, p.ctype, p.is_pointer) for p in parse(SOURCE).functions[0].parameters] == [
        ("x", "Tensor", True),
        ("n", "int", False),
    ]


def test_a_source_that_does_not_parse_says_where() -> None:
    assert parse("x = 1\ndef f(:\n").first_error_line == 2


@pytest.mark.parametrize("source", ["x = " + "(" * 3000, "\0", "a" + ".b" * 20_000, "1" * 5000])
def test_any_text_is_read_without_an_exception(source: str) -> None:
    parse(source)
    digest(source)


def test_comments_docstrings_and_spacing_do_not_count() -> None:
    assert digest(SOURCE) == digest(
        SOURCE.replace('    """Doc."""\n', "").replace("  # all", "").replace("(x)", "( x )")
    )


@pytest.mark.parametrize(("a", "b"), [("x = 7 // 2", "x = 7 // 3"), ("x = 'a'", "x = 'b'"), ("f(1, 2)", "f(12)")])
def test_different_code_is_different(a: str, b: str) -> None:
    assert digest(a) != digest(b)


def test_normalising_twice_changes_nothing() -> None:
    assert normalise(normalise(SOURCE)) == normalise(SOURCE)


@pytest.mark.parametrize("text", ["", "def f(x", "x = 1", "def f(x): ...\ndef g(x)"])
def test_a_signature_is_one_def_line(text: str) -> None:
    with pytest.raises(ValueError, match="is not one `def` line"):
        parse_signature(text)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ("def f(y: torch.Tensor, m: int) -> torch.Tensor", ""),
        ("def f(x: Tensor) -> Tensor", "f takes 1 parameter(s), must take 2"),
        ("def f(x: Tensor, n: float) -> Tensor", "parameter 2 of f (n) is float, must be int"),
        ("def f(x: Tensor, n: int)", "f returns nothing, must return Tensor"),
    ],
)
def test_signatures_are_compared_as_in_c(other: str, difference: str) -> None:
    assert (
        describe_difference(parse_signature("def f(x: Tensor, n: int) -> Tensor"), parse_signature(other)) == difference
    )

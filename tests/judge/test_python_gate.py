"""The rules for Python: what they refuse and at which line, and what an experiment without its modules says."""

import sys
from dataclasses import replace

import pytest

from harness import contract
from harness.errors import JudgeError
from harness.judge.machine import fingerprint
from harness.judge.python import require_modules
from harness.judge.python_gate import compiles, inspect
from harness.judge.toolchain import Diagnostics

HELLO = contract.load(contract.ROOT / "hello_world")
SEED = HELLO.seed_path.read_text()
BODY = (
    "import math\nimport torch\nfrom torch import Tensor\n{top}\n"
    "def hello_world(x: Tensor, weight: Tensor) -> Tensor:\n    {body}\n"
)


def rules(*, top: str = "", body: str = "return x") -> set[str]:
    return {violation.rule for violation in inspect(BODY.format(top=top, body=body), HELLO)}


def test_the_seed_breaks_no_rule() -> None:
    assert inspect(SEED, HELLO) == ()


@pytest.mark.parametrize(
    "top",
    [
        "CACHE = {}",
        "CACHE = []",
        "W = torch.zeros(3)",
        "print(1)",
        "if x: pass",
        "class A: pass",
        "A = B = [1]",
        "del math",
        "(SEEN := [])[:] = ()",
        "A, *SEEN = 1, 2",
        "[*SEEN] = 1, 2",
    ],
)
def test_nothing_happens_outside_of_functions(top: str) -> None:
    assert "plain_module" in rules(top=top)


@pytest.mark.parametrize(
    "top", ["import os", "import numpy", "from torch.utils import cpp_extension", "from . import a"]
)
def test_other_modules_are_refused(top: str) -> None:
    assert "imports" in rules(top=top)


def test_an_import_inside_of_a_function_is_refused() -> None:
    assert "imports" in rules(body="import torch; return x")


@pytest.mark.parametrize(
    "body",
    [
        "return eval('x')", "return exec('x')", "return open('a')", "return __import__('os')", "return globals()",
        "return getattr(x, 'T')", "return setattr(x, 'a', 1)", "return vars(x)", "return type(x)", "return object",
        "return x.__class__", "return x.data_ptr()", "return x.untyped_storage()", "return x._version",
        "return torch.os", "return torch.sys.modules", "return torch.load('a')", "return torch.compile(x)",
        "return torch.ops", "return torch.utils", "return torch.jit", "return torch.backends", "return math.__dict__",
        "return torch.set_num_threads(2)", "return torch.nn.Module()", "return torch.nn.functional.torch",
        "return '{0.a}'.format(x)", "return x.numpy()", "return x.register_hook(x)", "return torch.from_file('a')",
        "return x.set_(weight)", "return x.resize_(3)", "return torch.manual_seed(0)", "return hello_world.__globals__",
        "return __builtins__", "return x.apply_(abs)", "return torch.multiprocessing", "return x.requires_grad_()",
    ],
)  # fmt: skip
def test_an_interpreters_insides_are_refused(body: str) -> None:
    assert "words" in rules(body=body)


@pytest.mark.parametrize("top", ["from torch import os", "from torch import load as sum", "from torch import _C"])
def test_what_is_imported_from_a_module_is_looked_at_too(top: str) -> None:
    assert "words" in rules(top=top)


def test_a_name_that_is_bound_in_one_place_is_not_a_way_to_the_built_in_in_another() -> None:
    assert "words" in rules(top="def helper(eval):\n    return eval", body="return eval('x')")


@pytest.mark.parametrize(
    "body",
    ["x.answer = 1; return x", "torch.sum = 1; return x", "global a; a = x; return a", "del x.T; return x",
     "def f(seen=[]): pass\n    return f", "return (lambda seen={}: seen)()", "x.T += 1; return x"],
)  # fmt: skip
def test_state_is_refused(body: str) -> None:
    assert "no_state" in rules(body=body)


@pytest.mark.parametrize(
    "top", ["A: (SEEN := []) = 1", "def h(a: (SEEN := [])): pass", "def h() -> (SEEN := []): pass"]
)
def test_an_annotation_makes_no_state(top: str) -> None:
    assert "no_state" in rules(top=top)


def test_numbers_may_have_names_and_expressions_too_inside_of_a_function() -> None:
    assert rules(top="A, B = 1, 2\nC: int = 3", body="return (y := x) + y") == set()


@pytest.mark.parametrize(
    "body",
    ["try: return x\n    except ValueError: return weight", "with torch: return x", "yield x", "class A: pass",
     "raise x", "async def f(): pass", "return (yield)", "match x:\n        case 1: pass"],
)  # fmt: skip
def test_only_plain_statements_pass(body: str) -> None:
    assert "plain_statements" in rules(body=body)


def test_a_decorator_is_refused() -> None:
    assert "decorators" in rules(top="@torch.sum")


@pytest.mark.parametrize(
    "source",
    ["", "def other(x): pass", SEED + SEED, SEED.replace("weight: Tensor", "weight"), SEED.replace(" -> Tensor", "")],
)
def test_the_target_is_there_once_as_the_signature_has_it(source: str) -> None:
    assert "one_target" in {violation.rule for violation in inspect(source, HELLO)}


def test_a_violation_says_where() -> None:
    found = inspect(SEED.replace("return summed", "return eval('1') + summed"), HELLO)
    assert [(one.rule, one.line) for one in found] == [("words", 11)]


def test_a_source_that_is_too_long_is_not_even_read() -> None:
    assert [one.rule for one in inspect("#" * (HELLO.limits.source_bytes + 1), HELLO)] == ["size"]


@pytest.mark.parametrize("source", ["def f(:", "x = " + "(" * 3000, "\0", "x = 1\n  y = 2", "return 3", "await x"])
def test_what_is_no_python_does_not_build(source: str) -> None:
    built = compiles(source)
    assert isinstance(built, Diagnostics) and built.first_error.startswith("error:")


def test_a_module_that_is_not_installed_is_one_error_with_the_line_that_installs_it() -> None:
    with pytest.raises(JudgeError) as raised:
        require_modules(replace(HELLO, flags=("no_module_of_this_name",)))
    assert raised.value.message == "hello_world needs no_module_of_this_name, which is not installed."
    assert raised.value.hint.endswith("hello_world/requirements.txt")


def test_scores_name_the_interpreter_and_its_modules() -> None:
    assert "Python 3." in fingerprint(HELLO) and "torch" in fingerprint(HELLO)


SWISH = contract.load(contract.ROOT / "experiments" / "swish_triton")
KERNEL = SWISH.seed_path.read_text()


def triton_rules(old: str, new: str) -> set[str]:
    """What a change to the seed of swish_triton breaks."""
    assert old in KERNEL
    return {violation.rule for violation in inspect(KERNEL.replace(old, new), SWISH)}


def test_a_kernel_and_its_launch_break_no_rule() -> None:
    assert inspect(KERNEL, SWISH) == ()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("tl.exp(", "tl.inline_asm_elementwise(", "words"),
        ("tl.exp(", "tl.extra.libdevice.exp(", "words"),
        ("triton.cdiv(", "triton.runtime.driver(", "words"),
        ("torch.empty_like(x)", "torch.load(x)", "words"),
        ("torch.empty_like(x)", "torch.jit(x)", "words"),
        ("import torch\n", "import torch\nimport torch as tl\n", "words"),
        ("    size = x.numel()", "    tl = torch\n    size = tl.load(x)", "words"),
        ("from torch import Tensor", "from torch import Tensor, load", "words"),
        ("from torch import Tensor", "from torch import Tensor\nfrom triton import autotune", "words"),
        ("import triton\n", "import triton\nimport triton.runtime\n", "imports"),
        ("@triton.jit", "@triton.autotune", "decorators"),
        ("@triton.jit", "@triton.jit(debug=True)", "decorators"),
        ("def swish", "@triton.jit\n@triton.cdiv\ndef swish", "decorators"),
    ],
)
def test_triton_opens_no_door_beside_its_kernels(old: str, new: str, rule: str) -> None:
    assert rule in triton_rules(old, new)


@pytest.mark.parametrize(
    "top", ["A = " + "-" * 2500 + "1", "A = " + "+".join(["1"] * 2500), "A = math" + ".pi" * 1500, "@a" + ".b" * 1500]
)
def test_an_expression_of_any_depth_is_looked_at(top: str) -> None:
    assert rules(top=top) <= {"plain_module", "words", "decorators"}


def test_what_is_too_deep_to_be_looked_at_does_not_get_past_the_rules() -> None:
    limit = 3 * sys.getrecursionlimit()  # about what the interpreter bears, less the stack that it is at
    for terms in range(limit - 400, limit + 20, 5):
        source = f"import os\nA = {'+'.join(['1'] * terms)}\n"
        assert inspect(source, HELLO) or isinstance(compiles(source), Diagnostics), terms


@pytest.mark.parametrize("top", ["A: torch.zeros(3).fill_(1) = 1", "def f(x: torch.zeros(3).fill_(1)): return x"])
def test_annotations_call_nothing(top: str) -> None:
    assert "no_state" in rules(top=top)

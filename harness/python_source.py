"""What a Python source says, by `ast`: its functions and imports, and the same source without comments.

The counterpart of source.py, in its words. Nothing is executed, and a source that does not parse says nothing at all.
"""

import ast
import hashlib
import warnings
from functools import lru_cache

from harness.source import Function, Parameter, SourceUnit

# A remark of Python's on a candidate, `n is 7` say, is not for the user's terminal. Once and for all: threads share the
# filters. These are the names by which `ast.parse` and the judge's `compile` call it.
warnings.filterwarnings("ignore", module=r"(<unknown>|candidate)\Z")

# What `ast` raises over text that is no Python: the last three over nesting and numbers beyond its own limits.
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


@lru_cache(maxsize=4)
def tree(source: str) -> ast.Module:
    """The source's tree; one of UNPARSABLE where it has none."""
    return ast.parse(source)


@lru_cache(maxsize=4)
def parse(source: str) -> SourceUnit:
    """What the source says; `first_error_line` alone where it does not parse."""
    try:
        module = tree(source)
    except SyntaxError as fault:
        return _nothing(fault.lineno or 1)
    except UNPARSABLE:
        return _nothing(1)
    nodes = list(ast.walk(module))
    imports = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    imports += [node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)]
    return SourceUnit(
        functions=tuple(_function(node, source) for node in module.body if isinstance(node, ast.FunctionDef)),
        prototypes=(),
        includes=tuple(imports),
        first_error_line=None,
    )


def parse_signature(text: str) -> Function:
    """The function that `text`, a `def` line, declares. ValueError with the reason."""
    unit = parse(text.strip().removesuffix(":") + ": ...")
    if unit.first_error_line is not None or len(unit.functions) != 1:
        raise ValueError(f"{text!r} is not one `def` line")
    return unit.functions[0]


def declaration(source: str, name: str) -> str:
    """The `def` line of a function that the source has outside of any other."""
    node = next(one for one in tree(source).body if isinstance(one, ast.FunctionDef) and one.name == name)
    returned = f" -> {spelled(node.returns)}" if node.returns else ""
    return f"def {name}({spelled(node.args)}){returned}"


def spelled(node: ast.AST) -> str:
    """The code of a node; in its stead a word where it is nested more deeply than `ast` can write."""
    try:
        return ast.unparse(node)
    except RecursionError:
        return "deeply nested"


def normalise(source: str) -> str:
    """The source without comments, docstrings and spacing; as it stands where it does not parse, or where `ast` cannot
    write what it read: a sum of some hundred terms is enough."""
    try:
        module = ast.parse(source)
        for node in ast.walk(module):
            body = getattr(node, "body", None)
            if isinstance(body, list) and len(body) > 1 and _is_text(body[0]):
                del body[0]
        return ast.unparse(module)
    except UNPARSABLE:
        return source.strip()


def digest(source: str) -> str:
    """sha256 of the normalised source: the same for sources that differ in comments and spacing alone."""
    return hashlib.sha256(normalise(source).encode("utf-8", "replace")).hexdigest()


def describe_tear(source: str) -> str:
    """In what way the source is torn, where it is: Python says so by not parsing."""
    try:
        tree(source)
    except SyntaxError as fault:
        return f"line {fault.lineno}: {fault.msg}"
    except UNPARSABLE as fault:
        return f"it does not parse ({type(fault).__name__})"
    return ""


def _nothing(line: int) -> SourceUnit:
    return SourceUnit(functions=(), prototypes=(), includes=(), first_error_line=line)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _function(node: ast.FunctionDef, source: str) -> Function:
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    more = [star for star in (given.vararg, given.kwarg) if star]
    return Function(
        name=node.name,
        return_type=_annotation(node.returns),
        parameters=tuple(_parameter(argument) for argument in (*every, *more)),
        is_static=False,
        is_alternative=False,
        text=ast.get_source_segment(source, node) or "",
        start_line=node.lineno,
        end_line=node.end_lineno or node.lineno,
    )


def _parameter(argument: ast.arg) -> Parameter:
    kind = _annotation(argument.annotation)
    return Parameter(name=argument.arg, ctype=kind, is_pointer=kind == "Tensor", is_const=True)


def _annotation(node: ast.expr | None) -> str:
    """The last word counts: `torch.Tensor` and `Tensor` are the same."""
    return "nothing" if node is None else spelled(node).strip("'\"").rpartition(".")[2]

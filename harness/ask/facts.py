"""What a candidate does, in short phrases for memory and notes: `split bias and no-bias paths`, `unrolled by 4`.

Claims only what the tree of the source shows, from the types of parameters and the shapes of loops; it knows no
experiment's names. It proves nothing: a macro, or a bound computed on the way, hides what it does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from tree_sitter import Node

from harness.ask.cuda_facts import cuda_facts
from harness.ask.kernel_facts import blocking, exponential, tile, widest
from harness.ask.python_facts import python_facts
from harness.source import syntax_tree, top_level, without_comments

_ISAS = (("avx512", "_mm512_"), ("avx2", "_mm256_"), ("sse", "_mm_"), ("vector extensions", "vector_size"))
_LOOPS = frozenset(("for_statement", "while_statement", "do_statement"))
_PREPROC = frozenset(("preproc_if", "preproc_ifdef", "preproc_else", "preproc_elif"))
_NESTS = _PREPROC | {"compound_statement", "case_statement", "else_clause", "labeled_statement", "attributed_statement"}
_WORK = re.compile(r"\b(?:for|while)\s*\(|(?:^|[;{}):])\s*(?!if\b|switch\b|return\b)[A-Za-z_]\w*\s*\(")
_RETURNS = re.compile(r"\breturn\b\s*;?\s*\}?\s*$")
_NULL_TEST = re.compile(r"!?\s*(\w+)|(\w+)\s*[!=]=\s*(?:NULL|0)|(?:NULL|0)\s*[!=]=\s*(\w+)")
_EMPTY_TEST = re.compile(r"(?:==|<=)\s*0\b|<\s*1\b|!(?!=)")
_ADVANCE = re.compile(r"\b(\w+)\s*(?:\+=\s*([^;,]+)|(\+\+)|=\s*\1\s*\+\s*([^;,]+))|\+\+\s*(\w+)")
_UNROLL = re.compile(r"#\s*pragma\s+(?:GCC\s+|clang\s+)?unroll\s*\(?\s*(\d+)")
_SUM = re.compile(r"\s*(([A-Za-z_]\w*)(?:\s*\[\s*\d+\s*\])*)\s*(\+?=)(?!=)(.*)", re.DOTALL)
_ADDS = re.compile(r"\+|add|fma")
_WHOLE_NUMBER = re.compile(r"\b(?:int|long|short|unsigned|signed|char|size_t|ptrdiff_t|u?int\w*_t)\b")
_NAME = re.compile(r"[A-Za-z_]\w*")
_MOST_BRANCHES = 200  # each is searched with all that is nested in it


@dataclass(eq=False)
class _Loop:
    """A loop, the one around it, and the plain statements that it repeats itself, its step among them."""

    condition: str
    outer: "_Loop | None"
    statements: list[str] = field(default_factory=list)
    declared: set[str] = field(default_factory=set)
    has_inner: bool = False

    @cached_property
    def advances(self) -> list[tuple[str, str]]:
        """Every name that the loop itself moves on, and by how much."""
        # Of a condition, up to its bracket: `while ((from += BLOCK) < end)`.
        said = (*self.statements, *(part for part in self.condition.split(")") if "+=" in part))
        found = (match for statement in said if "+" in statement for match in _ADVANCE.finditer(statement))
        return [(match[1] or match[5], (match[2] or match[4] or "1").strip()) for match in found]


@dataclass(slots=True, eq=False)
class _Branch:
    condition: str
    consequence: str
    alternative: str

    @property
    def splits(self) -> bool:
        """Both ways do work: each in its branch, or the one in the branch, which returns, and the other after it."""
        other_way = _WORK.search(self.alternative) or _RETURNS.search(self.consequence)
        return bool(_WORK.search(self.consequence) and other_way)


@dataclass(slots=True, eq=False)
class _Body:
    """A function as far as the facts need it. `bounds`: whole numbers that stand for one parameter; `branches` are
    those outside of every loop."""

    name: str
    is_static: bool
    text: str
    pointers: set[str] = field(default_factory=set)
    pointer_parameters: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    bounds: dict[str, str] = field(default_factory=dict)
    loops: list[_Loop] = field(default_factory=list)
    branches: list[_Branch] = field(default_factory=list)


def facts(source: str) -> Mapping[str, str]:
    """Kind -> phrase, for what is present: isa, bias, traversal, unrolling, tile, accumulators, blocking, exp,
    restrict, prefetch, dispatch, helpers, loop-order."""
    text = without_comments(source)
    nodes = (node for node, _ in top_level(syntax_tree(source)) if node.type == "function_definition")
    bodies = [body for body in map(_body, nodes) if body is not None]
    seen = [body for body in bodies if not body.is_static] or bodies
    if not seen:
        return {}
    entry = seen[-1]
    innermost = ((body, loop) for body in bodies for loop in body.loops if not loop.has_inner)
    turns = [(loop.statements, set(_sums(body, loop))) for body, loop in innermost]
    found = {
        "isa": next((name for name, mark in _ISAS if mark in text), "scalar"),
        "bias": _split(entry),
        "traversal": "pointer row traversal" if any(map(_walks_rows, bodies)) else "",
        "unrolling": _unrolling(text, bodies),
        "tile": widest(tile(statements, sums) for statements, sums in turns),
        "accumulators": _accumulators(turns),
        "blocking": _blocking(text, bodies),
        "exp": exponential(text),
        "restrict": "restrict pointers" if any(re.search(r"\b(?:__)?restrict", body.text) for body in bodies) else "",
        "prefetch": "software prefetch" if re.search(r"\b(?:__builtin_prefetch|_mm_prefetch)\s*\(", text) else "",
        "dispatch": "dispatch on shape" if any(_is_by_shape(branch, entry) for branch in entry.branches) else "",
        "helpers": "static helper functions" if _has_helpers(text, bodies) else "",
        "loop-order": _loop_order(entry, bodies),
    }
    return {kind: phrase for kind, phrase in found.items() if phrase}


def _split(entry: _Body) -> str:
    for branch in entry.branches:
        test = _NULL_TEST.fullmatch(branch.condition)
        name = next(filter(None, test.groups()), "") if test else ""
        if name in entry.pointer_parameters and branch.splits:
            return f"split {name} and no-{name} paths"
    return ""


def _walks_rows(body: _Body) -> bool:
    """A pointer moves on by a computed stride, or once for each run of an inner loop."""
    for loop in body.loops:
        for name, amount in loop.advances:
            if name in body.pointers and (loop.has_inner or _NAME.search(amount)):
                return True
    return False


def _unrolling(text: str, bodies: list[_Body]) -> str:
    factors = [int(factor) for factor in _UNROLL.findall(text)]
    for loop in (loop for body in bodies for loop in body.loops):
        for name, amount in loop.advances:
            step = int(amount) if amount.isdigit() else 1
            if step > 1:
                places = re.findall(rf"\b{name}\s*(?:\+|\[)\s*(\d+)", " ".join(loop.statements))
                factors.append(len({0} | {int(place) for place in places if int(place) < step}))
    factor = max(factors, default=1)
    return f"unrolled by {factor}" if factor > 1 else ""


def _accumulators(turns: Sequence[tuple[Sequence[str], Set[str]]]) -> str:
    most = max((len(sums) for _, sums in turns), default=0)
    return f"{most} accumulators" if most > 1 else ""


def _blocking(text: str, bodies: list[_Body]) -> str:
    outer = (loop for body in bodies for loop in body.loops if loop.has_inner)
    return blocking((amount for loop in outer for _, amount in loop.advances), text)


def _sums(body: _Body, loop: _Loop) -> Iterator[str]:
    others = body.pointers | body.numbers | loop.declared
    for statement in loop.statements:
        match = _SUM.fullmatch(statement)
        if not match or match[2] in others:
            continue
        target = "".join(match[1].split())
        if match[3] == "+=" or (_ADDS.search(match[4]) and target in "".join(match[4].split())):
            yield target


def _is_by_shape(branch: _Branch, entry: _Body) -> bool:
    names = {name for name in _NAME.findall(branch.condition) if not name.isupper()}
    shape = names and names <= entry.bounds.keys() and all(entry.bounds[name] == name for name in names)
    return bool(shape and branch.splits and not _EMPTY_TEST.search(branch.condition))


def _has_helpers(text: str, bodies: list[_Body]) -> bool:
    return any(body.is_static and len(re.findall(rf"\b{body.name}\s*\(", text)) > 1 for body in bodies)


def _loop_order(entry: _Body, bodies: list[_Body]) -> str:
    """The entry's parameters that bound the deepest nest of loops, outermost first; a helper counts where it keeps
    their names."""
    known = set(entry.bounds.values())
    for body in (entry, *bodies):
        orders = [_bounds_around(loop, body) for loop in body.loops if not loop.has_inner]
        longest = max(orders, key=lambda order: len(set(order)), default=[])
        if len(set(longest)) > 1 and known.issuperset(longest):
            return ">".join(longest)
    return ""


def _bounds_around(innermost: _Loop, body: _Body) -> list[str]:
    order: list[str] = []
    loop: _Loop | None = innermost
    while loop is not None:
        bounds = {body.bounds[name] for name in _NAME.findall(loop.condition) if name in body.bounds}
        if len(bounds) == 1 and bounds != set(order[:1]):
            order.insert(0, bounds.pop())
        loop = loop.outer
    return order


def _body(node: Node) -> _Body | None:
    declarator = node.child_by_field_name("declarator")
    while declarator is not None and declarator.type != "function_declarator":
        declarator = declarator.child_by_field_name("declarator")
    block = node.child_by_field_name("body")
    if declarator is None or block is None:
        return None
    is_static = any(_text(child) == "static" for child in node.children if child.type == "storage_class_specifier")
    body = _Body(name=_text(declarator.child_by_field_name("declarator")), is_static=is_static, text=_text(node))
    listing = declarator.child_by_field_name("parameters")
    for parameter in listing.named_children if listing else ():
        _declare(parameter, body, None)
    body.pointer_parameters = set(body.pointers)
    body.bounds = {name: name for name in body.numbers}
    _walk(block, body)
    return body


def _walk(block: Node, body: _Body) -> None:
    """Notes the loops, branches and declarations of a function; expressions are left as text."""
    waiting: list[tuple[Node, _Loop | None]] = [(block, None)]
    while waiting:
        node, loop = waiting.pop()
        if node.type in _LOOPS:
            inner = _Loop(condition=_condition(node), outer=loop)
            body.loops.append(inner)
            if loop is not None:
                loop.has_inner = True
            first, update = node.child_by_field_name("initializer"), node.child_by_field_name("update")
            if first is not None and first.type == "declaration":
                _declare(first, body, inner)
            inner.statements += [_text(update)] if update is not None else []
            waiting += [(child, inner) for child in _bodies(node)]
        elif node.type in ("if_statement", "switch_statement"):
            if loop is None and len(body.branches) < _MOST_BRANCHES:
                body.branches.append(_branch(node))
            waiting += [(child, loop) for child in reversed(_bodies(node))]
        elif node.type in _NESTS:
            waiting += [(child, loop) for child in reversed(node.named_children)]
        elif node.type == "declaration":
            _declare(node, body, loop)
        if loop is not None and node.type in ("declaration", "expression_statement"):
            loop.statements.append(_text(node).rstrip(";"))


def _bodies(node: Node) -> list[Node]:
    names = ("body", "consequence", "alternative")
    return [child for child in map(node.child_by_field_name, names) if child is not None]


def _branch(node: Node) -> _Branch:
    if node.type == "switch_statement":
        cases = _text(node.child_by_field_name("body"))
        return _Branch(condition=_condition(node), consequence=cases, alternative=cases)
    consequence, alternative = (node.child_by_field_name(name) for name in ("consequence", "alternative"))
    return _Branch(
        condition=_condition(node), consequence=_text(consequence), alternative=_text(alternative).removeprefix("else")
    )


def _condition(node: Node) -> str:
    text = _text(node.child_by_field_name("condition")).strip()
    while text.startswith("(") and text.endswith(")") and ")" not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def _declare(node: Node, body: _Body, loop: _Loop | None) -> None:
    """Notes which names are pointers, which whole numbers, and which of these stand for a parameter's extent."""
    is_number = bool(_WHOLE_NUMBER.search(_text(node.child_by_field_name("type"))))
    for declarator in node.children_by_field_name("declarator"):
        value = declarator.child_by_field_name("value")
        inner: Node | None = declarator
        kinds = set()
        while inner is not None and inner.type != "identifier":
            kinds.add(inner.type)
            inner = inner.child_by_field_name("declarator")
        name = _text(inner)
        if loop is not None:
            loop.declared.add(name)
        if "pointer_declarator" in kinds or (node.type == "parameter_declaration" and "array_declarator" in kinds):
            body.pointers.add(name)
        elif is_number:
            body.numbers.add(name)
            behind = {body.bounds.get(word, "") for word in _NAME.findall(_text(value))}
            if len(behind) == 1:
                body.bounds[name] = behind.pop()
    body.bounds = {name: parameter for name, parameter in body.bounds.items() if parameter}


def _text(node: Node | None) -> str:
    text = "" if node is None or node.text is None else node.text.decode("utf-8", "replace")
    return without_comments(text) if "/" in text or '"' in text else text


FACTS: Mapping[str, Callable[[str], Mapping[str, str]]] = MappingProxyType(
    {"c": facts, "python": python_facts, "cuda": cuda_facts}
)

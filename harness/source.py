"""What a C source says: its functions and includes, and the same source without comments and spacing.

Reads the text with tree-sitter, so it answers for broken and half-written sources too. It neither preprocesses nor
compiles: a macro's expansion is not seen, and whether the code is right C is left to the compiler.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import tree_sitter_c
from tree_sitter import Language, Node, Parser

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<newline>\n)
    |(?P<space>[^\S\n]+)
    |(?P<text>(?:u8|[uUL])?(?:"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)
        |\w(?:[eEpP][+-]|\w)*(?:\.(?:[eEpP][+-]|\w)*)?|\.\d(?:[eEpP][+-]|[\w.])*
        |<<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|.)""",
    re.VERBOSE | re.DOTALL,
)
_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_WORD = re.compile(rb"^[ \t]*#.*$|\b[A-Za-z_]\w*", re.MULTILINE)
_ATTRIBUTE = re.compile(rb"__attribute__\s*\(\(.*\)\)")
_QUALIFIERS = frozenset(b"restrict __restrict __restrict__ static inline __inline __inline__ extern".split())
_COMMENT_OR_STRING = re.compile(r"""//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?""", re.DOTALL)
_C = Language(tree_sitter_c.language())
_ELSE = frozenset(("preproc_else", "preproc_elif", "preproc_elifdef"))
_OUTER = {"translation_unit", "ERROR", "preproc_if", "preproc_ifdef", "linkage_specification", "declaration_list"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`ctype` is the type without `restrict` and its own const; `is_const`: not to be written (through)."""

    name: str
    ctype: str
    is_pointer: bool
    is_const: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A definition or a prototype. `is_alternative`: it stands behind an #else or #elif, in another's stead."""

    name: str
    return_type: str
    parameters: tuple[Parameter, ...]
    is_static: bool
    is_alternative: bool
    text: str
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUnit:
    """One source. `includes` are bare names of system headers; others keep their quotes."""

    functions: tuple[Function, ...]
    prototypes: tuple[Function, ...]
    includes: tuple[str, ...]
    first_error_line: int | None


@lru_cache(maxsize=2)
def syntax_tree(source: str) -> Node:
    """The root of the source's tree. Spellings that the grammar lacks read as ones it has; lines stay as they are."""
    return Parser(_C).parse(_mask(source.encode("utf-8", "replace"))).root_node


@lru_cache(maxsize=4)
def parse(source: str) -> SourceUnit:
    """What the source says. What cannot be read is left out, and `first_error_line` is set."""
    root = syntax_tree(source)
    functions: list[Function] = []
    prototypes: list[Function] = []
    includes: list[str] = []
    for node, is_alternative in top_level(root):
        if node.type == "preproc_include":
            includes += [_text(path).strip("<>") for path in node.children_by_field_name("path")]
        elif function := _function(node, is_alternative):
            (functions if node.type == "function_definition" else prototypes).append(function)
    return SourceUnit(
        functions=tuple(functions),
        prototypes=tuple(prototypes),
        includes=tuple(includes),
        first_error_line=_first_error_line(root) if root.has_error else None,
    )


def parse_signature(text: str) -> Function:
    """The function that `text`, a prototype, declares. ValueError with the reason."""
    unit = parse(text.strip().removesuffix(";") + ";")
    if unit.functions:
        raise ValueError(f"{text!r} has a body, must be a prototype")
    if unit.first_error_line is not None or len(unit.prototypes) != 1:
        raise ValueError(f"{text!r} is not one C prototype")
    function = unit.prototypes[0]
    for number, parameter in enumerate(function.parameters, 1):
        if not parameter.name:
            raise ValueError(f"{text!r}: parameter {number} has no name")
    return function


def describe_difference(expected: Function, found: Function) -> str:
    """The first way in which `found` differs from `expected`; empty where it does not."""
    if found.is_static != expected.is_static:
        return f"{found.name} is static" if found.is_static else f"{found.name} is not static"
    if found.return_type != expected.return_type:
        return f"{found.name} returns {found.return_type}, must return {expected.return_type}"
    if (have := len(found.parameters)) != (need := len(expected.parameters)):
        return f"{found.name} takes {have} parameter(s), must take {need}"
    for number, (mine, theirs) in enumerate(zip(expected.parameters, found.parameters, strict=True), 1):
        if mine.ctype != theirs.ctype:
            name = theirs.name or mine.name
            return f"parameter {number} of {found.name} ({name}) is {theirs.ctype}, must be {mine.ctype}"
    return ""


def tokens(source: str) -> Iterator[str]:
    """The words and marks of the source, comments and spacing left out."""
    return (match["text"] for match in _TOKEN.finditer(source) if match["text"])


def normalise(source: str) -> str:
    """The source without comments and spacing: one space between words, a line for each directive.

    Inside a directive a space stays where there was one: `#define F (x)` and `#define F(x)` are not the same.
    """
    lines: list[str] = []
    words: list[str] = []
    directive = False
    for match in _TOKEN.finditer(source.replace("\r\n", "\n").replace("\\\n", "")):
        kind, text = match.lastgroup, match[0]
        if kind == "newline" and directive:
            lines.append(" ".join("".join(words).split(" ")).strip())
            words, directive = [], False
        elif kind != "text":
            if directive and words[-1] != " ":
                words.append(" ")
        elif text == "#" and not directive and _begins_line(match):
            lines.append(" ".join(words))
            words, directive = ["#"], True
        else:
            words.append(text)
    lines.append(("" if directive else " ").join(words).strip())
    return "\n".join(line for line in lines if line)


def without_comments(source: str) -> str:
    """The source with a space for each comment and string; a cheap text to look for words in."""
    return _COMMENT_OR_STRING.sub(" ", source)


def digest(source: str) -> str:
    """sha256 of the normalised source: the same for sources that differ in comments and spacing alone."""
    return hashlib.sha256(normalise(source).encode("utf-8", "replace")).hexdigest()


def _begins_line(match: re.Match[str]) -> bool:
    before = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
    return not before.strip() or before.rstrip().endswith("*/")


def _mask(data: bytes) -> bytes:
    # A macro that stands for qualifiers only (`RESTRICT`, `INLINE`) would read as a type or an error.
    words = {b"__restrict": b"restrict"}
    for name, body in _DEFINE.findall(data):
        parts = _ATTRIBUTE.sub(b"", body).split()
        if set(parts) <= _QUALIFIERS:
            words[name] = b"static" if b"static" in parts else b"restrict" if b"restrict" in body else b""
    if len(words) == 1 and b"__restrict" not in data:
        return data
    return _WORD.sub(lambda match: words.get(match[0], match[0]), data)


def top_level(root: Node) -> Iterator[tuple[Node, bool]]:
    """What stands outside of functions, and whether it stands behind an #else.

    Walked by hand: a tree-sitter query takes minutes over an error of a hundred thousand words.
    """
    waiting = [(root, False)]
    while waiting:
        node, is_alternative = waiting.pop()
        if node.type in ("function_definition", "declaration", "preproc_include"):
            yield node, is_alternative
        elif node.type in _OUTER or node.type in _ELSE:
            behind_else = is_alternative or node.type in _ELSE
            waiting += [(child, behind_else) for child in reversed(node.named_children)]


def _first_error_line(root: Node) -> int:
    node = root
    while not (node.is_error or node.is_missing):
        below = next((child for child in node.children if child.has_error or child.is_missing), None)
        if below is None:
            break
        node = below
    return node.start_point.row + 1


def _function(node: Node, is_alternative: bool) -> Function | None:
    declarator = node.child_by_field_name("declarator")
    stars = 0
    while declarator is not None and declarator.type in ("pointer_declarator", "parenthesized_declarator"):
        stars += declarator.type == "pointer_declarator"
        inner = declarator.child_by_field_name("declarator")
        declarator = inner or next(iter(declarator.named_children), None)
    if declarator is None or declarator.type != "function_declarator":
        return None
    name = declarator.child_by_field_name("declarator")
    parameters = declarator.child_by_field_name("parameters")
    if name is None or name.type != "identifier" or parameters is None:
        return None
    base, is_const, storage = _base_type(node)
    return Function(
        name=_text(name),
        return_type=f"{'const ' * (is_const and stars > 0)}{base} {'*' * stars}".strip(),
        parameters=tuple(_parameters(parameters)),
        is_static="static" in storage,
        is_alternative=is_alternative,
        text=_text(node),
        start_line=node.start_point.row + 1,
        end_line=node.end_point.row + 1,
    )


def _parameters(listing: Node) -> Iterator[Parameter]:
    children = [child for child in listing.named_children if child.type != "comment"]
    for child in children:
        declarator = child.child_by_field_name("declarator")
        if len(children) == 1 and declarator is None and _text(child) == "void":
            return
        yield _parameter(child, declarator)


def _parameter(node: Node, declarator: Node | None) -> Parameter:
    base, is_const, _ = _base_type(node)
    levels = [is_const]
    name, plain = "", node.type == "parameter_declaration"
    while declarator is not None:
        kind = declarator.type.removeprefix("abstract_")
        inner = declarator.child_by_field_name("declarator")
        if kind == "pointer_declarator":
            levels.append("const" in _qualifiers(declarator))
        elif kind == "array_declarator" and (inner is None or inner.type == "identifier"):
            levels.append(False)
        elif kind == "identifier":
            name = _text(declarator)
        else:
            plain = False
            inner = inner or next(iter(declarator.named_children), None)
        declarator = inner
    if not plain:
        # A pointer to a function or to an array: spelled as it stands, the name left out.
        spelling = " ".join(word for word in tokens(_text(node)) if word != name)
        return Parameter(name=name, ctype=spelling, is_pointer=False, is_const=False)
    if len(levels) == 1:
        return Parameter(name=name, ctype=base, is_pointer=False, is_const=is_const)
    stars = "".join("*const " if const else "*" for const in levels[1:-1])
    ctype = f"{'const ' * is_const}{base} {stars}*"
    return Parameter(name=name, ctype=ctype, is_pointer=True, is_const=levels[-2])


def _qualifiers(node: Node) -> list[str]:
    return [_text(child) for child in node.children if child.type == "type_qualifier"]


def _base_type(node: Node) -> tuple[str, bool, list[str]]:
    """The type before any star, whether it is const, and the storage words beside it."""
    kind = node.child_by_field_name("type")
    words = [] if kind is None else [word for word in _text(kind).split() if word != "signed" or "char" in _text(kind)]
    if {"short", "long", "unsigned"} & set(words):
        words = sorted((word for word in words if word != "int"), reverse=True)  # as people write them
    storage = [_text(child) for child in node.children if child.type == "storage_class_specifier"]
    return " ".join(words) or "int", "const" in _qualifiers(node), storage


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")

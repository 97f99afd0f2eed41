"""A candidate as the gate's rules look at it: its expanded text, the words in it, and its declarations.

Finds and names things; what is allowed is the rules' business.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tree_sitter import Node

from harness.judge.expansion import Expansion
from harness.source import SourceUnit, parse, syntax_tree, top_level

_TOKEN = re.compile(
    r"""^[ \t]*\#[ \t]*(?P<directive>.*)$
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<number>\.?\d(?:[eEpP][+-]|[\w.])*)
    |(?P<text>"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)
    |(?P<mark><:|:>|\S)""",
    re.VERBOSE | re.MULTILINE,
)
# Spellings that the grammar does not read everywhere, and words of the same length that it does.
_SPELLINGS = {
    "__restrict__": "restrict    ", "__restrict": "restrict  ", "__extension__": " " * 13, "__const": "const  ",
    "__inline__": "inline    ", "__inline": "inline  ",
}  # fmt: skip
_SPELLING = re.compile(r"\b(?:__restrict(?:__)?|__extension__|__const|__inline(?:__)?)\b")
# An attribute between a variable and its value is an error to the grammar; it means nothing to the tree anyway.
_ATTRIBUTE = re.compile(r"\b__attribute(?:__)?\s*\(\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*\)")
_STORAGE = ("static", "_Thread_local", "__thread", "thread_local", "extern")
_CONST = (b"const", b"constexpr")
_OPENING, _CLOSING = ("(", "[", "<:"), (")", "]", ":>")
_BEFORE_A_NAME = (*_OPENING, ",", ":")


@dataclass(frozen=True, slots=True)
class Token:
    """One word or mark of the expanded text; `row` and `column` count from 0 in that text."""

    kind: str
    text: str
    row: int
    column: int

    def touches(self, after: "Token") -> bool:
        return self.row == after.row and self.column + len(self.text) == after.column


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that outlives a call, or one of another's (`is_extern`)."""

    name: str
    is_const: bool
    is_extern: bool
    row: int


class Submission:
    """What a rule looks at. Where the preprocessor failed the text is empty, and of the headers only their names are
    known, as they are written."""

    def __init__(self, expansion: Expansion, target: str, signature: str) -> None:
        self.expansion, self.target, self.signature = expansion, target, signature
        text = re.sub(r"[^\x00-\x7f]", "_", expansion.text)  # one byte a character: the tree counts in bytes
        self.tokens: Sequence[Token] = tuple(tokenise(text))
        text = _SPELLING.sub(lambda match: _SPELLINGS[match[0]], text)
        text = _ATTRIBUTE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        self.unit: SourceUnit = parse(text)
        self._root = syntax_tree(text)

    def line(self, row: int) -> int | None:
        """The line of the candidate that a row of the text comes from."""
        return self.expansion.line_of(row)

    def words(self, *wanted: str) -> Iterator[Token]:
        return (token for token in self.tokens if token.kind == "word" and token.text in wanted)

    def variables(self) -> Iterator[Variable]:
        """Those outside of functions, and those inside that are static, thread-local or extern. Where the grammar does
        not follow the text, inside and outside cannot be told apart: then only what says that it is static."""
        is_read = self.unit.first_error_line is None
        outside = [node for node, _ in top_level(self._root) if is_read and node.type == "declaration"]
        inside = [node for token in self.words(*_STORAGE) if (node := self._declaration_at(token))]
        const_types = _const_types(self._root)
        for node in {node.id: node for node in [*outside, *inside]}.values():
            is_extern = any(child.text == b"extern" for child in node.children)
            is_const = _is_const(node, const_types)
            for declarator in node.children_by_field_name("declarator"):
                if found := _variable(declarator, is_const):
                    yield Variable(found[0], found[1], is_extern, declarator.start_point.row)

    def attributes(self) -> Iterator[Token]:
        """The name of every attribute, in GNU's and in C23's spelling."""
        tokens = self.tokens
        for at, token in enumerate(tokens):
            follows = tokens[at + 1].text if at + 1 < len(tokens) else ""
            if token.kind == "word" and token.text in ("__attribute__", "__attribute"):
                yield from _listed_names(tokens, at + 1)
            elif token.text in ("[", "<:") and follows in ("[", "<:"):
                yield from _listed_names(tokens, at)

    def _declaration_at(self, token: Token) -> Node | None:
        """The declaration that a storage word belongs to; None where it begins a function."""
        start, end = (token.row, token.column), (token.row, token.column + len(token.text))
        node = self._root.descendant_for_point_range(start, end)
        while node is not None and node.type not in ("declaration", "function_definition"):
            node = node.parent
        return node if node is not None and node.type == "declaration" else None


def tokenise(text: str) -> Iterator[Token]:
    """Its words, marks and directives, line by line."""
    for row, line in enumerate(text.split("\n")):
        for match in _TOKEN.finditer(line):
            kind = match.lastgroup or ""
            yield Token(kind, match[kind], row, match.start(kind))


def _listed_names(tokens: Sequence[Token], at: int) -> Iterator[Token]:
    """The names in `((a, b(c)))` or `[[a, gnu::b(c)]]`, whose first bracket stands at `at`: the words that come right
    after an opening bracket or a comma, their arguments passed over."""
    depth, before = 0, ""
    for token in islice(tokens, at, None):
        if token.text in _OPENING:
            depth += 1
        elif token.text in _CLOSING:
            depth -= 1
        elif depth == 2 and token.kind == "word" and before in _BEFORE_A_NAME and token.text.strip("_") != "gnu":
            yield token
        if depth <= 0:
            return
        before = token.text


def _is_const(declaration: Node, const_types: frozenset[bytes]) -> bool:
    kind = declaration.child_by_field_name("type")
    qualified = any(child.type == "type_qualifier" and child.text in _CONST for child in declaration.children)
    return qualified or (kind is not None and kind.text in const_types)


def _const_types(root: Node) -> frozenset[bytes]:
    """The names that a typedef gives to const types."""
    names: set[bytes] = set()
    for node in root.named_children:
        if node.type == "type_definition":
            is_const = _is_const(node, frozenset(names))
            found = [_variable(declarator, is_const) for declarator in node.children_by_field_name("declarator")]
            names |= {item[0].encode() for item in found if item and item[1]}
    return frozenset(names)


def _variable(declarator: Node | None, is_const: bool) -> tuple[str, bool] | None:
    """A variable's name and whether it is const: the pointer next to the name decides, else the type. None where a
    function is declared."""
    is_function = False
    while declarator is not None:
        kind = declarator.type
        if kind in ("identifier", "type_identifier"):
            return None if is_function else ((declarator.text or b"").decode(), is_const)
        if kind == "pointer_declarator":
            is_function = False
            is_const = any(child.type == "type_qualifier" and child.text in _CONST for child in declarator.children)
        elif kind == "function_declarator":
            is_function = True
        declarator = declarator.child_by_field_name("declarator") or declarator.named_child(0)
    return None

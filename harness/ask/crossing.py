"""Two C sources as one: both functions under other names, and one that chooses between them by the shape of a call.

Works on words: every name that a source defines outside of functions gets an ending of its own. Where it cannot tell
what a source defines there is no crossing; whether the outcome compiles or is any faster is for the judge.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from tree_sitter import Node

from harness.contract import Case
from harness.source import parse, parse_signature, syntax_tree

_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[^\n]*\n", re.MULTILINE)
_WORD = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|(?<!\.)(?<!->)\b[A-Za-z_]\w*""", re.DOTALL
)
_PLAIN = frozenset(("comment", "preproc_include", "preproc_call", "preproc_def", "preproc_function_def", ";"))


def cross(first: str, second: str, condition: str, signature: str) -> str | None:
    """`first` where the condition holds, else `second`; None where they cannot be put beside each other."""
    target = parse_signature(signature)
    one, other = _half(first, target.name, "_first"), _half(second, target.name, "_second")
    if one is None or other is None:
        return None
    includes = dict.fromkeys(line for source in (first, second) for line in _INCLUDE.findall(source))
    arguments = ", ".join(parameter.name for parameter in target.parameters)
    chosen = (
        f"{signature.strip().removesuffix(';')} {{\n"
        f"    if ({condition}) {{\n        {target.name}_first({arguments});\n    }} else {{\n"
        f"        {target.name}_second({arguments});\n    }}\n}}\n"
    )
    return f"{''.join(includes)}\n{one}\n{other}\n{chosen}"


CROSSINGS: Mapping[str, Callable[[str, str, str, str], str | None]] = {"c": cross}  # by language


def condition(ours: Sequence[Case], theirs: Sequence[Case], signature: str) -> str | None:
    """What holds of the first cases and of none of the others: one number at most, or at least, so much, where a number
    tells them apart; else the cases one by one."""
    if not ours or not theirs:
        return None
    names = [one.name for one in parse_signature(signature).parameters if not one.is_pointer]
    found: list[tuple[float, str]] = []
    for name in names:
        mine, others = ([case.dims[name] for case in cases] for cases in (ours, theirs))
        for low, high, sign in ((max(mine), min(others), "<="), (max(others), min(mine), ">")):
            if low < high:
                found.append((high / max(low, 1), f"{name} {sign} {max(low, math.isqrt(low * (high - 1)))}"))
    if found:
        return max(found)[1]
    one_by_one = [" && ".join(f"{name} == {case.dims[name]}" for name in names) for case in ours]
    shapes = [{name: case.dims[name] for name in names} for case in theirs]
    if any({name: case.dims[name] for name in names} in shapes for case in ours):
        return None
    return " || ".join(one_by_one if len(ours) == 1 else [f"({one})" for one in one_by_one])


def _half(source: str, target: str, ending: str) -> str | None:
    """The source without its includes, the target static, and every name of its own with that ending."""
    names = _names(source)
    functions = [function for function in parse(source).functions if function.name == target]
    if names is None or len(functions) != 1 or functions[0].is_static:
        return None
    hidden = source.replace(functions[0].text, f"static {functions[0].text}", 1)
    renamed = _WORD.sub(lambda match: match[0] + ending if match[0] in names else match[0], hidden)
    return _INCLUDE.sub("", renamed).strip("\n") + "\n"


def _names(source: str) -> frozenset[str] | None:
    """What the source defines outside of functions; None where something there is not understood."""
    root = syntax_tree(source)
    if root.has_error:
        return None
    unit = parse(source)
    names = {function.name for function in unit.functions + unit.prototypes} | set(_DEFINED.findall(source))
    for node in root.named_children:
        if node.type in ("declaration", "type_definition", "enum_specifier", "struct_specifier", "union_specifier"):
            names.update(_declared(node))
        elif node.type != "function_definition" and node.type not in _PLAIN:
            return None
    return frozenset(names)


def _declared(node: Node) -> Iterator[str]:
    """The names that a declaration gives to variables, types, tags and constants."""
    for field in ("declarator", "name"):
        for child in node.children_by_field_name(field):
            name = child
            while (inner := name.child_by_field_name("declarator")) is not None:
                name = inner
            if name.type in ("identifier", "type_identifier") and name.text:
                yield name.text.decode()
    for child in node.named_children:
        if child.type in ("enum_specifier", "enumerator_list", "enumerator", "struct_specifier", "union_specifier"):
            yield from _declared(child)

"""What a Python candidate does, in short phrases for memory and notes: `uses einsum`, `in-place`, `2 helpers`.

The counterpart of facts.py: claims only what the tree shows, and proves nothing.
"""

import ast
from collections.abc import Mapping

from harness import python_source

_PRODUCTS = ("einsum", "matmul", "mm", "mv", "bmm", "addmm", "addmv", "linear", "tensordot")


def python_facts(source: str) -> Mapping[str, str]:
    """Kind -> phrase, for what is present: product, in-place, helpers, loops, precision, kernels. What is decorated is
    a kernel, and its loops are none of Python's."""
    try:
        nodes = list(ast.walk(python_source.tree(source)))
    except python_source.UNPARSABLE:
        return {}
    called = {node.func.attr for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    words = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    products = [name for name in _PRODUCTS if name in called]
    if any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) for node in nodes):
        products.append("@")
    in_place = any(name.endswith("_") for name in called) or any(isinstance(node, ast.AugAssign) for node in nodes)
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    kernels = [node for node in functions if node.decorator_list]
    helpers = len(functions) - len(kernels) - 1
    inside = {id(node) for kernel in kernels for node in ast.walk(kernel)}
    loops = any(isinstance(node, ast.For | ast.While) and id(node) not in inside for node in nodes)
    found = {
        "product": f"products by {', '.join(products)}" if products else "no matrix product",
        "in-place": "works in place" if in_place else "",
        "helpers": "helper functions" if helpers > 0 else "",
        "loops": "loops in Python" if loops else "",
        "kernels": f"{len(kernels)} kernel{'s' * (len(kernels) > 1)}" if kernels else "",
        "precision": "works in float64" if words & {"float64", "double"} else "",
    }
    return {kind: phrase for kind, phrase in found.items() if phrase}

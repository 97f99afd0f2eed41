"""Rules for Python that an experiment's security.py composes: what a source may contain, said early and clearly.

Lists of what is allowed, not of what is not: an interpreter offers too much to name. The rules look at the tree and run
nothing. They are what keeps a Python candidate from state and from its own runner; the process and fresh contents for
every call are what holds where they are passed.
"""

import ast
import builtins as builtin_names
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from harness import python_source
from harness.contract import Experiment
from harness.judge.answers import violations_of
from harness.judge.diagnostics import Diagnostics
from harness.judge.toolchain import Artifact
from harness.records import Violation
from harness.source import Function, describe_difference


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSubmission:
    """What a rule looks at."""

    tree: ast.Module
    target: str
    signature: Function
    source: str


Rule: TypeAlias = Callable[[PythonSubmission], Iterator[Violation]]


def inspect(source: str, experiment: Experiment) -> tuple[Violation, ...]:
    """Every rule that the source breaks. What is no Python is left to the build, which says it best."""
    size_bytes, most = len(source.encode("utf-8", "replace")), experiment.limits.source_bytes
    if size_bytes > most:
        return (Violation(rule="size", message=f"the source has {size_bytes} bytes, at most {most} are allowed"),)
    try:
        tree = python_source.tree(source)
    except (SyntaxError, ValueError):
        return ()
    except python_source.UNPARSABLE:  # where the stack is less deep, it may yet get through
        return (Violation(rule="size", message="nested too deeply to be looked at"),)
    signature = python_source.parse_signature(experiment.signature)
    submission = PythonSubmission(tree=tree, target=experiment.target, signature=signature, source=source)
    return tuple(violations_of(experiment, submission))


def compiles(source: str) -> Artifact | Diagnostics:
    """The source as an artifact, or what keeps Python from reading it."""
    try:
        compile(source, "candidate.py", "exec", dont_inherit=True)
    except SyntaxError as fault:
        return Diagnostics(text=f"error: line {fault.lineno}: {fault.msg}")
    except python_source.UNPARSABLE as fault:
        return Diagnostics(text=f"error: {type(fault).__name__}: {fault}")
    return Artifact(content=source.encode("utf-8", "replace"))


def one_target(submission: PythonSubmission) -> Iterator[Violation]:
    """The target, once and as the signature has it."""
    functions = [one for one in python_source.parse(submission.source).functions if one.name == submission.target]
    for function in functions[:1]:
        if difference := describe_difference(submission.signature, function):
            yield Violation(rule="one_target", message=difference, line=function.start_line)
    if len(functions) != 1:
        message = f"{submission.target} is defined {len(functions)} times, must be once"
        yield Violation(rule="one_target", message=message)


def plain_module(submission: PythonSubmission) -> Iterator[Violation]:
    """Outside of functions nothing happens: imports, functions, and names for numbers, texts and tuples of them."""
    for node in submission.tree.body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not (is_text or _names_literals(node) or isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)):
            message = "outside of functions only imports, functions, and names for numbers, texts and tuples of them"
            yield Violation(rule="plain_module", message=message, line=node.lineno)


def imports(allowed: Collection[str]) -> Rule:
    """Modules off this list only, at the top, and of what is in them only names that may be used."""

    def rule(submission: PythonSubmission) -> Iterator[Violation]:
        inside = {id(node) for node in submission.tree.body}
        for node in ast.walk(submission.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["." if node.level or not node.module else node.module]
            else:
                continue
            for name in names:
                if name not in allowed or id(node) not in inside:
                    message = f"import of {name}; allowed, at the top: {', '.join(sorted(allowed))}"
                    yield Violation(rule="imports", message=message, line=node.lineno)

    return rule


def words(
    attributes: Collection[str],
    builtins: Collection[str],
    modules: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Rule:
    """Attributes off the one list, in-place forms of them included, and built-in names off the other: an interpreter's
    insides, files, other modules and everything that is set for good are on neither. `modules` have lists of their own,
    which hold where a module is named by the import's own name."""

    def is_known(name: str, module: str = "") -> bool:
        if module in modules:
            return name in modules[module]
        return name in attributes or (name.endswith("_") and not name.endswith("__") and name[:-1] in attributes)

    def rule(submission: PythonSubmission) -> Iterator[Violation]:
        own = set(builtins) | (_bound(submission.tree) - _EVERY_BUILTIN)
        named = _module_names(submission.tree)
        for node in ast.walk(submission.tree):
            message = ""
            if isinstance(node, ast.Attribute) and not is_known(node.attr, _module_of(node.value, named)):
                message = f".{node.attr} is not among the operations that may be used"
            elif isinstance(node, ast.Name) and (node.id not in own or node.id.startswith("__")):
                message = f"{node.id} is neither a name of the source's own nor a built-in that may be used"
            elif isinstance(node, ast.ImportFrom):
                strange = [alias.name for alias in node.names if not is_known(alias.name, node.module or "")]
                message = (
                    f"import of {strange[0]}, which is not among the operations that may be used" if strange else ""
                )
            if message:
                yield Violation(rule="words", message=message, line=getattr(node, "lineno", None))

    return rule


def no_state(submission: PythonSubmission) -> Iterator[Violation]:
    """Nothing outlives a call: no attribute is set, no default value can change, no name of an outer scope is bound."""
    functions = (node for node in submission.tree.body if isinstance(node, ast.FunctionDef))
    inside = {id(node) for function in functions for line in function.body for node in ast.walk(line)}
    for node in ast.walk(submission.tree):
        message = ""
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            message = f".{node.attr} is set; attributes stay as they are"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            message = f"{', '.join(node.names)}: names of an outer scope are not bound here"
        elif isinstance(node, ast.arguments):
            defaults = [value for value in (*node.defaults, *node.kw_defaults) if value is not None]
            message = "" if all(map(_is_literal, defaults)) else "a default value that is no number, text or tuple"
        elif isinstance(node, ast.NamedExpr | ast.Call) and id(node) not in inside:  # annotations are evaluated, too
            message = f"`{python_source.spelled(node)}` outside of a function's body"
        if message:
            yield Violation(rule="no_state", message=message, line=getattr(node, "lineno", None))


_STATEMENTS = (
    ast.FunctionDef, ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If, ast.Expr,
    ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom, ast.Assert, ast.Delete,
    ast.Global, ast.Nonlocal,  # which no_state says more about
)  # fmt: skip


def plain_statements(submission: PythonSubmission) -> Iterator[Violation]:
    """Functions, loops, branches and assignments: no classes, nothing that is caught, nothing lazy."""
    for node in ast.walk(submission.tree):
        name = type(node).__name__
        line = getattr(node, "lineno", None)
        if isinstance(node, ast.stmt) and not isinstance(node, _STATEMENTS):
            yield Violation(rule="plain_statements", message=f"a {name} statement is not for a candidate", line=line)
        elif isinstance(node, ast.Yield | ast.YieldFrom | ast.Await):
            message = f"{name.lower()}: a result is whole when it is given"
            yield Violation(rule="plain_statements", message=message, line=line)


def decorators(*allowed: str) -> Rule:
    """These only, as they are written here and without arguments."""
    others = f" other than {', '.join(allowed)}" if allowed else ""

    def rule(submission: PythonSubmission) -> Iterator[Violation]:
        for node in ast.walk(submission.tree):
            if isinstance(node, ast.FunctionDef):
                for one in node.decorator_list:
                    if python_source.spelled(one) not in allowed:
                        message = f"{node.name} has a decorator{others}"
                        yield Violation(rule="decorators", message=message, line=one.lineno)

    return rule


_LITERAL = (ast.Constant, ast.Tuple, ast.UnaryOp, ast.BinOp, ast.operator, ast.unaryop, ast.expr_context)


def _is_literal(node: ast.expr) -> bool:
    """A number, a text, None, or a tuple of them: nothing that could change."""
    return all(isinstance(part, _LITERAL) for part in ast.walk(node))


def _names_literals(node: ast.stmt) -> bool:
    """Whether it only gives names to what cannot change: `a, *b = 1, 2` would make a list."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None or not _is_literal(node.value):
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return all(isinstance(part, ast.Name | ast.Tuple | ast.Store) for target in targets for part in ast.walk(target))


def _module_of(node: ast.expr, named: Mapping[str, str]) -> str:
    """The module that an expression names, nothing where it names none."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    owner = named.get(node.id, "") if isinstance(node, ast.Name) else ""
    return ".".join((owner, *reversed(words))) if owner else ""


def _module_names(tree: ast.Module) -> Mapping[str, str]:
    """Names of modules -> modules, but for names that mean anything else anywhere in the source."""
    named: dict[str, str] = {}
    others = _assigned(tree)
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            module = alias.name if alias.asname else alias.name.partition(".")[0]
            name = alias.asname or module
            if isinstance(node, ast.ImportFrom) or named.setdefault(name, module) != module:
                others.add(name)
    return {name: module for name, module in named.items() if name not in others}


def _bound(tree: ast.Module) -> set[str]:
    """Every name that the source itself binds anywhere."""
    names = _assigned(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return names


def _assigned(tree: ast.Module) -> set[str]:
    """Those that no import binds."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            names.add(node.name)
    return names


# A name that a source binds in one place means the built-in in another: only what does no harm may be bound at all.
_EVERY_BUILTIN = frozenset(dir(builtin_names)) - frozenset("input id hash iter next filter".split())
BUILTINS = frozenset(
    (
        "abs all any bool dict divmod enumerate float int isinstance len list map max min pow range reversed round"
        " slice sorted sum tuple zip True False None"
    ).split()
)
# Functions of torch and methods of tensors, under one name each; `add` stands for `add_` as well.
OPERATIONS = frozenset(
    (
        "abs absolute acos adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d add addbmm addcdiv addcmul"
        " addmm addmv addr all allclose amax amin aminmax any append arange argmax argmin argsort as_strided"
        " as_tensor asin atan atan2 avg_pool1d avg_pool2d baddbmm batch_norm bfloat16 bincount bmm bool"
        " broadcast_to bucketize cat cdist ceil chain_matmul cholesky chunk clamp clamp_max clamp_min clip clone"
        " column_stack concat concatenate contiguous contiguous_format conv1d conv2d conv3d copy_ copysign cos cosh"
        " cosine_similarity cross cross_entropy cummax cummin cumprod cumsum det detach device diag diag_embed"
        " diagonal diff dim div divide dot double dsplit dstack dtype e eigh einsum elu embedding empty empty_like"
        " eq equal erf erfc exp exp2 expand expand_as expm1 extend eye fft fill fill_ flatten flip float float16"
        " float32 float64 floor floor_divide fmax fmin fmod frac fsum full full_like functional gather gcd ge gelu"
        " get greater group_norm gt H half hardsigmoid hardswish hardtanh hstack hypot ifft index_add index_copy"
        " index_fill index_select inf inner instance_norm int int32 int64 interpolate inv inverse irfft"
        " is_contiguous isclose isfinite isinf isnan isqrt item items keys kron kthvalue l1_loss layer_norm lcm"
        " ldexp le leaky_relu lerp less linalg linear linspace log log10 log1p log2 log_softmax logaddexp"
        " logcumsumexp logical_and logical_not logical_or logsumexp long lt masked_fill masked_scatter"
        " masked_select matmul matrix_exp matrix_norm matrix_power max max_pool1d max_pool2d maximum mean median"
        " min minimum mish mm mode moveaxis movedim mse_loss mT mul multi_dot multiply mv nan nan_to_num nansum"
        " narrow narrow_copy ndim ne neg negative new_empty new_full new_ones new_zeros nll_loss nn norm normalize"
        " numel one_hot ones ones_like outer pad pairwise_distance permute pi pow prod qr ravel reciprocal relu"
        " remainder renorm repeat repeat_interleave reshape reshape_as rfft rms_norm roll round rsqrt"
        " scaled_dot_product_attention scatter scatter_add scatter_reduce searchsorted select sgn shape sigmoid"
        " sign silu sin sinc sinh size softmax softplus softsign solve sort special split sqrt square squeeze stack"
        " std std_mean stride strided sub subtract sum svd swapaxes swapdims sym_int T take take_along_dim tan tanh"
        " Tensor tensor tensor_split tensordot tile to tolist topk trace transpose tril triu trunc type_as unbind"
        " unflatten unfold unique unsqueeze values vander var var_mean vdot vector_norm view view_as vsplit vstack"
        " where xlogy zero zero_ zeros zeros_like"
    ).split()
)
MODULES = frozenset({"torch", "torch.nn.functional", "math", "__future__"})
# What every Python experiment starts from; one with other needs lists the rules itself, with lists of its own.
PYTHON_RULES: tuple[Rule, ...] = (
    plain_module,
    imports(MODULES),
    words(OPERATIONS | {"annotations"}, BUILTINS),
    no_state,
    plain_statements,
    decorators(),
    one_target,
)

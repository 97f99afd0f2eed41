"""Rules for a Python source with Triton kernels: those of python_gate.py, and lists for the two modules of Triton's.

A kernel addresses memory by number, as C does: what keeps it from the runner is the process, and fresh contents.
"""

from harness.judge.python_gate import (
    BUILTINS,
    MODULES,
    OPERATIONS,
    Rule,
    decorators,
    imports,
    no_state,
    one_target,
    plain_module,
    plain_statements,
    words,
)

# What is not here: assembly and foreign functions, atomics, printing, and everything that the host calls to compile.
LANGUAGE = frozenset(
    (
        "abs arange bfloat16 broadcast broadcast_to cast cdiv ceil clamp constexpr cos div_rn dot erf exp exp2"
        " expand_dims fdiv flip float16 float32 float64 floor fma full int1 int32 int64 join load log log2 max"
        " max_constancy max_contiguous maximum min minimum multiple_of num_programs permute program_id range ravel"
        " reshape rsqrt sigmoid sin softmax split sqrt sqrt_rn static_assert static_range store sum trans view where"
        " xor_sum zeros zeros_like"
    ).split()
)
HOST = frozenset({"cdiv", "jit", "language", "next_power_of_2"})
TRITON_RULES: tuple[Rule, ...] = (
    plain_module,
    imports(MODULES | {"triton", "triton.language"}),
    words(OPERATIONS | {"annotations"}, BUILTINS, {"triton": HOST, "triton.language": LANGUAGE}),
    no_state,
    plain_statements,
    decorators("triton.jit"),
    one_target,
)

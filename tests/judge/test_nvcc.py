"""CUDA C++ as far as it goes without a device: its rules, nvcc in the box, its objects; and with one, all the way."""

from dataclasses import replace

import pytest

from harness import catalog, contract
from harness.errors import ContractError
from harness.judge import cuda, cuda_gate
from harness.judge.clock import Stop
from harness.judge.device import cuda as accelerator
from harness.judge.diagnostics import Diagnostics
from harness.judge.judge import Judge
from harness.judge.kinds import open_kind
from harness.judge.toolchain import Artifact
from harness.records import Status
from harness.source import parse_signature

ATTENTION = contract.load(catalog.locate("attention_cuda"))
SEED = ATTENTION.seed_path.read_text()
LAUNCH = "    const int rows ="
needs_nvcc = pytest.mark.skipif(cuda.find_nvcc() is None, reason="needs nvcc, of the CUDA toolkit")
needs_device = pytest.mark.skipif(accelerator() is None, reason="needs a CUDA device")


def rules(*, top: str = "", body: str = "") -> set[str]:
    source = f"{top}\n{SEED.replace(LAUNCH, f'{body}{chr(10)}{LAUNCH}')}"
    return {violation.rule for violation in cuda_gate.inspect(source, ATTENTION)}


def built(source: str, **limits: float) -> Artifact | Diagnostics:
    one = replace(ATTENTION, limits=replace(ATTENTION.limits, **limits))
    return cuda.build(one, source, cuda.DEFAULT_ARCHITECTURE, stop=False)


@pytest.mark.parametrize(
    "top",
    [
        "",
        "#include <cuda_runtime.h>\n#include <mma.h>\n",
        "// clock64() is not called /* asm */ here",
        "static constexpr int TILE = 32;\ntemplate <int N> static __device__ int sized() { return N * TILE; }",
        "#define TILE 32\n#if TILE > 16\n#pragma unroll\n#endif",
        "struct Tile { float4 row[8]; };",
        "static __global__ void __launch_bounds__(128, 2) k(float *x) { extern __shared__ float s[]; s[0] = x[0]; }",
        "static __global__ void k() { __shared__ __align__(16) float s[8][9]; s[0][0] = 1; }",
        "using Sum = float;",
    ],
)
def test_honest_sources_break_no_rule(top: str) -> None:
    assert rules(top=top) == set()


@pytest.mark.parametrize(
    ("top", "rule"),
    [
        ("#include <cublas_v2.h>", "headers"),
        ("static void *__cuda_seen[4];", "calls_forbidden"),
        ("#include <cub/cub.cuh>", "headers"),
        ('#include "../naive.cu"', "headers"),
        ("#define WHERE <cublas_v2.h>\n#include WHERE", "headers"),
        ("#inclu\\\nde <cudnn.h>", "headers"),
        ("extern void cublasSgemm_v2();", "calls_forbidden"),
        ("static __device__ float cache[256];", "no_state"),
        ("__constant__ float table[4];", "no_state"),
        ("static float *workspace;", "no_state"),
        ("extern float *theirs;", "no_externals"),
        ("#define NOW clo ## ck64()", "plain_directives"),
        ("#define NOW clock64()", "calls_forbidden"),
        ("#ifdef __CUDA_ARCH__\nstatic __device__ long now() { return clock64(); }\n#endif", "calls_forbidden"),
        ('static __device__ void halt() { asm volatile("exit;"); }', "no_assembly"),
        ("#pragma nv_diag_suppress 20", "pragmas"),
        ('#line 7 "elsewhere"', "plain_directives"),
        ("__attribute__((constructor)) static void early() {}", "attributes"),
        ('static const char *text = R"(/*)";', "plainly_written"),
    ],
)
def test_what_a_source_may_not_say(top: str, rule: str) -> None:
    assert rule in rules(top=top)


@pytest.mark.parametrize(
    "body",
    [
        "cudaMalloc(&scratch, 8);",
        'system("true");',
        'printf("time: 1");',
        "static float kept;",
        "float *p = new float[8];",
        "__rdtsc();",
    ],
)
def test_what_a_launcher_may_not_do(body: str) -> None:
    assert rules(body=body)


def test_the_entry_has_the_signature_of_the_contract() -> None:
    source = SEED.replace("void attention(float *out", "void attention(double *out")
    assert [one.rule for one in cuda_gate.inspect(source, ATTENTION)] == ["one_entry"]


def test_a_line_is_named_as_it_was_written() -> None:
    top = "/* two\n   lines */\n#define LONG \\\n    1\n__constant__ float table[4];"
    assert [one.line for one in cuda_gate.inspect(f"{top}\n{SEED}", ATTENTION)] == [5]


HIDDEN = """
#define SPACE __device__
SPACE float cache[4];
struct Early { float x; Early() { x = sqrtf(2.0f); } };
Early early;
extern "C" int getpid();
extern "C" __attribute__((visibility("default"))) int other() { return getpid(); }
"""


@needs_nvcc
def test_a_variable_with_a_name_like_the_compiler_s_is_one_all_the_same() -> None:
    made = built("int __nv_seen[4];" + SEED.replace(LAUNCH, f"    __nv_seen[0]++;\n{LAUNCH}"))
    assert isinstance(made, Artifact), made.text
    assert [one.message for one in cuda.inspect(made, "attention")] == ["__nv_seen outlives the call: keep no state"]


@needs_nvcc
def test_the_object_shows_what_a_source_hid() -> None:
    made = built(HIDDEN + SEED.replace("float total = 0.0f;", "float total = cache[0]++;"))
    assert isinstance(made, Artifact), made.text
    found = {violation.rule: violation.message for violation in cuda.inspect(made, "attention")}
    assert set(found) == {"no_initialisers", "no_state", "one_export", "calls"}


def test_a_contract_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(ContractError, match="names float, uint8, which"):
        open_kind(
            replace(ATTENTION, signature="void attention(float *out, const unsigned char *q, float scale)"), Stop()
        )


@needs_nvcc
def test_nvcc_reads_no_file_of_the_users() -> None:
    made = built(f'#include "{contract.ROOT}/LICENSE"\n{SEED}')
    assert isinstance(made, Diagnostics)
    assert "candidate.cu:1:" in made.first_error and "MIT" not in made.text


@needs_nvcc
def test_nvcc_is_stopped_in_time() -> None:
    made = built(SEED, build_timeout_s=0.1)
    assert isinstance(made, Diagnostics) and made.is_exhausted


def test_what_ptxas_says_is_kept_kernel_by_kernel() -> None:
    said = (
        "ptxas info    : Compiling entry function '_Z1kPf' for 'sm_80'\n"
        "    48 bytes stack frame, 44 bytes spill stores, 40 bytes spill loads\n"
        "ptxas info    : Used 255 registers, 392 bytes cmem[0]\n"
    )
    assert list(cuda.remarks(said)) == ["_Z1kPf: Used 255 registers, 392 bytes cmem[0], 44 bytes spilled"]


def test_its_module_hands_over_every_parameter_in_order() -> None:
    text = cuda.module(ATTENTION)
    names = [parameter.name for parameter in parse_signature(ATTENTION.signature).parameters]
    compile(text, "module.py", "exec")
    assert f"_run({', '.join([*(f'_at({name})' for name in names[:4]), *names[4:]])})" in text


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(ATTENTION, Stop())


@pytest.mark.gpu
@needs_nvcc
@needs_device
@pytest.mark.parametrize(
    ("wrong", "right", "status"),
    [
        ("<= t; s++", "<= t && s < 31; s++", Status.WRONG),
        ("mine[c] /= total;", "out[rows * head_dim + c] = total;", Status.WRONG),
        (", threads>>>", ", 4096>>>", Status.CRASHED),
        ("expf(", "exp2f(", Status.WRONG),
    ],
)
def test_wrong_kernels_are_found_out_on_a_device(judge: Judge, wrong: str, right: str, status: Status) -> None:
    fault = judge.prepare(SEED.replace(wrong, right)).fault
    assert fault is not None and fault.status is status, fault


@pytest.mark.gpu
@needs_nvcc
@needs_device
def test_points_of_the_space_are_right_on_a_device(judge: Judge) -> None:
    space = ATTENTION.space
    assert space is not None
    usual = {name: values[-1] for name, values in space.CHOICES.items()} | {"queries": 1, "rows": 8}
    for change in ({}, {"memory": "direct", "keys": 8}, {"softmax": "online"}, {"vector": 1}):
        assert judge.prepare(space.render(usual | change)).fault is None, change

"""What is read of CUDA C++: functions under templates and qualifiers, replies, and the same source said otherwise."""

from harness import catalog, contract, cuda_source
from harness.ask.cuda_facts import cuda_facts
from harness.ask.reply import Unreadable, read_reply
from harness.records import Candidate

ATTENTION = contract.load(catalog.locate("attention_cuda"))
SEED = ATTENTION.seed_path.read_text()
SOURCE = """\
#include <cuda_runtime.h>

template <int TILE, bool WHOLE = (TILE > 1)> // of queries
static __global__ void __launch_bounds__(128)
    attend(float *__restrict__ out, const float4 *__restrict__ x, int n) {
    extern __shared__ __align__(16) float tile[];
    if constexpr (WHOLE) {
        tile[threadIdx.x] = reinterpret_cast<const float *>(x)[n];
    }
    out[n] = tile[0];
}

extern "C" void scale(float *out, const float *x, int n) {
    const dim3 grid((n + 31) / 32, 2);
    attend<32><<<grid, 128, 4096>>>(out, reinterpret_cast<const float4 *>(x), n);
}
"""


def read(reply: str, finish_reason: str = "stop") -> Candidate | Unreadable:
    return read_reply(reply, finish_reason, ATTENTION, SEED)


def test_functions_are_found_where_they_stand() -> None:
    unit = cuda_source.parse(SOURCE)
    assert unit.first_error_line is None
    assert [(one.name, one.start_line, one.end_line) for one in unit.functions] == [
        ("attend", 4, 11),
        ("scale", 13, 16),
    ]
    assert unit.includes == ("cuda_runtime.h",)


def test_a_signature_may_say_that_it_is_c() -> None:
    plain, said = (cuda_source.parse_signature(f"{c}void f(float *out, int n)") for c in ("", 'extern "C" '))
    assert plain.parameters == said.parameters


def test_comments_and_spacing_make_no_other_source() -> None:
    assert cuda_source.digest(SOURCE) == cuda_source.digest(SOURCE.replace(" // of queries", "").replace("    ", "\t"))
    assert cuda_source.digest(SOURCE) != cuda_source.digest(SOURCE.replace("<32>", "<64>"))


def test_facts_say_what_the_words_show() -> None:
    assert cuda_facts(SOURCE) == {
        "shared": "dynamic shared memory",
        "vectors": "loads float4",
        "launch": "blocks of 128 threads",
    }


def test_a_reply_is_read_in_whatever_fence() -> None:
    for fence in ("cuda", "cpp", "c++", ""):
        assert isinstance(read(f"Faster.\n\n```{fence}\n{SEED}```\n"), Candidate)


def test_a_reply_without_a_fence_is_read_from_its_first_line_of_code() -> None:
    found = read(f"Here it is:\n\n{SEED}")
    assert isinstance(found, Candidate) and "static __global__" in found.source


def test_a_torn_reply_holds_no_candidate() -> None:
    found = read(f"```cuda\n{SEED[:-60]}")
    assert isinstance(found, Unreadable) and "torn" in found.reason


def test_edits_of_the_parent_are_read() -> None:
    edits = "<<<<<<< SEARCH\n    const int threads = 128;\n=======\n    const int threads = 64;\n>>>>>>> REPLACE\n"
    found = read(edits)
    assert isinstance(found, Candidate) and "threads = 64" in found.source

"""The compiler's box and what it lets out, with the real gcc."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from harness.contract import ROOT
from harness.judge import elf, toolchain
from harness.judge.clock import Stop
from harness.judge.diagnostics import Diagnostics
from harness.judge.toolchain import Artifact

SIGNATURE = "void twice(float *out, int n)"
PLAIN = "void twice(float *out, int n) { for (int i = 0; i < n; i++) out[i] *= 2; }\n"


def build(source: str, timeout_s: float = 30) -> Artifact | Diagnostics:
    return toolchain.build(source, SIGNATURE, ("-O2",), timeout_s, stop=False)


def preprocess(source: str, timeout_s: float = 30) -> str | Diagnostics:
    return toolchain.preprocess(source, SIGNATURE, ("-O2",), timeout_s, stop=False)


def complaint(source: str) -> str:
    said = build(source)
    assert isinstance(said, Diagnostics)
    return said.text


def said_elsewhere(source: str, **environment: str) -> str:
    """The diagnostics of a build in another Python process, which has this in its environment."""
    return in_another(f"print(toolchain.build({source!r}, {SIGNATURE!r}, (), 30, False).text)", **environment)


def in_another(code: str, **environment: str) -> str:
    """What another Python process prints, which has this in its environment."""
    code = f"from harness.judge import toolchain\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def relinked(built: Artifact, place: int) -> Artifact | Diagnostics:
    return toolchain.relink(built, ("-O2",), elf.text_at(built, place), 30, stop=False)


def text_at(artifact: Artifact) -> int:
    """Where the code of an artifact begins, by its own headers."""
    section = ELFFile(io.BytesIO(artifact.content)).get_section_by_name(".text")
    assert section is not None
    return int(section["sh_addr"])


@pytest.mark.parametrize(
    "source",
    [
        PLAIN,
        "#include <math.h>\nvoid twice(float *out, int n) { for (int i = 0; i < n; i++) out[i] = expf(out[i]); }\n",
        "static const float two = 2;\nvoid twice(float *out, int n) { for (int i = 0; i < n; i++) out[i] *= two; }\n",
    ],
    ids=["plain", "with a library's function", "with a constant"],
)
def test_an_artifact_is_linked_again_at_whatever_place_is_asked_for(source: str):
    built = build(source)
    assert isinstance(built, Artifact)
    moved = [relinked(built, place) for place in (0, 1, elf.TEXT_PLACES - 1)]
    places = [text_at(one) for one in moved if isinstance(one, Artifact)]
    assert [place - places[0] for place in places] == [0, 16, 16 * (elf.TEXT_PLACES - 1)]


def test_linking_again_changes_nothing_but_the_place():
    built = build(PLAIN)
    assert isinstance(built, Artifact)
    moved = relinked(built, 7)
    assert isinstance(moved, Artifact)
    assert (moved.compiled, elf.inspect(moved, "twice")) == (built.compiled, ())


def test_a_plain_function_becomes_a_shared_object():
    built = build(PLAIN)
    assert isinstance(built, Artifact)
    assert built.content.startswith(b"\x7fELF")


def test_the_same_source_makes_the_same_object_whenever_it_is_compiled():
    stamped = PLAIN.replace("out[i] *= 2", "out[i] += sizeof __DATE__ + (__DATE__ __TIME__ __TIMESTAMP__)[i & 15]")
    first = build(stamped)
    time.sleep(1.1)
    again = build(stamped)
    assert isinstance(first, Artifact)
    assert isinstance(again, Artifact)
    assert first.digest == again.digest


def test_the_first_error_names_the_line_and_shows_it():
    said = complaint("void twice(float *out, int n) {\n    out[0] = missing;\n}\n").splitlines()
    assert "candidate.c:2:14: error: ‘missing’ undeclared" in "\n".join(said)
    assert "    2 |     out[0] = missing;" in said


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", "/proc/self/cmdline"])
def test_a_file_outside_of_the_box_is_not_quoted_by_an_include(path):
    said = complaint(f'#include "{path}"\n{PLAIN}')
    assert not any(line and line in said for line in _lines_of(path))


def test_a_file_outside_of_the_box_is_not_quoted_by_a_line_directive():
    said = complaint(f'#line 1 "/etc/passwd"\n{PLAIN}int broken = ;\n')
    assert not any(line in said for line in _lines_of("/etc/passwd"))


def test_standard_input_is_empty():
    built = preprocess(f'#include "/dev/stdin"\n{PLAIN}')
    assert isinstance(built, Diagnostics) or built.count("void twice") == 2


def test_the_environment_does_not_reach_the_compiler(tmp_path):
    (tmp_path / "hidden.h").write_text("int hidden;\n")
    assert "hidden.h: No such file" in said_elsewhere("#include <hidden.h>\n", C_INCLUDE_PATH=str(tmp_path))


def test_diagnostics_name_no_absolute_path():
    said = complaint(
        f"#include <immintrin.h>\n{PLAIN.replace('out[i] *= 2', '_mm512_storeu_ps(out, _mm512_set1_ps(n))')}"
    )
    assert "error" in said
    assert "/usr/" not in said


def test_diagnostics_hold_no_control_characters():
    assert "\x1b" not in complaint('#error "\x1b[2Jhello\u202e"\n')


def test_diagnostics_are_short_and_begin_with_the_first_error():
    said = complaint("".join(f"void helper_{i}(void) {{ undeclared_{i}(; }}\n" for i in range(500)))
    assert len(said) < 4500
    assert "candidate.c:1:" in said.splitlines()[1]


def test_the_include_chain_is_left_out():
    assert "from" not in complaint('#include "candidate.c"\n').split()


def test_a_compiler_that_takes_too_long_is_stopped_in_time():
    bomb = "#define A(x) x x x x x x x x\n#define B(x) A(A(A(A(x))))\nB(B(B(int a;)))\n"
    started_s = time.monotonic()
    said = preprocess(bomb, timeout_s=0.5)
    assert isinstance(said, Diagnostics)
    assert said.is_exhausted
    assert time.monotonic() - started_s < 2.5


def test_a_raised_flag_stops_the_compiler():
    stop = Stop()
    stop.set()
    assert isinstance(toolchain.build(PLAIN, SIGNATURE, (), 30, stop), Diagnostics)


def test_a_giant_object_is_refused_with_the_limit():
    said = build(f"static const char room[1u << 30] = {{1}};\n{PLAIN.replace('2', 'room[i]')}")
    assert isinstance(said, Diagnostics)
    assert said.is_exhausted
    assert "64 MiB of output" in said.first_error


def test_nothing_of_a_build_stays_behind(tmp_path):
    said_elsewhere("int broken = ;", TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_room_is_named_and_not_taken_for_a_candidates_fault(tmp_path):
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
    attempt = f"try: toolchain.build('int x;', {SIGNATURE!r}, (), 30, False)"
    said = in_another(f"{full}\n{attempt}\nexcept toolchain.JudgeError as fault: print(fault)", TMPDIR=str(tmp_path))
    assert said == f"cannot build in {tmp_path}: File too large.\n"


def test_the_preprocessor_says_where_each_line_comes_from():
    printed = preprocess(f"#include <math.h>\n{PLAIN}")
    assert isinstance(printed, str)
    assert f'# 2 "candidate.c"\n{PLAIN}' in printed


def test_a_candidate_cannot_tell_which_files_lie_around_it():
    asking = "#if defined(__has_include) && __has_include({})\n#error seen\n#endif\n"
    for name in ('"out"', '"candidate.c"', '"/etc/passwd"', "<math.h>"):
        assert isinstance(build(asking.format(name) + PLAIN), Artifact)


def test_a_lone_surrogate_in_the_source_is_no_fault_of_the_harness():
    assert isinstance(build(f"// \ud800\n{PLAIN}"), Artifact)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/usr/include/math.h", True), ("/usr/include/../../etc/math.h", False), ("math.h", False), ("/dev/stdin", False)],
)
def test_a_systems_header_is_known_by_its_place(path, expected):
    assert toolchain.is_systems(path) is expected


def _lines_of(path: str) -> list[str]:
    return [line for line in Path(path).read_text("utf-8", "replace").splitlines() if len(line) > 3]


def test_code_that_differs_in_the_names_of_helpers_alone_is_the_same_object() -> None:
    source = (
        "__attribute__((noinline)) static float HELPER(const float *x) { return *x + 1; }\n"
        "void f(float *out, const float *x) { *out = HELPER(x) * HELPER(x + 1); }\n"
    )
    names = ("one", "quite_another")
    built = [toolchain.build(source.replace("HELPER", name), "void f(float *out, const float *x)", ["-O2"], 20, False)
             for name in names]  # fmt: skip
    digests = {artifact.digest for artifact in built if isinstance(artifact, toolchain.Artifact)}
    assert len(digests) == 1


def remarks(source: str) -> tuple[str, ...]:
    built = toolchain.build(source, SIGNATURE, ("-O3", "-mavx2"), 30, stop=False)
    assert isinstance(built, Artifact)
    return built.remarks


def test_a_loop_that_became_vectors_is_remarked_with_its_line() -> None:
    (line,) = remarks(PLAIN)
    assert line.startswith("    1 | void twice(float *out, int n) { for") and "loop vectorized using 32 byte" in line


def test_a_loop_that_did_not_is_remarked_with_the_reason() -> None:
    loop = "    for (int i = 1; i < n; i++)\n        out[i] += out[i - 1];\n"
    (line,) = remarks(f"void twice(float *out, int n) {{\n{loop}}}\n")
    assert line.startswith("    2 | for (int i = 1; i < n; i++) -- not vectorized: ")


def test_a_loop_over_vectors_by_hand_needs_no_remark() -> None:
    loop = "for (int i = 0; i < n; i += 8) _mm256_storeu_ps(out + i, _mm256_maskload_ps(out, _mm256_set1_epi32(n)));"
    assert remarks(f"#include <immintrin.h>\nvoid twice(float *out, int n) {{ {loop} }}\n") == ()


def test_remarks_are_few_and_short_however_many_loops_there_are() -> None:
    loops = "".join(f"    for (int i = 1; i < n; i++) out[i] += {k} * out[i - 1];\n" for k in range(200))
    lines = remarks(f"void twice(float *out, int n) {{\n{loops}}}\n")
    assert len(lines) == 21 and lines[-1].startswith("… ") and max(map(len, lines)) <= 241


def test_remarks_quote_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret\n" * 9)
    aimed = f'#line 3 "{tmp_path}/secret"\n{PLAIN}'
    assert remarks(aimed) == ()


def test_a_cache_that_programs_may_not_be_run_from_is_told_from_a_compiler_that_cannot(tmp_path: Path) -> None:
    """As on a mount with `noexec`: the box is there, and may not be started."""
    said = in_another(
        "from harness.errors import JudgeError\n"
        "toolchain.build('', 'void f(void)', (), 30, False)\n"
        "box, = toolchain.cache_folder().glob('confine-*')\n"
        "box.chmod(0o644)\n"
        "try: toolchain.build('', 'void f(void)', (), 30, False)\n"
        "except JudgeError as fault: print(fault.message, fault.hint)",
        XDG_CACHE_HOME=str(tmp_path),
    )
    assert "confine-" in said and "Permission denied. set XDG_CACHE_HOME" in said and "gcc" not in said

"""What the tests of the command line share: a small experiment in a folder of its own, and real runs of loop.py.

The experiment `total` sums numbers: one short case, so that a whole judgement takes a fraction of `linear`'s time.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PYTHON = sys.executable

MANIFEST: dict[str, Any] = {
    "schema": 1,
    "name": "total",
    "language": "c",
    "target": "total",
    "signature": "void total(float *out, const float *x, int n)",
    "files": {"seed": "naive.c", "candidate": "candidate.c"},
    "edit": "either",
    "build": {"flags": ["-O2"]},
    "tags": ["unrolling"],
    "limits": {
        "timeout_s": 5,
        "build_timeout_s": 60,
        "memory_mb": 256,
        "source_bytes": 60000,
        "prompt_tokens": 4000,
    },
}
SEED = """\
void total(float *out, const float *x, int n) {
    float sum = 0.0f;
    for (int i = 0; i < n; i++) sum += x[i];
    *out = sum;
}
"""
# Four sums instead of one: two to four times as fast, and plain to see in a few blocks.
FASTER = """\
void total(float *out, const float *x, int n) {
    float a = 0, b = 0, c = 0, d = 0;
    int i = 0;
    for (; i + 4 <= n; i += 4) a += x[i], b += x[i + 1], c += x[i + 2], d += x[i + 3];
    for (; i < n; i++) a += x[i];
    *out = (a + b) + (c + d);
}
"""
SLOWER = """\
void total(float *out, const float *x, int n) {
    float sum = 0.0f;
    for (int i = 0; i < n; i++) sum = (sum + x[i]) / 2.0f * 2.0f / 4.0f * 4.0f;
    *out = sum;
}
"""
WRONG = "void total(float *out, const float *x, int n) {\n    *out = 7;\n}\n"
ENDLESS = "void total(float *out, const float *x, int n) {\n    for (volatile int i = 0; ; i++) *out = i;\n}\n"
BROKEN = "void total(float *out, const float *x, int n) {\n    *out = nonsense;\n}\n"
# Several seconds of gcc's optimiser: thousands of branches in one function.
HEAVY = (
    "#define A(x) x x x x x x x x x x\n#define B(x) A(x) A(x) A(x) A(x) A(x) A(x)\n"
    "void total(float *out, const float *x, int n) {\n    float s = 0;\n    B(B(if (s > n) n++; s += x[n] * s;))\n"
    "    *out = s;\n}\n"
)
PROSE = "I would rather not."
EVAL = """\
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, HOUSE)

from harness.contract import Case
from harness.judge.verdict import accept

CASES = [Case("long", n=4096)]
CHECKS = [Case("none", n=0), Case("few", n=7)]


def inputs(case, rng):
    return {"x": rng.standard_normal(case.n, np.float32)}


def reference(x):
    return np.array([x.sum(dtype=np.float64)])


def bound(x):
    return np.array([1e-5 + 1e-5 * np.abs(x).sum(dtype=np.float64)])


def work(case):
    return {"flops": case.n, "bytes": 4 * case.n}


if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))
"""
PROMPT = """\
from harness.ask.prompt import ANSWER, CHAMPION, FAILURE, INSTRUCTIONS, MEMORY, PARENT, REMARKS, SCORES, SPECIALISTS
from harness.ask.prompt import TASK


def sections(context):
    return [TASK, SCORES, CHAMPION, SPECIALISTS, MEMORY, FAILURE, PARENT, REMARKS, INSTRUCTIONS, ANSWER]
"""
SPACE = """\
CHOICES = {"step": (1, 2, 4)}


def render(choices):
    step = choices["step"]
    sums = ", ".join(f"s{k} = 0" for k in range(step))
    adds = " ".join(f"s{k} += x[i + {k}];" for k in range(step))
    total = " + ".join(f"s{k}" for k in range(step))
    return (
        f"void total(float *out, const float *x, int n) {{\\n    float {sums};\\n    int i = 0;\\n"
        f"    for (; i + {step} <= n; i += {step}) {{ {adds} }}\\n    for (; i < n; i++) s0 += x[i];\\n"
        f"    *out = {total};\\n}}\\n"
    )
"""


def fenced(source: str) -> str:
    """An answer as a model gives it."""
    return f"Here it is.\n\n```c\n{source}```\n"


def write_total(folder: Path) -> Path:
    """The experiment `total`, in `folder`."""
    folder.mkdir(parents=True)
    seed_py = (ROOT / "linear" / "seed.py").read_text()
    texts = {
        "experiment.json": json.dumps(MANIFEST),
        "EXPERIMENT.md": f"# total\n\n    {MANIFEST['signature']}\n\nThe sum of `n` numbers.\n",
        "naive.c": SEED,
        "candidate.c": SEED,
        "eval.py": EVAL.replace("HOUSE", repr(str(ROOT))),
        "prompt.py": PROMPT,
        "security.py": "from harness.judge.gate import C_RULES\n\nRULES = C_RULES\n",
        "seed.py": seed_py.replace("str(Path(__file__).resolve().parents[1])", repr(str(ROOT))),
        "space.py": SPACE,
        ".gitignore": "runs/\n__pycache__/\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return folder


def git(where: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=where, check=True, capture_output=True, text=True).stdout


def make_repository(folder: Path, *, identity: bool = True) -> Path:
    """Everything in `folder` as the first commit of a repository."""
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    who = ("-c", "user.name=A. Tester", "-c", "user.email=tester@example.org")
    git(folder, *who, "commit", "-q", "-m", "start")
    if identity:
        git(folder, "config", "user.name", "A. Tester")
        git(folder, "config", "user.email", "tester@example.org")
    return folder


def write_replies(folder: Path, *replies: str) -> str:
    """A folder of recorded replies; returns what --model names it by."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, reply in enumerate(replies, start=1):
        (folder / f"{number:04d}.md").write_text(reply)
    return f"replay:{folder}"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without a key, a proxy or a git configuration of the user's."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "GIT_"))}
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "NO_PROXY": "*", "COLUMNS": "100"}
    return kept | quiet | changes


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A run that has ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def statuses(self) -> list[str]:
        return [line["status"] for line in self.lines if line["event"] == "attempt"]


def start(
    *arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, python: str | Path = PYTHON
) -> "subprocess.Popen[str]":
    """`python ARGUMENTS`, running."""
    return subprocess.Popen(
        [python, *map(str, arguments)],
        cwd=cwd,
        env=env or environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]", timeout_s: float = 60) -> Done:
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        if process.poll() is None:
            process.kill()
    return Done(code=process.returncode, out=out, err=err)


def loop(*arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, house: Path = ROOT) -> Done:
    """`python loop.py ARGUMENTS`, to its end."""
    return finish(start(house / "loop.py", *arguments, cwd=cwd, env=env))


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, by the kernel's own list."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *descendants(child)]
    return found


def is_alive(pid: int) -> bool:
    """A zombie is dead: it only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def journal(experiment: Path) -> Sequence[dict[str, Any]]:
    path = experiment / "runs" / "journal.jsonl"
    return journal_lines(path.read_bytes()) if path.is_file() else []


def journal_lines(text: bytes) -> list[dict[str, Any]]:
    """Its events, but for half a line at the end."""
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]


def kinds(experiment: Path) -> list[str]:
    return [event["kind"] for event in journal(experiment)]


def is_plain_error(done: Done) -> bool:
    """One error line, what belongs to it indented below, one hint line, exit 1."""
    first, *middle, last = done.err.splitlines() or ["", ""]
    shape = first.startswith("error: ") and last.startswith("hint: ") and all(line[:7].isspace() for line in middle)
    return done.code == 1 and shape


def interrupt(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)

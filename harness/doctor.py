"""What this machine has and lacks for a search, one line a check; changes nothing but the cache of our own tools."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import catalog, contract
from harness.ask.tokens import EXACT, TokenCounter
from harness.errors import HarnessError
from harness.judge import device, quiet, roofline, toolchain
from harness.judge.clock import Stop
from harness.judge.judge import Judge
from harness.judge.machine import cpu_info


@dataclass(frozen=True, slots=True)
class Check:
    """`needed` is whether a search cannot do without it."""

    name: str
    is_well: bool
    found: str
    needed: bool
    hint: str = ""


def examine(as_json: bool) -> tuple[str, bool]:
    """Every check as text, and whether all that is needed is there."""
    checks = list(_checks())
    is_well = all(check.is_well for check in checks if check.needed)
    if as_json:
        return json.dumps({"schema": 1, "well": is_well, "checks": [asdict(check) for check in checks]}), is_well
    lines = []
    for check in checks:
        mark = "ok  " if check.is_well else "FAIL" if check.needed else "note"
        lines.append(f"{mark}  {check.name:<12} {check.found}")
        if check.hint and not check.is_well:
            lines.append(f"      {'':<12} hint: {check.hint}")
    return "\n".join(lines), is_well


def _checks() -> Iterator[Check]:
    yield Check("python", True, platform.python_version(), True)
    for program in ("gcc", "git"):
        found = shutil.which(program)
        yield Check(program, found is not None, _first_line(program) if found else "not on the PATH", True,
                    f"install it: `apt-get install {program}` or your system's like.")  # fmt: skip
    is_linux = platform.system() == "Linux" and platform.machine() == "x86_64"
    yield Check("system", is_linux, f"{platform.system()} {platform.release()} {platform.machine()}", True,
                "C experiments are judged on x86-64 Linux.")  # fmt: skip
    if not is_linux:
        return
    allowed = os.sched_getaffinity(0)
    own = allowed - quiet.twins(max(allowed))
    yield Check("cores", bool(own), f"{len(allowed)}, {len(own)} beside the one that is measured on", False,
                "judge and candidate share a core: more noise.")  # fmt: skip
    yield Check("cpu", True, cpu_info().get("model name", "unknown"), False)
    gpu = device.cuda()
    yield Check("gpu", gpu is not None, str(gpu or "no CUDA device"), False,
                "what only a GPU can time is built and checked, and ends as `unmeasured`.")  # fmt: skip
    yield _cache()
    yield from _judge()
    key = bool(os.environ.get("OPENAI_API_KEY"))
    yield Check("key", key, "OPENAI_API_KEY is set" if key else "OPENAI_API_KEY is not set", False,
                "without one, the built-in proposer searches.")  # fmt: skip
    counted_by = TokenCounter().name
    yield Check("tokens", counted_by == EXACT, counted_by, False, "prompt sizes are estimated; nothing else changes.")


def _cache() -> Check:
    try:
        with tempfile.NamedTemporaryFile(dir=toolchain.cache_folder()) as file:
            return Check("cache", True, str(Path(file.name).parent), True)
    except (HarnessError, OSError) as fault:
        return Check("cache", False, str(fault), True, "set XDG_CACHE_HOME to a folder that can be written.")


def _judge() -> Iterator[Check]:
    """The whole of it: build the runner, load a seed, validate it, time it; and what of the sandbox the kernel gave."""
    try:
        judge = Judge(contract.load(catalog.locate("linear")), Stop())
    except HarnessError as fault:
        yield Check("judge", False, fault.message, True, fault.hint)
        return
    yield Check("judge", True, "built, loaded, validated and timed the seed of linear", True)
    found = (
        f"lacks {', '.join(judge.unguarded)}" if judge.unguarded else "no_new_privs, landlock, seccomp, no_timestamps"
    )
    yield Check("sandbox", not judge.unguarded, found, False, "candidates run with less around them; docs/security.md.")
    yield _ceiling()


def _ceiling() -> Check:
    """Measured anew: who doubts a share of the ceiling comes here."""
    try:
        return Check("ceiling", True, f"one core: {roofline.measure(Stop())}", True)
    except HarnessError as fault:
        return Check("ceiling", False, fault.message, True, fault.hint)


def _first_line(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return (done.stdout.splitlines() or ["?"])[0]

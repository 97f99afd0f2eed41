"""How soon the loop is under way: `--help` answered, and the first request sent, both from the start of the process.

The request is counted when a server on loopback has received it. Prints JSON lines, then a table; interleaved with a
bare interpreter and with `import openai` alone, which say how much of it is not ours.

    python benchmarks/startup.py
    python benchmarks/startup.py --runs 20
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from loopback import Answer, Loopback
from scratch import make_repository

LIMITS_S = {"--help": 0.3, "first request": 0.7}
# With byte code, which the first run writes and every later one finds; some containers forbid it.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(*arguments: str) -> float:
    started_s = time.monotonic()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True, cwd=ROOT, env=ENVIRONMENT)
    return time.monotonic() - started_s


def first_request_s(folder: Path) -> float:
    """From the start of `loop.py FOLDER --model …` to the arrival of its first request, in a repository that it may
    commit to."""
    with Loopback([Answer(status=401)]) as server:
        arguments = [str(folder), "--model", "loopback", "--base-url", server.base_url, "--plain"]
        started_s = time.monotonic()
        subprocess.run(
            [sys.executable, str(ROOT / "loop.py"), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT | {"OPENAI_API_KEY": "none"},
            check=False,
        )
        return server.requests[0].at_s - started_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    args = parser.parse_args()
    times: dict[str, list[float]] = {"bare python": [], "import openai": [], "--help": [], "first request": []}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "linear"
        shutil.copytree(ROOT / "linear", folder, ignore=shutil.ignore_patterns("runs"))
        make_repository(folder)
        first_request_s(folder)  # writes the byte code that every later run finds
        for _ in range(args.runs):
            times["bare python"].append(seconds("-c", "pass"))
            times["import openai"].append(seconds("-c", "import openai"))
            times["--help"].append(seconds("loop.py", "--help"))
            times["first request"].append(first_request_s(folder))
    for name, runs in times.items():
        print(
            json.dumps(
                {
                    "schema": 1,
                    "benchmark": "startup",
                    "what": name,
                    "median_s": statistics.median(runs),
                    "best_s": min(runs),
                }
            )
        )
    print(f"\n{'':<16}{'median s':>10}{'best s':>10}{'limit s':>10}")
    for name, runs in times.items():
        print(f"{name:<16}{statistics.median(runs):>10.3f}{min(runs):>10.3f}{LIMITS_S.get(name, float('nan')):>10.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

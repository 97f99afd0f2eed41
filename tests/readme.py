"""The results in README.md, as the SCORES.md of each experiment has them.

python tests/readme.py            writes them anew, after a search that is to be shown
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXPERIMENTS = ("linear", "attention")
_BLOCK = re.compile(r"(<!-- results (\w+) (\S+) -->\n).*?(<!-- /results -->)", re.DOTALL)


def shown() -> dict[str, tuple[str, str]]:
    """Of each experiment: the search that README.md shows, and what it shows of it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return {found[2]: (found[3], found[0]) for found in _BLOCK.finditer(readme)}


def search_of(experiment: str) -> str:
    return str(json.loads((ROOT / experiment / "SCORES.json").read_bytes())["search"])


def block(experiment: str) -> str:
    """The headline, the champion case by case, and how the attempts ended."""
    page = (ROOT / experiment / "SCORES.md").read_text(encoding="utf-8")
    headline = next(line for line in page.splitlines() if line.startswith("Best so far"))
    cases = page.split("## The best, case by case\n\n")[1].split("\n\n")[0].rstrip()
    counts = page.rstrip().splitlines()[-1]
    body = f"{headline}\n\n{cases}\n\n{counts}\n"
    return f"<!-- results {experiment} {search_of(experiment)} -->\n{body}<!-- /results -->"


def main() -> int:
    path = ROOT / "README.md"
    path.write_text(_BLOCK.sub(lambda found: block(found[2]), path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

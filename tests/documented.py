"""docs/events.md as data, and how real output differs from it: for the tests that have real output at hand."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "events.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"(?:^### (\w+)\n\n)?^```json\n(.*?)^```\n\n(.*?)\n(?:\n|\Z)", re.MULTILINE | re.DOTALL)
# Objects whose keys are data: names of cases, of files, of statuses and of a request's parameters.
MAPS = ("cases", "counts", "specialists", "files", "request")


def sections() -> dict[str, dict[str, tuple[dict[str, Any], list[str]]]]:
    """By section and event, `""` where there is but one: the example and the fields that its table explains."""
    return {
        name: {
            event: (json.loads(example), re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
            for event, example, table in EXAMPLE.findall(text + "\n")
        }
        for name, text in SECTION.findall(TEXT)
    }


def differences(section: str, lines: Iterable[Any], *, unseen: Iterable[str] = ()) -> list[str]:
    """What of real output is documented otherwise; events that are documented and did not come, but for `unseen`."""
    examples = sections()[section]
    found, seen = [], set(unseen)
    for line in lines:
        event = line.get("event", "")
        seen.add(event)
        if event not in examples:
            found.append(f"{event} is not documented")
            continue
        example = examples[event][0]
        found += _differs({"event": event, **example}, {"event": event, **line}, event or section)
    return found + [f"{event} never came" for event in examples if event not in seen]


def _differs(example: Any, real: Any, where: str) -> list[str]:
    if example is None or real is None:
        return []
    if isinstance(example, dict) and isinstance(real, dict):
        if where.rpartition(".")[2] in MAPS:
            return _differs([*example.values()], [*real.values()], where + ".*")
        wrong = [f"{where}.{key} is in one of them only" for key in sorted(example.keys() ^ real.keys())]
        return wrong + [
            part for key in example if key in real for part in _differs(example[key], real[key], f"{where}.{key}")
        ]
    if isinstance(example, list) and isinstance(real, list):
        return _differs(example[0], real[0], where + "[0]") if example and real else []
    kinds = ["number" if type(value) in (int, float) else type(value).__name__ for value in (example, real)]
    return [] if kinds[0] == kinds[1] else [f"{where} is {kinds[1]}, documented as {kinds[0]}"]

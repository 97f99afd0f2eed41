"""experiment.json as values: each key asked for once, with what it must be; every fault noted. Knows no key by name."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

MANIFEST = "experiment.json"
REQUIRED = object()  # the default of a key that must be there


class Manifest:
    """experiment.json, read with every fault noted beside the value that was found."""

    def __init__(self, folder: Path, faults: list[str]) -> None:
        self.folder, self.faults = folder, faults
        self.data: dict[str, Any] = {}
        self.is_read = False  # and until it is, no key of it is missing
        self._asked: set[str] = set()
        if (text := self.read(MANIFEST)) is None:
            return
        try:
            data = json.loads(text)
        except json.JSONDecodeError as fault:
            self.fault(f"line {fault.lineno} column {fault.colno}: {fault.msg}.")
            return
        if isinstance(data, dict):
            self.data, self.is_read = data, True
        else:
            self.fault(f"is a JSON {type(data).__name__}, must be an object.")

    def read(self, name: str) -> str | None:
        """A file of the folder, or None with a fault noted."""
        try:
            return (self.folder / name).read_text(encoding="utf-8")
        except OSError as fault:
            self.faults.append(f"{self.folder.name}/{name} cannot be read: {fault.strerror}.")
        except UnicodeDecodeError as fault:
            self.faults.append(f"{self.folder.name}/{name} is not UTF-8 at byte {fault.start}.")
        return None

    def fault(self, text: str) -> None:
        separator = " " if text.startswith(("is ", "line ")) else ": "
        self.faults.append(f"{self.folder.name}/{MANIFEST}{separator}{text}")

    def take(self, key: str, kind: type, allowed: Callable[[Any], Any], must: str, default: Any = REQUIRED) -> Any:
        """The value at a dotted key, or None with a fault noted; a key that has a default may be missing."""
        self._asked.add(key)
        value: Any = self.data
        for part in key.split("."):
            value = value.get(part, REQUIRED) if isinstance(value, dict) else REQUIRED
        if value is REQUIRED and default is not REQUIRED:
            return default
        if value is REQUIRED:
            if self.is_read:
                self.fault(f"{key} is missing, must be {must}.")
            return None
        right_kind = type(value) is kind or (kind is float and type(value) is int)
        if not right_kind or not allowed(value):
            self.fault(f"{key} is {json.dumps(value)}, must be {must}.")
            return None
        return value

    def number(self, key: str, kind: type, high: float, unit: str) -> Any:
        must = f"a {'whole ' if kind is int else ''}number of {unit}, > 0 and at most {high:g}"
        return self.take(key, kind, lambda value: 0 < value <= high, must)

    def file(self, key: str) -> str:
        must = "a file name in the experiment's own folder"
        return self.take(key, str, lambda value: bool(re.fullmatch(r"[\w-][\w.-]*", value)), must) or ""

    def texts(self, key: str, default: Any = REQUIRED) -> Sequence[str]:
        are_texts = "a list of texts"
        value = self.take(key, list, lambda items: all(isinstance(item, str) for item in items), are_texts, default)
        return tuple(value or ())

    def refuse_unknown(self) -> None:
        """To be called last: a key that nobody has asked for is most likely one mistyped."""
        self._refuse_unknown(self.data, "")

    def _refuse_unknown(self, data: Mapping[str, Any], prefix: str) -> None:
        for key, value in data.items():
            name = prefix + key
            is_group = any(one.startswith(f"{name}.") for one in self._asked)
            if is_group and isinstance(value, dict):
                self._refuse_unknown(value, f"{name}.")
            elif is_group:
                self.fault(f"{name} is {json.dumps(value)}, must be an object.")
            elif name not in self._asked:
                near = get_close_matches(name, self._asked, n=1)
                self.fault(f"{name} is not known{f'; did you mean {near[0]}?' if near else '.'}")

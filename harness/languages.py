"""How each language's sources are read: one Protocol, offered by source.py, python_source.py and
cuda_source.py."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from harness import cuda_source, python_source, source
from harness.source import Function, SourceUnit


class Reader(Protocol):
    """What may be asked of a source in any language; source.py says what each answer means."""

    def parse(self, source: str, /) -> SourceUnit: ...
    def parse_signature(self, text: str, /) -> Function: ...
    def normalise(self, source: str, /) -> str: ...
    def digest(self, source: str, /) -> str: ...


READERS: Mapping[str, Reader] = MappingProxyType({"c": source, "python": python_source, "cuda": cuda_source})

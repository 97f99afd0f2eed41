"""The corpus as tests read it: one C file a cheat, and in its first line what it is and what must become of it.

    // row: 2; judged: forbidden; gains: faster; data: small

`row` is the kind of cheat; `judged` lists the statuses that the judge may give; `gains` says what the cheat gets from a
naive harness; `data`, where it is not "plain", which of that harness's inputs it needs. Files in aimed/ attack this
judge's own runner and gain nothing elsewhere.
"""

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROWS = range(1, 28)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheat:
    """One file of the corpus."""

    path: Path
    row: int
    judged: tuple[str, ...]
    gains: str
    data: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")


def read(path: Path) -> Cheat:
    with path.open(encoding="utf-8") as file:
        header = file.readline().lstrip("/# ")
    said = {key.strip(): value.strip() for key, _, value in (part.partition(":") for part in header.split(";"))}
    return Cheat(
        path=path,
        row=int(said["row"]),
        judged=tuple(said["judged"].split(", ")),
        gains=said["gains"],
        data=said.get("data", "plain"),
    )


CORPUS = [read(path) for path in sorted(HERE.glob("c/*.c"))]
AIMED = [read(path) for path in sorted(HERE.glob("aimed/*.c"))]

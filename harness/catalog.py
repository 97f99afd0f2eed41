"""Which experiments there are, and the folder that a name or a path stands for. Opens none of them."""

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from harness.contract import ROOT
from harness.errors import ContractError
from harness.manifest import MANIFEST


def names(root: Path = ROOT) -> list[str]:
    """Every experiment that can be called by name: at the top level, then under `experiments/`."""
    folders = [*root.iterdir(), *(root / "experiments").glob("*")]
    return sorted(folder.name for folder in folders if (folder / MANIFEST).is_file())


def locate(name: str, root: Path = ROOT, also: Sequence[str] = ()) -> Path:
    """The folder that a name or a path stands for; `also` are words that may have been meant instead."""
    folders = [Path(name)]
    if "/" not in name and not name.startswith("."):
        folders[:0] = root / name, root / "experiments" / name
    for folder in folders:
        if (folder / MANIFEST).is_file():
            return folder.resolve()
    if name in also:
        raise ContractError(f"{name} stands behind an option.", f"the verb comes first: python loop.py {name} …")
    if Path(name).is_dir():
        raise ContractError(
            f"{name}: there is no {MANIFEST} in this folder.", "docs/add-an-experiment.md shows the smallest contract."
        )
    known = names(root)
    near = get_close_matches(name, [*known, *also], n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known) or 'none'}; a path works too."
    raise ContractError(f"there is no experiment {name!r}.", hint)

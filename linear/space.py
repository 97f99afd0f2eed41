"""The search space of the built-in proposer: named choices, and the C source of `linear` that each point prints.

The sums run along `in_features`, which lies contiguous in both operands: a tile of `tile_rows` rows of x against
`tile_cols` rows of weight keeps a vector of partial sums for each pair. Where there are many rows, weight may be packed
into a panel on the stack instead, output beside output: so many rows of x then meet so many vectors of it. The C text
is in space.c.jinja. This module knows what can be written, not what is fast: it neither measures nor draws points.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

CHOICES: dict[str, tuple[str | int, ...]] = {
    "isa": ("scalar", "avx2", "avx512"),
    "tile_rows": (1, 2, 3, 4, 5, 6, 8),
    "tile_cols": (1, 2, 3, 4, 5, 6, 8),
    "lone_cols": (1, 2, 3, 4, 5, 6, 8),
    "leftover_rows": ("one_by_one", "together"),
    "unroll": (1, 2, 4),
    "split": (1, 2, 4),
    "reduction": ("each", "by_four"),
    "bias": ("ternary", "split"),
    "loops": ("rows_outer", "outputs_outer"),
    "block_outputs": (0, 32, 64, 128, 256),
    "panel": ("none", "4x2", "6x2", "8x2", "8x3", "12x2"),
    "panel_depth": (128, 256, 512),
    "traversal": ("index", "pointers"),
    "tail": ("scalar", "masked"),
    "prefetch": ("none", "next_outputs"),
}

# An FMA takes about four cycles: with fewer sums than this in flight the unit waits for itself.
_IN_FLIGHT = 4
# Rows from which each number of a panel is used often enough to be worth packing.
_PACK_FROM = 16
# Products in the loop of a tile, and in those of all its leftovers: beyond this the text grows and the speed does not.
_LONGEST_BODY, _LONGEST_LEFTOVERS = 96, 192


@dataclass(frozen=True, slots=True, kw_only=True)
class _Isa:
    """How one instruction set spells the few operations of a tile: format strings over C expressions."""

    cpu_flags: frozenset[str]
    width: int
    registers: int
    vector: str
    load: str
    load_tail: str
    total: str
    tail: str


_ISAS = {
    "scalar": _Isa(
        cpu_flags=frozenset(), width=1, registers=16, vector="float", load="{}", load_tail="", total="{}", tail="",
    ),
    "avx2": _Isa(
        cpu_flags=frozenset({"avx2", "fma"}), width=8, registers=16, vector="__m256", load="_mm256_loadu_ps(&{})",
        load_tail="_mm256_maskload_ps(&{}, tail)", total="total({})",
        tail="__m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);\n"
        "        const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n - i)), lanes)",
    ),
    "avx512": _Isa(
        cpu_flags=frozenset({"avx512f"}), width=16, registers=32, vector="__m512", load="_mm512_loadu_ps(&{})",
        load_tail="_mm512_maskz_loadu_ps(tail, &{})", total="_mm512_reduce_add_ps({})",
        tail="__mmask16 tail = (__mmask16)(n - i < 16 ? (1u << (n - i)) - 1 : 0xFFFF)",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    """A register tile: its size, the partial sums of each output, and the vectors taken at each turn of the loop."""

    rows: int
    cols: int
    split: int
    unroll: int

    @property
    def name(self) -> str:
        return f"tile_{self.rows}x{self.cols}"

    @property
    def pointers(self) -> list[str]:
        """The variables that walk along the rows of x and of weight."""
        return [f"x{row}" for row in range(self.rows)] + [f"w{col}" for col in range(self.cols)]

    def sums(self, row: int, part: int = 0) -> list[str]:
        """The variables of one row's sums, one for each output."""
        return [f"s{row}{col}" + (f"_{part}" if part else "") for col in range(self.cols)]


def available(name: str, value: str | int, cpu_flags: Set[str]) -> bool:
    """Whether this CPU can run what `value` prints."""
    return name != "isa" or _ISAS[str(value)].cpu_flags <= cpu_flags


def valid(choices: Mapping[str, str | int]) -> bool:
    """Whether the point makes sense: it fits the registers, and no choice in it is without effect."""
    rows, cols, unroll, split = _shape(choices)
    isa, lone_cols = _ISAS[str(choices["isa"])], int(choices["lone_cols"])
    scalar = isa.width == 1
    without_effect = (
        (rows == 1 and lone_cols != cols)
        or (rows <= 2 and choices["leftover_rows"] == "together")
        or (scalar and (choices["tail"] == "masked" or choices["prefetch"] != "none"))
        or (choices["block_outputs"] and (rows == 1 or choices["loops"] != "rows_outer"))
        or (choices["reduction"] == "by_four" and (scalar or max(cols, lone_cols) < 4))
    )
    fits = rows * cols * split + min(rows, cols) + 1 <= isa.registers
    leftovers = rows * (rows - 1) // 2 * cols * unroll if choices["leftover_rows"] == "together" else 0
    short = rows * cols * unroll <= _LONGEST_BODY and leftovers <= _LONGEST_LEFTOVERS
    return fits and short and unroll % split == 0 and not without_effect and _packs_well(choices, isa)


def _packs_well(choices: Mapping[str, str | int], isa: _Isa) -> bool:
    """Whether a panel, where there is one, fits the registers; without one nothing is said of its depth."""
    rows, vectors = _panel(choices)
    if not rows:
        return choices["panel_depth"] == CHOICES["panel_depth"][0]
    return isa.width > 1 and int(choices["tile_rows"]) > 1 and (rows + 1) * vectors + 1 <= isa.registers


def _panel(choices: Mapping[str, str | int]) -> tuple[int, int]:
    """The rows of x that meet a panel at once, and its vectors; nothing where weight is not packed."""
    rows, _, vectors = str(choices["panel"]).partition("x")
    return (int(rows), int(vectors)) if vectors else (0, 0)


def render(choices: Mapping[str, str | int]) -> str:
    """The complete C source of a valid point."""
    rows, cols, unroll, split = _shape(choices)
    bands = {rows: [_Tile(rows=rows, cols=cols, split=split, unroll=unroll), _edge(rows, 1, unroll)]}
    if choices["leftover_rows"] == "together":
        bands |= {height: [_edge(height, cols, unroll), _edge(height, 1, unroll)] for height in range(2, rows)}
    if rows > 1:
        bands[1] = [_edge(1, int(choices["lone_cols"]), unroll), _edge(1, 1, unroll)]
    bands = {height: band[:1] if band[0].cols == 1 else band for height, band in bands.items()}
    panel_rows, panel_vectors = _panel(choices)
    panel = {"panel_rows": panel_rows, "panel_vectors": panel_vectors, "pack_from": _PACK_FROM}
    return _template().render(choices, op=_ISAS[str(choices["isa"])], bands=bands, **panel)


def _shape(choices: Mapping[str, str | int]) -> tuple[int, int, int, int]:
    return int(choices["tile_rows"]), int(choices["tile_cols"]), int(choices["unroll"]), int(choices["split"])


def _edge(rows: int, cols: int, unroll: int) -> _Tile:
    """A tile for what the full one leaves over, its sums split until enough of them are in flight."""
    split = 1
    while rows * cols * split < _IN_FLIGHT:
        split *= 2
    return _Tile(rows=rows, cols=cols, split=split, unroll=max(split, unroll))


@cache
def _template() -> Template:
    """Compiled when first printed: a search that asks a model pays nothing for it."""
    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(
        Path(__file__).with_name("space.c.jinja").read_text(encoding="utf-8")
    )

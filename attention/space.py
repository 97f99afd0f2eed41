"""The search space of the built-in proposer: named choices, and the C source of `attention` that each point prints.

The keys that may be seen are listed once a sequence, and `ends` says how many of them each query sees: all masks are
in these two, and no loop looks at one. A tile of `rows` queries then takes its scores, turns them into weights and sums
the values, over all keys at once (two passes) or block by block (online softmax). The C text is in space.c.jinja. This
module knows what can be written, not what is fast: it neither measures nor draws points.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

LONGEST = 1024  # tokens: a block of that many keys is all of them

CHOICES: dict[str, tuple[str | int, ...]] = {
    "isa": ("scalar", "avx2", "avx512"),
    "key_list": ("always", "if_masked"),
    "leftover_rows": ("one_by_one", "overlap"),
    "order": ("queries_outer", "keys_outer"),
    "scores": ("outer", "dot"),
    "pack": ("plain", "blocks"),
    "diagonal": ("per_key", "per_row", "masked"),
    "exp": ("libm", "base_e_5", "base_e_6", "base_2_5", "base_2_6"),
    "key_block": (32, 64, 128, 256, LONGEST),
    "score_unroll": (1, 2, 4),
    "value_unroll": (1, 2, 4),
    "score_cols": (1, 2, 3, 4, 6),
    "value_cols": (1, 2, 3, 4, 8),
    "rows": (1, 2, 3, 4, 6, 8, 12),
}

# Products in the loop of a tile: beyond this the text grows and the speed does not.
_LONGEST_BODY = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Isa:
    """How one instruction set spells the few operations: format strings over C expressions. A tail is a mask of the
    lanes before a number."""

    cpu_flags: frozenset[str]
    width: int
    registers: int
    vector: str
    all_floor: str
    load: str
    store: str
    max: str
    most: str
    total: str
    tail: str = ""
    load_tail: str = ""
    store_tail: str = ""
    floor_beyond: str = ""
    zero_beyond: str = ""
    round: str = ""
    scaled: str = ""


_ISAS = {
    "scalar": _Isa(
        cpu_flags=frozenset(), width=1, registers=16, vector="float", all_floor="FLOOR", load="{}", store="{} = {}",
        max="{0} > top ? {0} : top", most="top", total="{}",
    ),
    "avx2": _Isa(
        cpu_flags=frozenset({"avx2", "fma"}), width=8, registers=16, vector="__m256",
        all_floor="_mm256_set1_ps(FLOOR)", load="_mm256_loadu_ps(&{})", store="_mm256_storeu_ps(&{}, {})",
        max="_mm256_max_ps({}, top)", most="most(top)", total="total({})",
        tail="const __m256i tail = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)({})), "
        "_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))",
        load_tail="_mm256_maskload_ps(&{}, tail)", store_tail="_mm256_maskstore_ps(&{}, tail, {})",
        floor_beyond="_mm256_blendv_ps(_mm256_set1_ps(FLOOR), {}, _mm256_castsi256_ps(tail))",
        zero_beyond="_mm256_and_ps({}, _mm256_castsi256_ps(tail))",
        round="_mm256_round_ps({}, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)",
        scaled="_mm256_and_ps(_mm256_cmp_ps(x, _mm256_set1_ps({}f), _CMP_NLT_UQ),\n        p * _mm256_castsi256_ps("
        "_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)))",
    ),
    "avx512": _Isa(
        cpu_flags=frozenset({"avx512f"}), width=16, registers=32, vector="__m512",
        all_floor="_mm512_set1_ps(FLOOR)", load="_mm512_loadu_ps(&{})", store="_mm512_storeu_ps(&{}, {})",
        max="_mm512_max_ps({}, top)", most="_mm512_reduce_max_ps(top)", total="_mm512_reduce_add_ps({})",
        tail="const __mmask16 tail = (__mmask16)((1u << ({})) - 1)",
        load_tail="_mm512_maskz_loadu_ps(tail, &{})", store_tail="_mm512_mask_storeu_ps(&{}, tail, {})",
        floor_beyond="_mm512_mask_blend_ps(tail, _mm512_set1_ps(FLOOR), {})",
        zero_beyond="_mm512_maskz_mov_ps(tail, {})",
        round="_mm512_roundscale_ps({}, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)",
        scaled="_mm512_maskz_scalef_ps(_mm512_cmp_ps_mask(x, _mm512_set1_ps({}f), _CMP_NLT_UQ), p, n)",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """A polynomial without its constant term, which is 1, for base to the r where |r| is at most half a binary digit.
    `approximation`: how far it is from that at most, before rounding, as a part of the result."""

    base: str
    coefficients: tuple[float, ...]
    approximation: float
    low: float

    @property
    def says(self) -> str:
        return f"degree {len(self.coefficients)}, off by {self.approximation:.1e}, and the roundings"

    @property
    def error(self) -> str:
        """With the roundings: of the reduced argument, of the last two steps, and less of those before."""
        return f"{self.approximation + 4 * 2.0**-24:.1e}"


POWERS = {
    "base_e_5": Power(base="e", low=-87.0, approximation=1.0e-7, coefficients=(
        0.999999702, 0.499991506, 0.166676372, 0.0418979749, 0.00829030667)),
    "base_e_6": Power(base="e", low=-87.0, approximation=1.8e-8, coefficients=(
        1.0, 0.49999994, 0.166664317, 0.0416680016, 0.00837416388, 0.00138436444)),
    "base_2_5": Power(base="2", low=-126.0, approximation=1.1e-7, coefficients=(
        0.693147004, 0.240222424, 0.0555073358, 0.00967151299, 0.00132647273)),
    "base_2_6": Power(base="2", low=-126.0, approximation=1.7e-8, coefficients=(
        0.693147182, 0.240226477, 0.0555033237, 0.00961843692, 0.0013398875, 0.00015353362)),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tile:
    """A register tile: queries by vectors (or keys), and how many times round each of its loops goes at once."""

    rows: int
    cols: int
    unroll: int

    @property
    def turns(self) -> list[int]:
        return [self.unroll, 1] if self.unroll > 1 else [1]

    def name(self, what: str) -> str:
        return f"{what}_{self.rows}x{self.cols}"

    def sums(self, row: int) -> list[str]:
        """The variables of one row's sums."""
        return [f"s{row}_{col}" for col in range(self.cols)]


def available(name: str, value: str | int, cpu_flags: Set[str]) -> bool:
    """Whether this CPU can run what `value` prints."""
    if name == "isa":
        return _ISAS[str(value)].cpu_flags <= cpu_flags
    return value != "masked" or "avx512f" in cpu_flags


def valid(choices: Mapping[str, str | int]) -> bool:
    """Whether the point makes sense: it fits the registers, and no choice in it is without effect."""
    rows, isa, exp = int(choices["rows"]), _ISAS[str(choices["isa"])], choices["exp"]
    scores, values = int(choices["score_cols"]), int(choices["value_cols"])
    outer, vectors, online = choices["scores"] == "outer", isa.width > 1, int(choices["key_block"]) < LONGEST
    written = (
        (vectors or exp == "libm")
        and (choices["diagonal"] != "masked" or isa.width == 16)
        and (choices["pack"] == "plain" or (vectors and outer))
        and (choices["order"] == "queries_outer" or online)
        and (choices["leftover_rows"] == "one_by_one" or choices["order"] == "queries_outer")
    )
    without_effect = rows == 1 and (choices["diagonal"] != "per_key" or choices["leftover_rows"] == "overlap")
    scores_loads = scores if outer else min(rows, scores) + 1
    fits = max(rows * scores + scores_loads, rows * values + values) + 1 <= isa.registers
    bodies = rows * scores * int(choices["score_unroll"]), rows * values * int(choices["value_unroll"])
    return written and fits and max(bodies) <= _LONGEST_BODY and not without_effect


def render(choices: Mapping[str, str | int]) -> str:
    """The complete C source of a valid point."""
    op, heights = _ISAS[str(choices["isa"])], list(dict.fromkeys((int(choices["rows"]), 1)))
    scores, values = (
        [
            _Tile(rows=height, cols=cols, unroll=int(choices[f"{what}_unroll"]))
            for height in heights
            for cols in dict.fromkeys((int(choices[f"{what}_cols"]), 1))
        ]
        for what in ("score", "value")
    )
    tails = [_Tile(rows=height, cols=1, unroll=1) for height in heights if op.width > 1]
    return _template().render(
        choices,
        op=op,
        powers=POWERS,
        heights=heights,
        score_tiles=scores,
        value_tiles=[*((tile, False) for tile in values), *((tile, True) for tile in tails)],
    )


@cache
def _template() -> Template:
    """Compiled when first printed: a search that asks a model pays nothing for it."""
    # A line that ends in a backslash goes on in the next one, in the text that is printed as well.
    source = Path(__file__).with_name("space.c.jinja").read_text(encoding="utf-8").replace("\\\n", "")
    return Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(source)

"""The search space of the built-in proposer: named choices, and the C source of `linear` that each point prints.

The sums run along `in_features`, which lies contiguous in both operands: a tile of `tile_rows` rows of x against
`tile_cols` rows of weight keeps a vector of partial sums for each pair. This module knows what can be written, not
what is fast: it neither measures nor draws points.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from jinja2 import Environment, StrictUndefined

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
    "traversal": ("index", "pointers"),
    "tail": ("scalar", "masked"),
    "prefetch": ("none", "next_outputs"),
}

# An FMA takes about four cycles: with fewer sums than this in flight the unit waits for itself.
_IN_FLIGHT = 4
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
        or (choices["reduction"] == "by_four" and (scalar or max(cols, lone_cols) < 4))
    )
    fits = rows * cols * split + min(rows, cols) + 1 <= isa.registers
    leftovers = rows * (rows - 1) // 2 * cols * unroll if choices["leftover_rows"] == "together" else 0
    short = rows * cols * unroll <= _LONGEST_BODY and leftovers <= _LONGEST_LEFTOVERS
    return fits and short and unroll % split == 0 and not without_effect


def render(choices: Mapping[str, str | int]) -> str:
    """The complete C source of a valid point."""
    rows, cols, unroll, split = _shape(choices)
    bands = {rows: [_Tile(rows=rows, cols=cols, split=split, unroll=unroll), _edge(rows, 1, unroll)]}
    if choices["leftover_rows"] == "together":
        bands |= {height: [_edge(height, cols, unroll), _edge(height, 1, unroll)] for height in range(2, rows)}
    if rows > 1:
        bands[1] = [_edge(1, int(choices["lone_cols"]), unroll), _edge(1, 1, unroll)]
    bands = {height: band[:1] if band[0].cols == 1 else band for height, band in bands.items()}
    return _TEMPLATE.render(choices, op=_ISAS[str(choices["isa"])], bands=bands)


def _shape(choices: Mapping[str, str | int]) -> tuple[int, int, int, int]:
    return int(choices["tile_rows"]), int(choices["tile_cols"]), int(choices["unroll"]), int(choices["split"])


def _edge(rows: int, cols: int, unroll: int) -> _Tile:
    """A tile for what the full one leaves over, its sums split until enough of them are in flight."""
    split = 1
    while rows * cols * split < _IN_FLIGHT:
        split *= 2
    return _Tile(rows=rows, cols=cols, split=split, unroll=max(split, unroll))


_SOURCE = r"""{% set inline = "static inline __attribute__((always_inline))\n" if bias == "split" else "static " %}
{% set operands = "float *out, const float *x, const float *weight, const float *bias" %}
{# One element of x or weight, `step` elements on from where the loop stands. #}
{% macro at(name, row, step) -%}
    {%- if traversal == "pointers" -%}
        {{ name[0] ~ row }}[{{ step }}]
    {%- else -%}
        {{ name }}[{{ row ~ " * n + " if row }}i{{ " + " ~ step if step }}]
    {%- endif -%}
{%- endmacro %}
{# A loop along n: each time round, `turns` vectors of every row are multiplied and added to the sums. #}
{% macro along_n(tile, turns, load, masked) %}
{% set step = op.width * turns %}
{% if masked %}
    for (; i < n; i += {{ step }}) {
        const {{ op.tail }};
{% else %}
    for (; i + {{ step }} <= n; i += {{ step }}) {
{% endif %}
{% if prefetch != "none" and tile.rows == 1 and not masked %}
{% for line in range(0, step, 16) %}{% for col in range(tile.cols) %}
        _mm_prefetch((const char *)(&{{ at("weight", col, line) }} + {{ tile.cols }} * n), _MM_HINT_T0);
{% endfor %}{% endfor %}
{% endif %}
{% for turn in range(turns) %}{% for row in range(tile.rows) %}
        a{{ row }} = {{ load.format(at("x", row, turn * op.width)) }};
{% endfor %}
{% for col in range(tile.cols) %}
        b = {{ load.format(at("weight", col, turn * op.width)) }};
{% for row in range(tile.rows) %}
        {{ tile.sums(row, turn % tile.split)[col] }} += a{{ row }} * b;
{% endfor %}{% endfor %}{% endfor %}
{% if traversal == "pointers" %}
{% for pointer in tile.pointers %}
        {{ pointer }} += {{ step }};
{% endfor %}{% endif %}
    }
{% endmacro %}
{# For each tile of a band the loop over the outputs; the caller writes its body. #}
{% macro over_outputs(band) %}
{% for tile in band %}
    for (; o + {{ tile.cols }} <= m; o += {{ tile.cols }})
{{ caller(tile, "x, weight + o * n, bias ? bias + o : 0, n" ~ (", m" if tile.rows > 1)) -}}
{% endfor %}
{% endmacro %}
{% if isa != "scalar" %}
#include <immintrin.h>

{% endif %}
{% if isa == "avx2" %}
static inline float total(__m256 v) {
    __m128 s = _mm256_castps256_ps128(v) + _mm256_extractf128_ps(v, 1);
    s += _mm_movehl_ps(s, s);
    return _mm_cvtss_f32(s + _mm_movehdup_ps(s));
}

{% endif %}
{% if reduction == "by_four" %}
/* The totals of four vectors, side by side. */
static inline __m128 sum_four({{ op.vector }} a, {{ op.vector }} b, {{ op.vector }} c, {{ op.vector }} d) {
{% if isa == "avx2" %}
    __m256 s = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
{% else %}
    __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b));
    __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d));
    __m512 t = _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)) + _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd));
    __m256 s = _mm512_castps512_ps256(t + _mm512_shuffle_f32x4(t, t, 0xEE));
{% endif %}
    return _mm256_castps256_ps128(s) + _mm256_extractf128_ps(s, 1);
}

{% endif %}
{% for tile in bands.values() | sum(start=[]) %}
/* {{ tile.rows }} of x by {{ tile.cols }} of weight{{ ", %d sums for each output" % tile.split if tile.split > 1 }}. */
{{ inline }}void {{ tile.name }}({{ operands }}, long n{{ ", long m" if tile.rows > 1 }}) {
{% if traversal == "pointers" %}
{% for pointer in tile.pointers %}
    const float *{{ pointer }} = {{ "x" if pointer[0] == "x" else "weight" }} + {{ pointer[1:] }} * n;
{% endfor %}
{% endif %}
{% for row in range(tile.rows) %}{% for part in range(tile.split) %}
    {{ op.vector }} {{ tile.sums(row, part) | join(" = {0}, ") }} = {0};
{% endfor %}{% endfor %}
    {{ op.vector }} {% for row in range(tile.rows) %}a{{ row }}, {% endfor %}b;
    long i = 0;
{{ along_n(tile, tile.unroll, op.load, false) -}}
{% if tail == "masked" or tile.unroll > 1 %}
{{ along_n(tile, 1, op.load_tail if tail == "masked" else op.load, tail == "masked") -}}
{% endif %}
{% for row in range(tile.rows) %}{% for part in range(1, tile.split) %}{% for sum in tile.sums(row) %}
    {{ sum }} += {{ sum }}_{{ part }};
{% endfor %}{% endfor %}{% endfor %}
{% for row in range(tile.rows) %}
{% set sums, fours = tile.sums(row), tile.cols // 4 * 4 if reduction == "by_four" else 0 %}
{% set base = "out[" ~ (row ~ " * m + " if row) %}
{% for col in range(0, fours, 4) %}
    __m128 b{{ row }}_{{ col }} = bias ? _mm_loadu_ps(&bias[{{ col }}]) : _mm_setzero_ps();
    _mm_storeu_ps(&{{ base }}{{ col }}], sum_four({{ sums[col:col + 4] | join(", ") }}) + b{{ row }}_{{ col }});
{% endfor %}
{% for col in range(fours, tile.cols) %}
    {{ base }}{{ col }}] = {{ op.total.format(sums[col]) }} + (bias ? bias[{{ col }}] : 0.0f);
{% endfor %}{% endfor %}
{% if tail == "scalar" and isa != "scalar" %}
    for (; i < n; i++) {
        for (long c = 0; c < {{ tile.cols }}; c++) {
{% for row in range(tile.rows) %}
            out[{{ row ~ " * m + " if row }}c] += x[{{ row ~ " * n + " if row }}i] * weight[c * n + i];
{% endfor %}
        }
    }
{% endif %}
}

{% endfor %}
{% for height, band in bands.items() if height != tile_rows or loops == "rows_outer" %}
/* {{ height }} of x by the whole weight. */
{{ inline }}void band_{{ height }}({{ operands }}, long n, long m) {
    long o = 0;
{% call(tile, arguments) over_outputs(band) %}
        {{ tile.name }}(out + o, {{ arguments }});
{% endcall %}
}

{% endfor %}
{{ inline }}void every_row({{ operands }}, long rows, long n, long m) {
{% if loops == "rows_outer" %}
    long r = 0;
    for (; r + {{ tile_rows }} <= rows; r += {{ tile_rows }})
        band_{{ tile_rows }}(out + r * m, x + r * n, weight, bias, n, m);
{% else %}
    long r = rows - rows % {{ tile_rows }}, o = 0;
{% call(tile, arguments) over_outputs(bands[tile_rows]) %}
        for (long t = 0; t < r; t += {{ tile_rows }})
            {{ tile.name }}(out + t * m + o, x + t * n{{ arguments[1:] }});
{% endcall %}
{% endif %}
{% if leftover_rows == "together" %}
    switch (rows - r) {
{% for height in bands if height != tile_rows %}
    case {{ height }}:
        band_{{ height }}(out + r * m, x + r * n, weight, bias, n, m);
        break;
{% endfor %}
    }
{% elif tile_rows > 1 %}
    for (; r < rows; r++)
        band_1(out + r * m, x + r * n, weight, bias, n, m);
{% endif %}
}

void linear({{ operands }}, int rows,
            int in_features, int out_features) {
{% if bias == "split" %}
    if (bias)
        every_row(out, x, weight, bias, rows, in_features, out_features);
    else
        every_row(out, x, weight, 0, rows, in_features, out_features);
{% else %}
    every_row(out, x, weight, bias, rows, in_features, out_features);
{% endif %}
}
"""

_TEMPLATE = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True).from_string(_SOURCE)

"""How numbers, tables and other people's words are put: the wording that all pages and views share. Pure.

What candidates, models and compilers said is quoted as data: on one line, without anything that Markdown would act on.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from harness.records import CaseResult, Estimate, Status, Usage

QUOTE_CHARS = 200
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_ACTIVE = re.compile(r"([\\`*_\[\]<>|#~$])")


def duration(seconds: float | None, unit: str = "s") -> str:
    """Three digits in the unit that suits: `12.3 µs`; a number of another unit as it is, `0.9312`."""
    if seconds is None:
        return "unknown"
    if unit != "s":
        return f"{seconds:.6g} {unit}".strip()
    size, unit = next((pair for pair in _UNITS if seconds >= pair[0] * 0.9995), _UNITS[-1])
    value = seconds / size
    return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"


def gain(ratio: float) -> str:
    """`x1.076`: how many times as fast as the seed."""
    return f"x{ratio:.3f}" if ratio < 10 else f"x{ratio:.4g}"


def percent(share: float) -> str:
    """`62 %`, with a digit more where it is small."""
    return f"{100 * share:.{0 if share >= 0.0995 else 1}f} %"


def cost(usage: Usage) -> str:
    """`$0.42`, `about $0.42` where tokens were estimated, `unknown` where a price is not known."""
    if usage.cost_usd is None:
        return "unknown"
    digits = 2 if usage.cost_usd == 0 or usage.cost_usd >= 0.1 else 4
    return f"{'about ' if usage.estimated else ''}${usage.cost_usd:.{digits}f}"


@lru_cache(maxsize=1024)
def quote(text: str) -> str:
    """Somebody else's words as inline code on one line. Remembered: a page repeats most of the one before."""
    line = " ".join(_printable(text[: 2 * QUOTE_CHARS]).replace("`", "'").split())
    return f"`{line if len(line) <= QUOTE_CHARS else line[: QUOTE_CHARS - 1] + '…'}`" if line else "(nothing said)"


def escape(text: str) -> str:
    """Words that belong in a sentence or a table, with nothing left that Markdown would act on."""
    return _ACTIVE.sub(r"\\\1", " ".join(_printable(text).split()))


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)


def table(names: Sequence[str], aligned: str, rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([table_head(names, aligned), *map(table_row, rows), ""])


def table_head(names: Sequence[str], aligned: str) -> str:
    return table_row(names) + "\n" + table_row(["--:" if side == "r" else ":--" for side in aligned])


def table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_interval(estimate: Estimate) -> str:
    return f"{gain(estimate.ratio)} [{estimate.low:.3f}, {estimate.high:.3f}]"


def plain(status: Status) -> str:
    return status.replace("_", " ")


def counts(counts: Mapping[str, int], last_attempt: int) -> str:
    counted = [f"{counts[status]} {plain(status)}" for status in reversed(Status) if counts.get(status)]
    return f"{last_attempt} attempts: {', '.join(counted)}.\n" if counted else "No attempts yet.\n"


def rates(result: CaseResult) -> tuple[str, str, str]:
    """Work done in a nanosecond, arithmetic and bytes that have to be moved at least; and the share of the machine's
    ceiling that it comes to; nothing where that is not known."""
    if not (result.flops or result.bytes):
        return "", "", ""
    gflops, gbytes = (f"{work / result.median_s / 1e9:.3g}" for work in (result.flops, result.bytes))
    return gflops, gbytes, "" if result.of_ceiling is None else percent(result.of_ceiling)

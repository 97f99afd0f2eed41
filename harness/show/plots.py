"""The picture of a search: every attempt a dot, the champion a staircase. Pure: scores in, SVG out, to the byte.

Its colours stand on white and on black alike, and nothing is drawn behind them.
"""

import io
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from harness.keep.scores import Scores, Step
from harness.records import Status
from harness.show.words import gain

_GREY, _BLUE, _ORANGE = "#8b949e", "#3f8cff", "#e8702a"
_SIZE_INCHES = (8.0, 3.2)
_LOWEST = 0.1
_NICE = (0.1, 0.2, 0.5, 0.7, 1, 1.2, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 200, 500, 1000)
_STYLE: Any = {
    "svg.hashsalt": "search",  # the ids of clip paths are random without it
    "svg.fonttype": "none",
    "path.simplify": False,  # a dot is a line of no length, which simplifying would drop
    "font.family": "sans-serif",
    "font.size": 9.0,
}


def search_svg(scores: Scores) -> str:
    # matplotlib takes longer to import than the whole loop to start, and most runs of it draw nothing.
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    steps = list(scores.steps())
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE_INCHES)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.075, 0.13, 0.92, 0.84))
        _frame(axes, steps, scores.last_attempt)
        _dots(axes, steps)
        _staircase(axes, steps, scores)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _frame(axes: Any, steps: Sequence[Step], last: int) -> None:
    """Only what is needed to read a value: a few names on the axes, and the seed's line."""
    ratios = [_ratio(step) for step in steps if step.speedup is not None]
    low, high = min([*ratios, 0.9]), max([*ratios, 1.2])
    room = (high / low) ** 0.08
    axes.set(xlim=(0, max(last, 10) * 1.08), yscale="log", ylim=(low / room**2, high * room))
    ticks = _ticks(low, high)
    axes.set_yticks(ticks, [f"x{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.set_xlabel("attempt", color=_GREY)
    axes.set_ylabel("speed over the seed", color=_GREY)
    axes.tick_params(colors=_GREY, length=0)
    axes.xaxis.get_major_locator().set_params(integer=True, nbins=6)
    axes.spines[:].set_visible(False)
    axes.axhline(1.0, color=_GREY, linewidth=0.6)
    axes.text(1, 1.0, "seed", transform=axes.get_yaxis_transform(), color=_GREY, ha="right", va="top")


def _ticks(low: float, high: float) -> list[float]:
    inside = [tick for tick in _NICE if low <= tick <= high]
    apart = max(0.18, math.log(high / low) / 6)
    ticks = [1.0]
    for tick in sorted(inside, key=lambda value: abs(math.log(value))):
        if all(abs(math.log(tick / other)) >= apart for other in ticks):
            ticks.append(tick)
    return sorted(ticks)


def _dots(axes: Any, steps: Sequence[Step]) -> None:
    measured = [step for step in steps if step.speedup is not None]
    losers = [(step.number, _ratio(step)) for step in measured if not (step.status and step.status.is_winner)]
    winners = [(step.number, _ratio(step)) for step in measured if step.status and step.status.is_winner]
    _scatter(axes, losers, color=_GREY, linewidth=3.2, alpha=0.75)
    _scatter(axes, winners, color=_BLUE, linewidth=4.6)
    untimed = [(step.number, 0.0) for step in steps if step.speedup is None and step.status is not None]
    if untimed:
        ground = axes.get_xaxis_transform()
        _scatter(axes, untimed, color=_GREY, linewidth=2.2, alpha=0.6, transform=ground)
        axes.text(1, 0, "not timed", transform=axes.transAxes, color=_GREY, ha="right", va="center")


def _scatter(axes: Any, points: Iterable[tuple[int, float]], **style: Any) -> None:
    """Dots as lines of no length with round ends: all of one kind are then one short path of the SVG."""
    xs = [value for x, _ in points for value in (x, x, math.nan)]
    ys = [value for _, y in points for value in (y, y, math.nan)]
    axes.plot(xs, ys, solid_capstyle="round", clip_on=False, **style)


def _staircase(axes: Any, steps: Sequence[Step], scores: Scores) -> None:
    best = list(_levels(steps))
    if not best:
        return
    corners = [(0, 1.0), *best, (scores.last_attempt, best[-1][1])]
    xs = [x for (left, _), (right, _) in pairwise(corners) for x in (left, right)]
    ys = [y for (_, level), _ in pairwise(corners) for y in (level, level)]
    axes.plot(xs, ys, color=_ORANGE, linewidth=1.6, solid_joinstyle="miter", zorder=1.5)
    champion = scores.champion
    # Its height ranks it among the dots; its name is what the page beside the picture says of it.
    name = gain(champion.speedup.ratio if champion and champion.speedup else best[-1][1])
    right = axes.get_yaxis_transform()
    axes.text(1, best[-1][1], name, transform=right, color=_ORANGE, weight="bold", ha="right", va="center")


def _levels(steps: Sequence[Step]) -> Iterator[tuple[int, float]]:
    """Where the staircase turns: a new champion, and the champion as it was measured again."""
    begun = False
    for step in steps:
        if step.status is Status.BEST and step.speedup is not None:
            begun = True
            yield step.number, _ratio(step)
        if begun and step.champion_again is not None:
            yield step.number, max(step.champion_again, _LOWEST)


def _ratio(step: Step) -> float:
    return max(step.speedup or 0.0, _LOWEST)

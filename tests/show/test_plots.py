import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from harness.keep.scores import Scores
from harness.records import Attempt, Status
from harness.show.plots import search_svg
from keep.samples import attempt, search

ROOT = Path(__file__).parents[2]
DRAW = """
from keep.samples import search
from harness.keep.scores import Scores
from harness.show.plots import search_svg
scores = Scores(search="s1", experiment="linear")
for one in search(60): scores.fold(one)
print(search_svg(scores), end="")
"""


def _scores(*attempts: Attempt) -> Scores:
    scores = Scores(search="s1", experiment="linear")
    for one in attempts:
        scores.fold(one)
    return scores


def _dots(svg: str, colour: str) -> int:
    """How many dots there are in a colour: lines of no length, each begun by a move."""
    dots = 0
    for path in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}path"):
        if f"stroke: {colour}" in path.get("style", "") and "stroke-linecap: round" in path.get("style", ""):
            dots += path.get("d", "").count("M")
    return dots


def _words(svg: str) -> set[str]:
    return {
        "".join(text.itertext()).strip()
        for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }


def test_the_same_state_gives_the_same_bytes_in_another_process() -> None:
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))), "PYTHONHASHSEED": "7"}
    drawn = subprocess.run([sys.executable, "-c", DRAW], env=environ, capture_output=True, check=True).stdout
    assert drawn.decode() == search_svg(_scores(*search(60)))


def test_scores_that_went_through_their_file_give_the_same_picture() -> None:
    scores = _scores(*search(60))
    assert search_svg(Scores.from_json(scores.to_json())) == search_svg(scores)


def test_every_attempt_is_a_dot() -> None:
    svg = search_svg(_scores(*search(200)))
    assert _dots(svg, "#8b949e") + _dots(svg, "#3f8cff") == 200


def test_winners_have_a_colour_of_their_own() -> None:
    svg = search_svg(_scores(attempt(1, Status.SLOWER), attempt(2, Status.BEST, 1.3), attempt(3, Status.ACCEPTED, 1.2)))
    assert _dots(svg, "#3f8cff") == 2


def test_the_champion_is_named_with_its_gain() -> None:
    assert "x1.534" in _words(search_svg(_scores(attempt(1, Status.BEST, 1.534))))


def test_a_search_of_failures_only_is_drawn_too() -> None:
    words = _words(search_svg(_scores(attempt(1, Status.WRONG), attempt(2, Status.CRASHED))))
    assert {"not timed", "seed"} <= words


def test_a_search_that_has_not_begun_is_drawn_too() -> None:
    assert "seed" in _words(search_svg(_scores()))


def test_the_axis_names_speeds_as_factors() -> None:
    words = _words(search_svg(_scores(attempt(1, Status.BEST, 40.0), attempt(2, Status.SLOWER, 0.2))))
    assert {"x1", "x10"} <= words


def test_nothing_in_the_picture_tells_when_or_where_it_was_drawn() -> None:
    svg = search_svg(_scores(attempt(1, Status.BEST, 1.5)))
    assert "date" not in svg and "Matplotlib v" not in svg

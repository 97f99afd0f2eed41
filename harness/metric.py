"""A metric that a command prints: what a contract says of it, and how one number of it compares with another.

Runs nothing and reads no file.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

MINIMIZE, MAXIMIZE = "minimize", "maximize"
STDOUT = "stdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`line` is run by a shell in a copy of the folder `copied`, with the candidate at `place` in it; the last
    `metric: number` line of the file `output`, or of standard output, is what counts."""

    line: str
    copied: str
    place: str
    output: str
    metric: str
    goal: str
    unit: str

    @property
    def tells(self) -> str:
        return telling(self.metric, self.output)

    def log_ratio(self, ours: float, theirs: float) -> float:
        """Below 0 where ours is better, as with times, whatever the goal."""
        ratio = math.log(ours) - math.log(theirs)
        return -ratio if self.goal == MAXIMIZE else ratio


def read_command(take: Callable[..., Any], candidate_file: str) -> Command:
    """What stands under `command`; `take` notes the faults."""
    inside = "a path inside of the folder that is copied"
    return Command(
        line=take("command.run", str, lambda text: text.strip() and "\n" not in text, "one command line"),
        copied=take("command.copy", str, is_inside, "a folder inside of the experiment's", "."),
        place=take("command.place", str, is_inside, inside, candidate_file),
        output=take("command.output", str, is_inside, f"{STDOUT}, or {inside}", STDOUT),
        metric=take("command.metric", str, is_name, "the name before the colon"),
        goal=take("command.goal", str, lambda text: text in (MINIMIZE, MAXIMIZE), f"{MINIMIZE} or {MAXIMIZE}"),
        unit=take("command.unit", str, str.isprintable, "a unit, or nothing", ""),
    )


def telling(metric: str, output: str) -> str:
    """What a command does with its number, in the words of a task."""
    line = f"`{metric}: number`"
    return f"prints {line}" if output == STDOUT else f"writes {line} to `{output}`"


def is_inside(text: str) -> bool:
    path = PurePosixPath(text)
    return bool(text) and "\0" not in text and not path.is_absolute() and ".." not in path.parts


def is_name(text: str) -> bool:
    return bool(text) and text == text.strip() and text.isprintable() and ":" not in text

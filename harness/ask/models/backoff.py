"""How often a request that failed is tried again, and how long to wait before it. Pure but for the draw of the jitter.

Knows no SDK and no endpoint: a server's wish comes in as the headers of its answer.
"""

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

LONGEST_WAIT_S = 30.0
LONGEST_WISH_S = 600.0


class Tries(IntEnum):
    """How many times a request is tried where it fails in this way."""

    ONCE = 1
    TOO_LATE = 2  # each costs its whole time limit, and was billed, most likely
    NOT_THERE = 3  # a server that is not running, a name that is not known: the user is waiting to hear of it
    TORN = 4  # a reply that broke off was billed, most likely
    BUSY = 7

    @property
    def were_billed(self) -> bool:
        return self in (Tries.TOO_LATE, Tries.TORN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Each wait is twice the one before, with half of it left to chance, so that many requests do not come back at
    once. `answer_s` is how long one try may take, `connect_s` its connection."""

    retries: int = Tries.BUSY - 1
    first_wait_s: float = 1.0
    answer_s: float = 600.0
    connect_s: float = 10.0

    def wait_s(self, failures: int, wish_s: float | None) -> float:
        """The wait after so many failures; what the server wished is never cut short."""
        if wish_s is not None:
            return wish_s + random.uniform(0.0, min(0.1 * wish_s, 1.0))
        longest_s = min(self.first_wait_s * 2 ** (failures - 1), LONGEST_WAIT_S)
        return random.uniform(longest_s / 2, longest_s)


def wish_s(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, in seconds or as a date; None where it asks for nothing that can be read."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text)
    return seconds if 0 <= seconds < float("inf") else None


def _until(text: str) -> float:
    date = email.utils.parsedate_tz(text)
    try:
        return email.utils.mktime_tz(date) - time.time() if date else -1.0
    except (ValueError, OverflowError):  # a year that no calendar has
        return -1.0

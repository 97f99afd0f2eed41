"""How often something was tried and what came of it, as memory counts it; ranks and words nothing."""

from dataclasses import dataclass, fields
from typing import Any

from harness.records import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often something was tried, how often that could be measured, and how often it won."""

    tried: int = 0
    measured: int = 0
    won: int = 0
    last_attempt: int = 0

    def counts(self) -> list[int]:
        return [self.tried, self.measured, self.won, self.last_attempt]

    def add(self, attempt: Attempt) -> "Tally":
        return Tally(
            tried=self.tried + 1,
            measured=self.measured + (not attempt.status.is_failure),
            won=self.won + attempt.status.is_winner,
            last_attempt=attempt.number,
        )


def open_tallies(data: Any) -> Any:
    """The short lists of numbers that tallies are saved as, spelled out for `from_json`, which also checks them."""
    if not isinstance(data, dict):
        return data
    names = [item.name for item in fields(Tally)]
    return {key: dict(zip(names, item, strict=False)) if isinstance(item, list) else item for key, item in data.items()}


def drop_least(tallies: dict[str, Tally], cap: int, spared: set[str]) -> None:
    """Back to the cap: what was tried least goes first, of equals the oldest; what is spared stays."""
    excess = len(tallies) - cap
    if excess > 0:
        order = sorted((tally.tried, tally.last_attempt, name) for name, tally in tallies.items() if name not in spared)
        for _, _, name in order[:excess]:
            del tallies[name]

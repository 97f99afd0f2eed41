"""What the command runs: packs some instances with `packing.py`, the candidate, and prints how many bins it took."""

import random
import sys

from packing import pack  # type: ignore[import-not-found]  # put here for the run

CAPACITY = 100
KINDS = {"small": (1, 30), "large": (20, 70), "mixed": (1, 100), "thirds": (25, 50)}


def fault(sizes: list[int], bins: list[list[int]]) -> str:
    """What is wrong with a packing."""
    if sorted(place for one in bins for place in one) != list(range(len(sizes))):
        return "not every item is in exactly one bin"
    if not all(bins):
        return "a bin is empty"
    fullest = max((sum(sizes[place] for place in one) for one in bins), default=0)
    return f"a bin holds {fullest}, more than {CAPACITY}" if fullest > CAPACITY else ""


def main() -> int:
    rng, total = random.Random(7), 0
    for kind, (low, high) in KINDS.items():
        used = 0
        for count in (0, 1, 2, 40, 120):
            sizes = [rng.randint(low, high) for _ in range(count)]
            bins = pack(list(sizes), CAPACITY)
            if wrong := fault(sizes, bins):
                print(f"{kind}, {count} items: {wrong}", file=sys.stderr)
                return 1
            used += len(bins)
        print(f"{kind}: {used}")
        total += used
    print(f"bins: {total}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A neighbour on the other core: it works and rests in bursts of random length, until it is told to end.

Run by aa.py and power.py as a process of its own, on the core that the judge does not give to the runner.

    python benchmarks/neighbour.py
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

BURST_S = (0.005, 0.15)
BYTES = 16 << 20  # far more than the caches that a core has for itself


@contextmanager
def neighbour() -> Iterator[None]:
    """Such a process, while it lasts."""
    with subprocess.Popen([sys.executable, __file__]) as process:
        try:
            yield
        finally:
            process.kill()


def main() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:-1] or [0])
    content = np.zeros(BYTES, np.uint8)
    parent = os.getppid()
    while os.getppid() == parent:  # whose end is ours, however it came
        until_s = time.monotonic() + random.uniform(*BURST_S)
        while time.monotonic() < until_s:
            content += 1
        time.sleep(random.uniform(*BURST_S))


if __name__ == "__main__":
    main()

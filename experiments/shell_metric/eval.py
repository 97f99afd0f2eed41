"""What `shell_metric` is judged by: the command in experiment.json. `python experiments/shell_metric/eval.py` judges
the current candidate alone, without a model."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from harness.judge.verdict import accept  # what counts as a winner: the house's own idea

__all__ = ["accept"]

if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))

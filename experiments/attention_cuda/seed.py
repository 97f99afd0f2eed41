"""A fresh search: `python experiments/attention_cuda/seed.py [--from COMMIT]`. Git history and winners/ stay."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

if __name__ == "__main__":
    from loop import main

    sys.exit(main(["seed", str(Path(__file__).parent), *sys.argv[1:]]))

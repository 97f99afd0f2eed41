"""The corpus of cheats that need a CUDA device, as tests read it: headers as in corpus_python.py.

`gains` is what a naive harness would give them; there is none for a device, so nothing here shows that it does.
"""

from cheats.corpus import HERE, Cheat, read

ROWS = (28, 29, 31, 32, 33, 34, 38, 39, 40, 41, 44)
CORPUS: list[Cheat] = [read(path) for path in sorted(HERE.glob("cuda/*.py"))]

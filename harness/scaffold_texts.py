"""The files of a new experiment that read alike for every command. Text in, text out."""

from collections.abc import Mapping
from string import Template

from harness.metric import STDOUT, telling

_TASK = Template("""\
# $name

The function `$function` of `$source`: make `$metric` as $extreme as it can be.

    $signature

`$command` runs it and $tells. A command that fails, or takes longer than $timeout s, is a function
that fails. What the function is for and what its callers rely on, the source says.
""")
_EVAL = Template('''\
"""What `$name` is judged by: the command in experiment.json. Run, it judges the current candidate alone."""

import sys
from pathlib import Path

sys.path.insert(0, $house)

from harness.judge.verdict import accept  # what counts as a winner: the house's own idea

__all__ = ["accept"]

if __name__ == "__main__":
    from loop import main

    sys.exit(main(["judge", str(Path(__file__).parent), *sys.argv[1:]]))
''')
_SEED = Template('''\
"""A fresh search: `python seed.py [--from COMMIT]`. Git history and winners/ stay."""

import sys
from pathlib import Path

sys.path.insert(0, $house)

if __name__ == "__main__":
    from loop import main

    sys.exit(main(["seed", str(Path(__file__).parent), *sys.argv[1:]]))
''')
_PROMPT = Template('''\
"""What a model is told about `$name`, and in what order."""

from harness.ask.command_prompt import ANSWER, PARENT, RULES, SCORES, TASK
from harness.ask.prompt import CHAMPION, FAILURE, INSTRUCTIONS, MEMORY, Context, Section


def sections(context: Context) -> list[Section]:
    return [TASK, RULES, SCORES, CHAMPION, MEMORY, FAILURE, PARENT, INSTRUCTIONS, ANSWER]
''')
_SECURITY = {
    "python": '''\
"""What a candidate may contain: its one function, as the signature has it. It runs in no sandbox."""

from harness.judge.python_gate import one_target

RULES = (one_target,)
''',
    "c": '''\
"""What a candidate may contain: no rules yet. It runs in no sandbox."""

RULES = ()
''',
}


def texts(words: Mapping[str, str], language: str, house: str) -> dict[str, str]:
    """By name of file. `words`: name, function, source, metric, extreme, signature, command, timeout, and output if it
    is a file; `house` is the expression in Python for where this house is."""
    tells = telling(words["metric"], words.get("output", STDOUT))
    return {
        "EXPERIMENT.md": _TASK.substitute(words, tells=tells),
        "eval.py": _EVAL.substitute(words, house=house),
        "seed.py": _SEED.substitute(house=house),
        "prompt.py": _PROMPT.substitute(words),
        "security.py": _SECURITY[language],
        ".gitignore": "runs/\n__pycache__/\n",
    }

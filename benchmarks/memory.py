"""What memory is worth: attempts that a search saves by it, and failures that a forgetful model does not repeat.

First: how many attempts the built-in proposer needs to come within 5 % of the best point of `landscape.json`, told of
every trial and told of none; the second arm draws blindly, though never a point twice. The table was timed once, by
`landscape.py`, over a part of linear's search space; nothing is timed here.

Second: a model on the loopback interface that remembers nothing. For every answer it draws one of twenty ideas, of
which twelve fail, each in its own way; an idea whose failure its prompt tells of it leaves and draws again. The loop,
the prompt and the memory are real; the evaluator is a stand-in that costs nothing. In the second arm the prompt lacks
the sections of memory on failures, and nothing else. Prints JSON lines, then a table.

    python benchmarks/memory.py
    python benchmarks/memory.py --seeds 5
"""

import argparse
import asyncio
import json
import random
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from overhead import Watch

from harness import contract
from harness.ask.models.builtin import Builtin
from harness.ask.models.openai import OpenAI
from harness.ask.prompt import MEMORY, Context, Section
from harness.ask.proposer import Exhausted, Request
from harness.ask.rendering import Prompt
from harness.contract import Experiment
from harness.judge.clock import Stop
from harness.judge.verdict import Prepared, Rivals, Standings
from harness.keep.budget import Budget
from harness.records import Choices, Parent, Status, Trial, Verdict
from harness.search import Options, Search
from loop import search
from loopback import Loopback, Received

WITHIN = 0.95
SEEDS, ATTEMPTS = 20, 100
CAUSES = (
    "the bias is added twice", "the tail is left out", "the last row is left out", "rows and columns are swapped",
    "reads before the first weight", "reads past the last weight", "writes past the last output", "a NULL bias is read",
    "an aligned load of an unaligned array", "an unknown intrinsic", "a missing header", "a variable nobody declared",
)  # fmt: skip
IDEAS = 20
_IDEA = re.compile(r"enum \{ attempt_\d+ = (\d+) \};")
_ON_FAILURES = re.compile(r"^## (?:Rules learnt from|What keeps failing).*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


class Table:
    """The recorded landscape as a search space, and what each of its points is worth."""

    def __init__(self) -> None:
        recorded = json.loads((ROOT / "benchmarks" / "landscape.json").read_text(encoding="utf-8"))
        self.machine, self.on, self.names = recorded["machine"], recorded["on"], recorded["choices"]
        self.speedups = {tuple(row[:-1]): row[-1] for row in recorded["points"]}
        self.best = max(self.speedups.values())
        columns = zip(*self.speedups, strict=True)
        self.choices = {
            name: tuple(sorted(set(column), key=lambda value: (isinstance(value, str), value)))
            for name, column in zip(self.names, columns, strict=True)
        }

    def speedup(self, choices: Choices) -> float | None:
        return self.speedups.get(tuple(choices[name] for name in self.names))

    def experiment(self, experiment: Experiment) -> Experiment:
        space = SimpleNamespace(
            CHOICES=self.choices,
            render=lambda choices: "",
            valid=lambda choices: self.speedup(choices) is not None,
        )
        return replace(experiment, space=cast(ModuleType, space))


def needed(table: Table, experiment: Experiment, seed: int, *, remembers: bool) -> int:
    """The number of the first attempt that comes near the best."""
    builtin = Builtin(experiment, seed)
    trials: list[Trial] = []
    nothing = Prompt(text="", tokens=0, counted_by="", dropped=())
    parent = Parent(ref="seed", source="")
    for number in range(1, len(table.speedups) + 1):
        told = trials if remembers else ()
        request = Request(number=number, parent=parent, prompt=nothing, experiment=experiment, trials=told)
        choices = asyncio.run(builtin.propose(request)).choices
        assert choices is not None
        speedup = table.speedup(choices)
        assert speedup is not None
        if speedup >= WITHIN * table.best:
            return number
        trials.append(Trial(choices=choices, status=Status.SLOWER, speedup=speedup, number=number))
    raise Exhausted("the table has no such point.")


class Reads:
    """A verdict by the idea that a source names, at no cost; counts failures of a kind that came before."""

    def __init__(self) -> None:
        self.failed: list[int] = []

    def prepare(self, source: str, objects: Mapping[str, str]) -> Prepared:
        return Prepared(source=source)

    def measure(self, prepared: Prepared, rivals: Rivals, standings: Standings, alpha: float) -> Verdict:
        found = _IDEA.search(prepared.source)
        idea = int(found[1]) if found else IDEAS
        if idea >= len(CAUSES):
            return Verdict(status=Status.TIE, reason="no difference from the champion that could be shown")
        self.failed.append(idea)
        return Verdict(status=Status.WRONG, reason=f"case {len(self.failed)}: {CAUSES[idea]}")

    def remeasure(self, source: str, champion: str | None) -> Verdict:
        raise NotImplementedError("the search of this benchmark never moves to another machine")

    @property
    def repeated(self) -> int:
        return len(self.failed) - len(set(self.failed))


def forgetful(seed: int, source: str) -> Callable[[Received], str]:
    """The model: draws until it has an idea whose failure the prompt does not tell of."""
    rng = random.Random(seed)
    asked = 0

    def answer(request: Received) -> str:
        nonlocal asked
        asked += 1
        prompt = request.body["messages"][-1]["content"]
        ideas = [idea for idea in range(IDEAS) if idea >= len(CAUSES) or CAUSES[idea] not in prompt]
        return f"Another idea.\n\n```c\nenum {{ attempt_{asked} = {rng.choice(ideas)} }};\n{source}```\n"

    return answer


def silent(sections: Callable[[Context], list[Section]], context: Context) -> list[Section]:
    """An experiment's sections, with what memory says of failures left out."""
    kept = _ON_FAILURES.sub("", context.memory)
    told = MEMORY.template.replace('{{ memory | fenced("text") }}', f"{{% raw %}}{kept}{{% endraw %}}")
    assert told != MEMORY.template
    return [replace(one, template=told) if one.name == MEMORY.name else one for one in sections(context)]


def repeats(seed: int, attempts: int, *, tells_failures: bool) -> int:
    """How many of so many attempts failed as an earlier one had."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "linear"
        kept_out = ("runs", "winners", "__pycache__", "SCORES.*", "MEMORY.*")
        shutil.copytree(ROOT / "linear", folder, ignore=shutil.ignore_patterns(*kept_out))
        experiment = contract.load(folder)
        if not tells_failures:
            experiment = replace(experiment, sections=partial(silent, experiment.sections))
        judge = Reads()

        def free(given: Experiment, stop: Stop) -> Reads:
            return judge

        with Loopback(forgetful(seed, experiment.seed_path.read_text(encoding="utf-8"))) as server:
            proposer = OpenAI("forgetful", base_url=server.base_url, key=None, temperature=None, seed=None)
            options = Options(budget=Budget(attempts=attempts), commit=False)
            asyncio.run(search(Search(experiment, proposer, options, free), Watch()))
        return judge.repeated


def row(what: str, arm: str, counts: list[int]) -> Mapping[str, object]:
    return {
        "schema": 1,
        "benchmark": "memory",
        "what": what,
        "memory": arm,
        "median": statistics.median(counts),
        "mean": statistics.fmean(counts),
        "worst": max(counts),
        "each": counts,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"searches an arm ({SEEDS})")
    parser.add_argument("--attempts", type=int, default=ATTEMPTS, help=f"of a forgetful model's search ({ATTEMPTS})")
    args = parser.parse_args()
    table = Table()
    experiment = table.experiment(contract.load(ROOT / "linear"))
    seeds, rows = range(args.seeds), []
    for arm, is_with in (("with", True), ("without", False)):
        found = [needed(table, experiment, seed, remembers=is_with) for seed in seeds]
        rows.append(row("attempts to within 5 % of the best", arm, found))
        print(json.dumps(rows[-1]), flush=True)
    for arm, is_with in (("with", True), ("without", False)):
        again = [repeats(seed, args.attempts, tells_failures=is_with) for seed in seeds]
        rows.append(row(f"repeated failures in {args.attempts} attempts", arm, again))
        print(json.dumps(rows[-1]), flush=True)
    near = sum(speedup >= WITHIN * table.best for speedup in table.speedups.values())
    print(f"\n{near} of {len(table.speedups)} points are that near; timed on {table.on}, {table.machine}")
    print(f"{'':<36}{'memory':>10}{'median':>10}{'mean':>10}{'worst':>10}")
    for one in rows:
        print(f"{one['what']:<36}{one['memory']:>10}{one['median']:>10.1f}{one['mean']:>10.1f}{one['worst']:>10}")
    ratio, of_means = (float(str(rows[0][key])) / float(str(rows[1][key])) for key in ("median", "mean"))
    verdict = "met" if ratio <= 0.5 else "MISSED"
    print(f"target: at most half the attempts, by the medians: {ratio:.2f} (by the means: {of_means:.2f}), {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

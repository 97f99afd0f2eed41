"""The prompt of each experiment in the middle of a made-up search, as `tests/golden/` holds it for people to read.

python tests/prompts.py            writes tests/golden/ anew, after a change that was meant
"""

import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []

from harness import catalog, contract
from harness.ask.prompt import Context, failure_chars, memory_chars
from harness.ask.rendering import render
from harness.ask.tokens import TokenCounter
from harness.contract import Experiment
from harness.keep.beginning import known_values
from harness.keep.memory import Memory
from harness.keep.scores import Scores
from harness.records import Attempt, Parent, Status
from harness.show.briefing import last_failure, parent_note, parent_times, standings
from harness.show.remembered import memory_md
from harness.variety import standstill
from keep.samples import MACHINE, attempt, search

GOLDEN = ROOT / "tests" / "golden"
EXPERIMENTS = ("attention", "attention_cuda", "linear")
_SPECIALIST, _ATTEMPTS = 61, 75
_FACTS = {"cpu": "Example CPU", "isa": "AVX2", "cores": "2", "compiler": "gcc 12.2.0", "L1d": "32K", "L2": "1024K"}
_KINDS = {
    "avx": "isa",
    "scalar": "isa",
    "unrolled": "unrolling",
    "accum": "accumulators",
    "bias": "bias",
    "": "traversal",
}
_REMARKS = ("    8 | for (int i = 0; i < n; i++) { -- loop vectorized using 32 byte vectors",)

_DIAGNOSTICS = ("candidate.c:3:5: error: 'sum' undeclared", "    3 |     sum += x[i];", "      |     ^~~")


def of_cases(made: Attempt, experiment: Experiment, machine: str = MACHINE) -> Attempt:
    """The same attempt, at the cases of another experiment and on another machine, its tags with their kinds."""
    names = [case.name for case in experiment.evaluation.cases]
    verdict = made.verdict
    cases = dict(zip(names, verdict.cases.values(), strict=False))
    held = (names[-1],) if verdict.specialist_of else ()
    candidate = made.candidate
    if candidate:
        kinds = tuple(next(kind for word, kind in _KINDS.items() if word in tag) for tag in candidate.tags)
        made = replace(made, candidate=replace(candidate, kinds=kinds))
    return replace(made, verdict=replace(verdict, cases=cases, specialist_of=held, machine=machine))


def golden(name: str) -> str:
    """The prompt that an attempt from a specialist would get after a plateau."""
    experiment = contract.load(catalog.locate(name))
    memory, scores = Memory(search="s", known=known_values(experiment)), Scores(search="s", experiment=name)
    idle = (attempt(n) for n in range(_SPECIALIST + 1, _ATTEMPTS + 1))
    for one in (*search(_SPECIALIST - 1), attempt(_SPECIALIST, Status.SPECIALIST, 1.4, odd=2.5), *idle):
        made = of_cases(one, experiment)
        memory.fold(made)
        scores.fold(made)
    failed = attempt(_ATTEMPTS, Status.BUILD_FAILED, reason=_DIAGNOSTICS[0])
    failed = replace(failed, verdict=replace(failed.verdict, detail="\n".join(_DIAGNOSTICS)))
    seed = experiment.seed_path.read_text(encoding="utf-8")
    context = Context(
        experiment=experiment,
        number=_ATTEMPTS + 1,
        parent=Parent(ref=str(_SPECIALIST), source=seed),
        parent_note=parent_note(scores, str(_SPECIALIST)),
        parent_times=parent_times(scores, str(_SPECIALIST), MACHINE),
        remarks=_REMARKS,
        champion=Parent(ref=str(scores.champion_attempt), source=f"{experiment.signature} {{\n    /* ... */\n}}\n"),
        memory=memory_md(memory, scores, memory_chars(experiment)),
        failure=last_failure(failed, _ATTEMPTS + 1, failure_chars(experiment)),
        scores=standings(scores, MACHINE, str(_SPECIALIST)),
        machine=_FACTS,
        standstill=standstill(scores, memory),
    )
    return render(experiment, context, TokenCounter()).text + "\n"


if __name__ == "__main__":
    for name in EXPERIMENTS:
        (GOLDEN / f"{name}.md").write_text(golden(name), encoding="utf-8")

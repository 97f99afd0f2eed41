"""The prompt of each experiment in the middle of a made-up search, as `tests/golden/` holds it for people to read.

python tests/prompts.py            writes tests/golden/ anew, after a change that was meant
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)] if str(ROOT) not in sys.path else []

from harness import catalog, contract
from harness.ask.prompt import Context, Specialist, failure_chars, memory_chars
from harness.ask.rendering import render
from harness.ask.tokens import TokenCounter
from harness.contract import Experiment
from harness.judge.machine import Machine
from harness.keep.beginning import known_values
from harness.keep.memory import Memory
from harness.keep.scores import Scores
from harness.prompting import machine_facts
from harness.records import Attempt, CaseResult, Parent, Status
from harness.show.briefing import ahead, last_failure, parent_note, parent_times, standings
from harness.show.remembered import memory_md
from harness.variety import standstill
from keep.samples import MACHINE, attempt, search

GOLDEN = ROOT / "tests" / "golden"
EXPERIMENTS = ("attention", "attention_cuda", "hello_world", "linear", "shell_metric", "swish_triton")
_EARLIER, _SPECIALIST, _ATTEMPTS = "30", 61, 75
_BUILT_BY = {"c": "gcc 12.2.0", "cuda": "nvcc 12.4", "python": "Python 3.11.2 torch 2.13.0"}
_CACHES, _DEVICE = {"L1d": "32K", "L2": "1024K"}, "Example GPU (sm_90, driver API 12.4)"
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
    if cases:
        cases[names[-1]] = verdict.cases["odd"]
    if experiment.command:
        cases = {name: _as_metric(case) for name, case in cases.items()}
    held = (names[-1],) if verdict.specialist_of else ()
    candidate = made.candidate
    if candidate:
        kinds = tuple(next(kind for word, kind in _KINDS.items() if word in tag) for tag in candidate.tags)
        made = replace(made, candidate=replace(candidate, kinds=kinds))
    return replace(made, verdict=replace(verdict, cases=cases, specialist_of=held, machine=machine))


def _as_metric(case: CaseResult) -> CaseResult:
    """A number of the size that a command prints, in place of microseconds, and no arithmetic."""
    median, low, high, seed = (round(1e6 * each, 1) for each in (case.median_s, case.low_s, case.high_s, case.seed_s))
    metric = replace(case, median_s=median, low_s=low, high_s=high, seed_s=seed)
    return replace(metric, flops=0.0, bytes=0.0, ceiling_s=0.0)


def _facts(experiment: Experiment) -> Mapping[str, str]:
    built_by = _BUILT_BY[experiment.language]
    machine = Machine(cpu="Example CPU", isa="AVX2", cores=2, kernel="6.1", compiler=built_by)
    return machine_facts(experiment, machine, _CACHES, _DEVICE)


def golden(name: str) -> str:
    """The prompt that an attempt from an earlier winner would get after a plateau."""
    experiment = contract.load(catalog.locate(name))
    memory, scores = Memory(search="s", known=known_values(experiment)), Scores.fresh(experiment, "s")
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
        parent=Parent(ref=_EARLIER, source=seed),
        parent_note=parent_note(scores, _EARLIER),
        parent_times=parent_times(scores, _EARLIER, MACHINE),
        remarks=_REMARKS,
        champion=Parent(ref=str(scores.champion_attempt), source=f"{experiment.signature}\n    ...\n"),
        specialists=[
            Specialist(version=Parent(ref=str(number), source=f"{experiment.signature}\n    ...\n"), where=where)
            for number, where in ahead(scores, MACHINE).items()
        ],
        memory=memory_md(memory, scores, memory_chars(experiment)),
        failure=last_failure(failed, _ATTEMPTS + 1, failure_chars(experiment)),
        scores=standings(scores, MACHINE, _EARLIER),
        machine=_facts(experiment),
        standstill=standstill(scores, memory),
    )
    return render(experiment, context, TokenCounter()).text + "\n"


if __name__ == "__main__":
    for name in EXPERIMENTS:
        (GOLDEN / f"{name}.md").write_text(golden(name), encoding="utf-8")

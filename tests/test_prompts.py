"""What reaches a model: the prompt of each experiment against its golden file, and of long searches by its contents.

`python tests/prompts.py` writes the golden files anew.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

import scratch
from harness import catalog, contract
from harness.ask.prompt import memory_chars
from harness.ask.tokens import estimate
from harness.contract import Experiment
from harness.judge.machine import fingerprint
from harness.keep.beginning import known_values
from harness.keep.memory import Memory
from harness.keep.scores import Scores
from harness.records import Attempt, Status
from harness.show.briefing import last_failure
from keep.samples import attempt, search
from loopback import Loopback
from prompts import EXPERIMENTS, GOLDEN, golden, of_cases

CAUSES = ("case few: out[0] is 7, must be 21", "candidate.c:3: error: 'sum' undeclared", "SIGSEGV in case none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the server was asked after a search of so many attempts: from the best, and from the seed."""

    experiment: Experiment
    scores: Scores
    prompt: str
    from_seed: str


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_prompt_is_the_golden_one(name: str) -> None:
    assert golden(name) == (GOLDEN / f"{name}.md").read_text(encoding="utf-8"), "python tests/prompts.py renews it"


def _searched(folder: Path, attempts: int) -> tuple[Experiment, Scores]:
    """The small experiment after that many attempts, of which the last three failed; snapshots and winners alone, as in
    a fresh clone."""
    manifest = {**scratch.MANIFEST, "tags": ["unrolling", "prefetch"]}
    (scratch.write_total(folder) / "experiment.json").write_text(json.dumps(manifest))
    experiment = contract.load(folder)
    scores = Scores(search="20261121T000000-0000", experiment="total")
    memory = Memory(search=scores.search, known=known_values(experiment))
    for one in (*search(attempts - len(CAUSES)), *_failures(attempts)):
        made = of_cases(one, experiment, fingerprint(experiment))
        scores.fold(made)
        memory.fold(made)
    experiment.winners.mkdir()
    for winner in scores.winners:
        commit = f"{winner.attempt:012x}" + 28 * "0"
        scores.committed(winner.attempt, commit)
        memory.committed(winner.attempt, commit)
        (experiment.winners / f"{commit[:12]}.c").write_text(f"{scratch.FASTER}/* winner {winner.attempt} */\n")
    (folder / "SCORES.json").write_text(scores.text())
    (folder / "MEMORY.json").write_text(memory.text())
    return experiment, scores


def _failures(attempts: int) -> list[Attempt]:
    statuses = (Status.WRONG, Status.BUILD_FAILED, Status.CRASHED)
    first = attempts - len(CAUSES) + 1
    return [attempt(first + n, statuses[n], reason=cause) for n, cause in enumerate(CAUSES)]


def test_what_the_compiler_said_of_the_last_failure_reaches_the_next_prompt(tmp_path: Path) -> None:
    folder = scratch.write_total(tmp_path / "total")
    with Loopback([scratch.fenced(scratch.BROKEN), scratch.PROSE]) as server:
        scratch.loop(folder, "--model", "m", "--base-url", server.base_url, "--no-commit", "--loop", "2")
        first, second = (request.body["messages"][-1]["content"] for request in server.requests)
    code = "    2 |     *out = nonsense;"
    assert code in second and code not in first


def test_what_a_failed_run_printed_is_cut_in_the_middle_for_a_prompt() -> None:
    failed = attempt(7, Status.CRASHED, reason="its command ended with 1: end")
    failed = replace(failed, verdict=replace(failed.verdict, detail=f"begin\n{'x' * 10_000}\n\x1b[2Jend"))
    text = last_failure(failed, 8, 1000)
    assert text.startswith("attempt 7 crashed: its command ended with 1: end\n\nbegin\nxxx")
    assert text.endswith("xx\n\N{REPLACEMENT CHARACTER}[2Jend") and "characters left out" in text and len(text) < 1100
    assert last_failure(failed, 100, 1000) == ""


@pytest.fixture(scope="module", params=[10, 1_000, 10_000])
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    experiment, scores = _searched(tmp_path_factory.mktemp("searched") / "total", request.param)
    with Loopback([scratch.PROSE]) as server:
        for parent in ("best", "seed"):
            model = ("--model", "m", "--base-url", server.base_url)
            done = scratch.loop(experiment.folder, *model, "--no-commit", "--parent", parent)
            assert server.requests, done.err
        prompt, from_seed = (one.body["messages"][-1]["content"] for one in server.requests)
    return Asked(experiment=experiment, scores=scores, prompt=prompt, from_seed=from_seed)


def test_the_causes_of_the_last_three_failures_reach_the_prompt(asked: Asked) -> None:
    assert [cause for cause in CAUSES if cause not in asked.prompt] == []


def test_the_champion_reaches_the_prompt_with_its_times(asked: Asked) -> None:
    champion = asked.scores.champion
    assert champion is not None and champion.speedup is not None
    assert f"({champion.attempt}: the best so far, x{champion.speedup.ratio:.3f} over the seed)" in asked.prompt
    assert "What it takes here, case by case:\n\n```text\nlong: " in asked.prompt


def test_where_the_parent_is_another_the_champion_and_the_specialists_reach_the_prompt(asked: Asked) -> None:
    titled = {asked.scores.champion_attempt, *asked.scores.specialist_attempts.values()}
    assert [number for number in titled if f"/* winner {number} */" not in asked.from_seed] == []
    assert f"this is the best ({asked.scores.champion_attempt})" in asked.from_seed


def test_what_nobody_has_tried_reaches_the_prompt(asked: Asked) -> None:
    found = asked.prompt.partition("## What looks unexplored\n\n")[2].partition("\n\n")[0].splitlines()
    assert "- No source has shown any: `prefetch`" in found


def test_the_prompt_keeps_its_budget_and_memory_its_share(asked: Asked) -> None:
    memory = asked.prompt.partition("# Memory\n")[2].partition("\n```")[0]
    assert 0 < len(memory) <= memory_chars(asked.experiment)
    for prompt in (asked.prompt, asked.from_seed):
        assert estimate(prompt) <= asked.experiment.limits.prompt_tokens


def test_a_parent_as_long_as_a_source_may_be_fits_the_prompt_of_every_experiment() -> None:
    for name in EXPERIMENTS:
        experiment = contract.load(catalog.locate(name))
        limits = experiment.limits
        assert estimate(golden(name)) + estimate("x" * limits.source_bytes) <= limits.prompt_tokens

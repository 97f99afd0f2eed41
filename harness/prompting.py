"""The next prompt of a search: from what its store knows now, and from another angle than the prompts under way.

What a prompt looks like is `ask`'s business, in what words the state is put `show`'s; here the two are joined.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.ask.prompt import Context, Specialist, failure_chars, memory_chars
from harness.ask.rendering import Prompt, render
from harness.ask.tokens import TokenCounter
from harness.contract import CUDA, Experiment
from harness.judge import device, remarks
from harness.judge.machine import Machine, built_by, caches, fingerprint, this_machine
from harness.judge.toolchain import cache_folder
from harness.keep.sources import BEST
from harness.keep.store import Store
from harness.records import Parent, Status, Verdict
from harness.show import briefing
from harness.show.remembered import memory_md
from harness.variety import AUTO, Angle, choose, directions_of, mixed_parents, parents_of, standstill


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What was sent, while its attempt is under way."""

    prompt: Prompt
    angle: Angle


class Prompter:
    """`wanted` is what `--parent` names."""

    def __init__(self, experiment: Experiment, wanted: str, instructions: str) -> None:
        self._experiment, self._wanted, self._instructions = experiment, wanted, instructions
        self._counter = TokenCounter()
        self._remarks: tuple[str, Sequence[str]] = ("", ())

    def next(self, store: Store, number: int, underway: Sequence[Angle]) -> Asked:
        """The prompt from the newest memory; where others are under way, from another angle than theirs."""
        directions = directions_of(store.state.memory.unexplored()) if underway else ()
        angle = choose(self._parents(store, number, is_alone=not underway), directions, underway)
        context = self._context(store, number, angle)
        return Asked(prompt=render(self._experiment, context, self._counter), angle=angle)

    def _parents(self, store: Store, number: int, *, is_alone: bool) -> Sequence[str]:
        """What a prompt may start from, the first choice first."""
        scores, wanted = store.state.scores, self._wanted
        first = store.parent(BEST if wanted == AUTO else wanted).ref
        if wanted == AUTO:
            # Of an old winner, nothing may be left on this disk.
            mixed = mixed_parents(scores, first, number)
            return [ref for ref in mixed if ref == first or store.winner_source(int(ref)) is not None]
        return parents_of(scores, first) if wanted == BEST and not is_alone else (first,)

    def _context(self, store: Store, number: int, angle: Angle) -> Context:
        state, parent = store.state, store.parent(angle.parent)
        scores, memory, best = state.scores, store.memory_page, store.parent(BEST)
        room, machine = memory_chars(self._experiment), fingerprint(self._experiment)
        # What runs/ says of a winner's number may be another clone's: of winners, the scores say all that is told.
        is_other = parent.ref.isdecimal() and scores.winner(int(parent.ref)) is None
        verdict = store.artifacts.verdict(int(parent.ref)) if is_other else None
        return Context(
            experiment=self._experiment,
            number=number,
            parent=parent,
            parent_note=briefing.parent_note(scores, parent.ref, verdict),
            parent_times=briefing.parent_times(scores, parent.ref, machine, verdict),
            parent_failed=_has_failed(verdict),
            remarks=self._remarks_on(parent.source),
            champion=None if parent.source == best.source else best,
            specialists=_others(store, machine, (parent.source, best.source)),
            memory=memory if len(memory) <= room else memory_md(state.memory, scores, room),
            failure=briefing.last_failure(state.last_failed, number, failure_chars(self._experiment)),
            scores=briefing.standings(scores, machine, parent.ref),
            machine=self._machine(),
            instructions=self._instructions,
            direction=angle.direction,
            standstill=standstill(scores, state.memory),
        )

    def _machine(self) -> Mapping[str, str]:
        one = self._experiment
        on = device.cuda() if one.device == CUDA else None  # a driver takes its time to answer
        return machine_facts(one, replace(this_machine(), compiler=built_by(one)), caches(), str(on or ""))

    def _remarks_on(self, source: str) -> Sequence[str]:
        """The compiler's, once it has built the source; most prompts have the same parent as the one before."""
        said_of, said = self._remarks
        if said_of != source or not said:
            said = remarks.known(self._experiment, cache_folder(), source)
            self._remarks = source, said
        return said


def _has_failed(verdict: Verdict | None) -> bool | None:
    """Of a seed and of winners, no verdict is asked for. What was never tried by itself may be either."""
    if verdict is None:
        return False
    return None if verdict.status in (Status.DUPLICATE, Status.UNMEASURED) else verdict.status.is_failure


def machine_facts(experiment: Experiment, machine: Machine, sizes: Mapping[str, str], on: str) -> Mapping[str, str]:
    """What a prompt says of the machine: what candidates run on, a device or this processor with its caches, and what
    builds them, which `machine` names as its compiler."""
    built = (
        {} if experiment.command else {"runtime" if experiment.language == "python" else "compiler": machine.compiler}
    )
    if experiment.device == CUDA:
        return {"device": on or "none here: built and checked, not timed", **built}
    return {"cpu": machine.cpu, "isa": machine.isa, "cores": str(machine.cores), **built, **sizes}


def _others(store: Store, machine: str, shown: Sequence[str]) -> Sequence[Specialist]:
    """Who is better than the best somewhere, of those whose source is still there and not in the prompt already."""
    where = briefing.ahead(store.state.scores, machine)
    sources = {number: store.winner_source(number) for number in where}
    return [
        Specialist(version=Parent(ref=str(number), source=source), where=where[number])
        for number, source in sources.items()
        if source is not None and source not in shown
    ]

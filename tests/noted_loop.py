"""One run of a loop with the real judge, which notes from when to when each of its processes was called.

    PYTHONPATH=. python tests/noted_loop.py EXPERIMENT

It answers from the folder `replies` beside the experiment, begins when there is a file `go`, and writes a line for each
process into EXPERIMENT.notes: begin and end on the clock that all processes share.
"""

import asyncio
import io
import sys
import time
from functools import partial
from pathlib import Path

from harness import contract
from harness.ask.models.replay import Replay
from harness.contract import Experiment
from harness.judge import kinds, native
from harness.judge.arm import Arm
from harness.judge.clock import Stop, Tick
from harness.judge.inputs import Arena, Workload
from harness.judge.judge import Judge
from harness.judge.toolchain import Artifact
from harness.keep.budget import Budget
from harness.search import Options, Search
from harness.show.views import Json
from loop import search


class NotedArm(native.Arm):
    """An arm that notes its first and its last visit."""

    notes: Path
    began_s = ended_s = 0.0

    def visit(self, workload: Workload, first: int, count: int) -> Tick:
        self.began_s = self.began_s or time.monotonic()
        try:
            return super().visit(workload, first, count)
        finally:
            self.ended_s = time.monotonic()

    def close(self) -> None:
        super().close()
        if self.began_s:
            with self.notes.open("a") as file:
                file.write(f"{self.began_s} {self.ended_s}\n")


class Noted(kinds.C):
    """C, by arms that note when they were called."""

    def __init__(self, experiment: Experiment, stop: Stop, notes: Path) -> None:
        super().__init__(experiment, stop)
        self._notes = notes

    def arm(self, artifact: Artifact, arena: Arena, slot: int, cpu: int, stop: Stop) -> Arm:
        arm = NotedArm(self._experiment, artifact, arena, slot, cpu, stop)
        arm.notes = self._notes
        return arm


def open_judge(notes: Path, experiment: Experiment, stop: Stop) -> Judge:
    judge = Judge(experiment, stop)
    judge.kind = Noted(experiment, stop, notes)
    return judge


def main() -> None:
    folder = Path(sys.argv[1])
    replies = folder.with_name("replies")
    folder.with_name(f"{folder.name}.ready").touch()
    while not folder.with_name("go").exists():
        time.sleep(0.002)
    options = Options(budget=Budget(attempts=len(list(replies.iterdir()))))
    opens = partial(open_judge, folder.with_name(f"{folder.name}.notes"))
    looking = Search(contract.load(folder), Replay(replies), options, opens)
    asyncio.run(search(looking, Json(io.StringIO())))


if __name__ == "__main__":
    main()

"""What every arm needs of this machine, whatever it runs."""

import subprocess
from dataclasses import replace

import pytest

from harness import contract
from harness.errors import JudgeError
from harness.judge import native
from harness.judge.clock import Stop
from harness.judge.inputs import Arena
from harness.judge.toolchain import Artifact

LINEAR = contract.load(contract.ROOT / "linear")


@pytest.mark.parametrize("leads_a_group", [True, False])  # a process that was just split off does not yet
def test_a_process_whose_wait_is_not_seen_is_not_believed_and_ends(leads_a_group: bool) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Dozing(native.Arm):
        """A process that is asleep, but not where a runner waits."""

        def _start(self, artifact: Artifact, base: int) -> "subprocess.Popen[bytes]":
            started.append(subprocess.Popen(["sleep", "60"], start_new_session=leads_a_group))
            return started[0]

    impatient = replace(LINEAR, limits=replace(LINEAR.limits, timeout_s=0.1))
    arena = Arena()
    arena.open()
    try:
        with pytest.raises(JudgeError, match="cannot see how a runner sleeps") as caught:
            Dozing(impatient, Artifact(content=b""), arena, 0, -1, Stop())
        assert "ptrace_scope" in caught.value.hint
    finally:
        arena.close()
    assert started[0].returncode is not None

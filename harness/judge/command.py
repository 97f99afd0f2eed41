"""One run of an experiment's command over one source: a scratch copy, a tether, a time limit, one number.

No sandbox: command and candidate run with the user's rights (docs/security.md). They get no key from the environment
and do not run in the user's folders. Decides nothing: how a run failed leaves here as a `Fault`.
"""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from harness.contract import Experiment
from harness.errors import JudgeError
from harness.judge import device, toolchain
from harness.judge.clock import Interrupted, Stop
from harness.judge.fault import Fault
from harness.judge.quiet import alone
from harness.metric import STDOUT, Command
from harness.records import Status
from harness.workplace import CannotCopy, copy, workplace

# Set by the shell that then becomes the command's: a hook between fork and exec is not safe beside threads.
_LIMITED = 'ulimit -c 0 && ulimit -v "$1" && ulimit -f "$2" && exec /bin/sh -c "$3"'
_FILE_BLOCKS_MAX = (8 << 30) // 512  # of one file: nobody fills a disk with what it prints
_POLL_S = 0.005
_TETHER_S = 1.0
_ENDING_S = 60.0  # that a machine may need to end what its time is up for
_METRIC_WITHIN_BYTES = 1 << 20  # of the output's end
_LAST_WITHIN_BYTES = 64 << 10
_KEPT_BYTES = 4 << 20  # of each end of a stream: whole, but for one that would fill the disk with every attempt
_LINE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run that ended well came to: the metric, and all that was printed."""

    value: float
    output: str


def run(experiment: Experiment, command: Command, source: str, stop: Stop) -> Ran:
    """One run of this source. Fault where the command fails, `Interrupted` where `stop` was raised."""
    try:
        with workplace() as scratch:
            own = _lay_out(experiment, command, source, scratch)
            code = _run(experiment, command, scratch, stop)
            said = _Said(scratch, experiment.limits.timeout_s, code)
            said.refuse_failure()
            return Ran(value=_value(command, own, said), output=said.detail)
    except CannotCopy as fault:
        raise JudgeError(
            f"{experiment.name}: {fault}, for a run of its command.",
            "mend or remove it, and see that there is room; large data is better named by its path.",
        ) from None
    except OSError as fault:
        raise JudgeError(
            f"{experiment.name}: cannot run its command in {tempfile.gettempdir()}: {fault.strerror or fault}.",
            "see that there is room, or set TMPDIR to another folder; large data is better named by its path.",
        ) from None


def _lay_out(experiment: Experiment, command: Command, source: str, scratch: Path) -> Path:
    """A copy for this run alone: what a run leaves behind, no other finds."""
    own, folder = scratch / "copy", experiment.folder / command.copied
    copy(folder, own, is_experiment=folder.resolve() == experiment.folder.resolve())
    for name in ("home", "tmp"):
        (scratch / name).mkdir()
    place = own / command.place
    with _is_a_file(experiment, "command.place", command.place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(source, encoding="utf-8", errors="replace")
    place.chmod(place.stat().st_mode | experiment.seed_path.stat().st_mode & 0o111)  # it may be the program itself
    if command.output != STDOUT:
        with _is_a_file(experiment, "command.output", command.output):
            (own / command.output).unlink(missing_ok=True)  # an old number is none
    return own


@contextmanager
def _is_a_file(experiment: Experiment, key: str, path: str) -> Iterator[None]:
    """Where what was copied has a folder for that file, or a file for its folder, the contract is wrong."""
    try:
        yield
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as fault:
        fact = f"{experiment.name}: {key} is {path}, which cannot be a file in its copy: {fault.strerror}."
        raise JudgeError(fact, "name another file.") from None


def _environment(scratch: Path) -> Mapping[str, str]:
    """All that the command sees of the user's: where programs, libraries and devices are; last, for `python`, that of
    this house."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))
    own = {"PATH": path, "HOME": str(scratch / "home"), "TMPDIR": str(scratch / "tmp"), "LANG": "C.UTF-8"}
    return device.told() | own


def _run(experiment: Experiment, command: Command, scratch: Path, stop: Stop) -> int | None:
    limits = experiment.limits
    # Of addresses, as far as nobody needs terabytes of them to open a device.
    bounds = "unlimited" if device.cuda() else str(limits.memory_mb << 10), str(_FILE_BLOCKS_MAX)
    # What waits for the command is the thread that starts it, with whose end the tether would end, too.
    tether = toolchain.cached_tool("tether", [toolchain.HERE / "tether.c"], "", ("-O2",))
    everywhere = os.sched_getaffinity(0)
    held = alone(stop, longest_s=limits.timeout_s + _ENDING_S)
    with (scratch / "stdout").open("wb") as out, (scratch / "stderr").open("wb") as err, held:
        with suppress(OSError):  # the command may use every core: we only wait
            os.sched_setaffinity(0, everywhere)
        process = subprocess.Popen(
            [str(tether), str(os.getpid()), "/bin/sh", "-c", _LIMITED, "sh", *bounds, command.line],
            cwd=scratch / "copy",
            env=_environment(scratch),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        return _ended(process, limits.timeout_s, stop)


def _ended(process: "subprocess.Popen[bytes]", timeout_s: float, stop: Stop) -> int | None:
    """Its exit code, None where its time was up. Whatever is left of it ends with it."""
    deadline = time.monotonic() + timeout_s
    try:
        while process.poll() is None:
            if stop:
                raise Interrupted
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_S)
        return process.returncode
    finally:
        process.terminate()
        try:
            process.wait(_TETHER_S)
        except subprocess.TimeoutExpired:  # the command has stopped whoever would end it
            process.kill()
            process.wait()


class _Said:
    """What a run that has ended printed, and whether it failed."""

    def __init__(self, scratch: Path, timeout_s: float, code: int | None) -> None:
        self._timeout_s, self._code = timeout_s, code
        self.out, self._err = scratch / "stdout", scratch / "stderr"

    def refuse_failure(self) -> None:
        if self._code is None:
            reason = f"its command did not end within {self._timeout_s:g} s"
            raise Fault(Status.TIMED_OUT, reason, self.detail)
        if self._code:
            line = _last_line(self._err) or _last_line(self.out) or "and said nothing"
            number = -self._code if self._code < 0 else self._code - 128  # a shell's word for a signal
            name = next((one.name for one in signal.Signals if one == number), "")  # a real-time signal has none
            ended = f"was ended by {name}" if name else f"ended with {self._code}"
            raise Fault(Status.CRASHED, f"its command {ended}: {line}", self.detail)

    @property
    def detail(self) -> str:
        parts = (("stdout", self.out), ("stderr", self._err))
        return "\n".join(f"{name}:\n{text}" for name, path in parts if (text := _both_ends(path)))


def _value(command: Command, own: Path, said: _Said) -> float:
    """The number in the last line that names the metric."""
    is_file = command.output != STDOUT
    path, where = (own / command.output, command.output) if is_file else (said.out, "its standard output")
    if not path.is_file():
        raise Fault(Status.WRONG, f"its command wrote no {command.output}", said.detail)
    lines = (line.partition(":") for line in _tail(path, _METRIC_WITHIN_BYTES).splitlines())
    values = [value.strip() for name, colon, value in lines if colon and name.strip() == command.metric]
    if not values:
        raise Fault(Status.WRONG, f"no line `{command.metric}: number` in {where}", said.detail)
    try:
        value = float(values[-1])
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        found = f"{command.metric}: {_one_line(values[-1])}"
        raise Fault(Status.WRONG, f"the last line is `{found}`, must be a finite number above 0", said.detail)
    return value


def _tail(path: Path, size: int) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read(size).decode("utf-8", "replace")


def _both_ends(path: Path) -> str:
    """An output; a line says so where its middle is left out."""
    size = path.stat().st_size
    if size <= 2 * _KEPT_BYTES:
        return _tail(path, size).strip()
    with path.open("rb") as file:
        head = file.read(_KEPT_BYTES).decode("utf-8", "replace")
    return f"{head}\n[{size - 2 * _KEPT_BYTES} bytes left out]\n{_tail(path, _KEPT_BYTES)}".strip()


def _last_line(path: Path) -> str:
    lines = [line for line in _tail(path, _LAST_WITHIN_BYTES).splitlines() if line.strip()]
    return _one_line(lines[-1]) if lines else ""


def _one_line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= _LINE_CHARS else line[:_LINE_CHARS] + "..."

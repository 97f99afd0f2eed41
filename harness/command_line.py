"""argparse in this house's words: a user's mistake is one error and one hint. Knows no verb."""

import argparse
import errno
import io
import math
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

from harness.errors import HarnessError

_TOO_FEW = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)  # processes, memory or files that may be open
_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Parser(argparse.ArgumentParser):
    """argparse, with a user's mistake as one error and one hint, and examples that keep their lines."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=raw, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise HarnessError(f"{message}.", f"`{self.prog} --help` shows what there is.")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """What is left over once everything known has been read."""
        near = get_close_matches(words[0], self._option_string_actions, n=1)
        hint = f"did you mean {near[0]}?" if near else f"`{self.prog} --help` shows what there is."
        raise HarnessError(f"{shlex.join(words)} is not understood.", hint)


def number(kind: type[int] | type[float], low: float, high: float = math.inf) -> Callable[[str], float]:
    """What argparse converts an option's value with; the bounds are in the refusal."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            to = f"{low} or more" if high == math.inf else f"from {low} to {high}"
            raise argparse.ArgumentTypeError(f"{text!r} must be a {'whole ' * (kind is int)}number, {to}")
        return value

    return convert


def span_s(text: str) -> float:
    """`90s`, `30m`, `2h` or `1.5h` in seconds; a number alone is seconds."""
    unit_s = _UNITS_S.get(text[-1:], 0.0)
    try:
        seconds = float(text[:-1]) * unit_s if unit_s else float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} must be a time above 0, such as 90s, 30m or 2h")
    return seconds


def ignore_interrupts() -> None:
    """From here on the process only ends: another Ctrl-C would end it by the signal, or with a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def begin() -> None:
    """What must hold before anything else is loaded."""
    if sys.version_info < (3, 11):  # noqa: UP036 - on an older one it is said so, not shown what it lacks
        found = sys.version.partition(" ")[0]
        raise HarnessError(f"this is Python {found}, must be 3.11 or later.", "run it with another, as `python3.11`.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a µ is no reason to stop


def refused(fault: OSError | ModuleNotFoundError) -> int:
    """What is left to do where a package was not installed, where the system refuses a file, or another process, or
    where standard output is gone or full; returns the exit code."""
    if isinstance(fault, ModuleNotFoundError):
        hint = "`pip install -r requirements.txt` installs what is needed."
        return fail(f"{sys.executable} has no module {fault.name}.", hint)
    if fault.filename is not None:
        return fail(f"{fault.filename}: {fault.strerror}.", "see that it is there and may be used, then run again.")
    if fault.errno in _TOO_FEW:
        hint = "see what limits this process (`ulimit -a`), then run again."
        return fail(f"the system refuses: {fault.strerror}.", hint)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python tries once more when it ends
    if isinstance(fault, BrokenPipeError):  # the reader had enough, as in `loop.py show linear | head`
        return 0
    return fail(f"cannot print: {fault.strerror}.", "see what standard output is connected to.")


def fail(message: str, hint: str) -> int:
    """Says what went wrong and what to do; returns the exit code."""
    print("error: " + message.replace("\n", "\n       "), f"hint: {hint}", sep="\n", file=sys.stderr)
    return 1

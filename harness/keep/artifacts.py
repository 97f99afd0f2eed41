"""The files of each attempt under `runs/0007/`, for people and their tools; the loop itself goes by the journal.

Each is written before the line of the journal that speaks of it: what is in the journal has its files, whenever a
process is killed.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.errors import KeepError
from harness.keep.files import cannot, lines, write_plain
from harness.records import Attempt, Proposal, Verdict, from_json, to_json

_PROMPT, _REPLY, _VERDICT = "prompt.md", "reply.md", "verdict.json"
_DETAIL_CHARS = 4096  # of each end


def shortened(verdict: Verdict) -> Verdict:
    """The verdict with a long detail cut in the middle, and without its blocks, for the journal and for screens:
    verdict.json has all of it."""
    text = verdict.detail
    left_out = len(text) - 2 * _DETAIL_CHARS
    if left_out > 0:
        text = f"{text[:_DETAIL_CHARS]}\n[{left_out} left out]\n{text[-_DETAIL_CHARS:]}"
    return replace(verdict, detail=text, blocks=())


class Artifacts:
    """`runs/<attempt>/` with prompt.md, reply.md, candidate and verdict.json."""

    def __init__(self, runs: Path, suffix: str) -> None:
        self._runs = runs
        self._candidate = f"candidate{suffix}"

    def folder(self, number: int) -> Path:
        return self._runs / f"{number:04d}"

    def asked(self, number: int, prompt: str) -> None:
        self._write(number, {_PROMPT: prompt}, flush=False)

    def write(self, proposal: Proposal, attempt: Attempt) -> None:
        texts = {
            _REPLY: proposal.reply,
            _VERDICT: lines({key: json.dumps(value) for key, value in to_json(attempt.verdict).items()}),
        }
        if attempt.candidate is not None:
            texts[self._candidate] = attempt.candidate.source
        # All of it is on disk in the journal soon, and a power cut that takes these copies takes no more than the
        # wording of a few prompts; but a winner's source is the parent of attempts to come.
        self._write(attempt.number, texts, flush=attempt.status.is_winner)

    def restore(self, attempt: Attempt) -> None:
        """A candidate whose file is gone, as the journal has it."""
        if attempt.candidate is not None and self.source(attempt.number) is None:
            self._write(attempt.number, {self._candidate: attempt.candidate.source}, flush=True)

    def _write(self, number: int, texts: Mapping[str, str], *, flush: bool) -> None:
        folder = self.folder(number)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in texts.items():
                write_plain(folder / name, text, flush=flush)
        except OSError as fault:
            raise cannot("write", folder, fault) from None

    def source(self, number: int) -> str | None:
        """The candidate of an attempt, None where it had none or its files are gone, by hand or by a power cut."""
        path = self.folder(number) / self._candidate
        try:
            return path.read_bytes().decode("utf-8") or None
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise cannot("read", path, fault) from None
        except UnicodeDecodeError as fault:
            fact = f"{path} is not UTF-8: byte {fault.start}"
            raise KeepError(fact, "restore the file, or name another attempt.") from None

    def verdict(self, number: int) -> Verdict | None:
        """What was decided on an attempt, None where its file is gone or is none of ours."""
        try:
            return from_json(Verdict, json.loads((self.folder(number) / _VERDICT).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None

    def prompt(self, number: int) -> str | None:
        """What was asked, None where its file is gone."""
        try:
            return (self.folder(number) / _PROMPT).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def files(self, number: int) -> tuple[Path, ...]:
        """What is there of an attempt, in the order in which it came about."""
        order = (_PROMPT, _REPLY, self._candidate, _VERDICT)
        return tuple(path for name in order if (path := self.folder(number) / name).is_file())

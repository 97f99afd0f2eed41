"""A proposer that answers from recorded replies: for tests, and for judging an old search again.

Each reply is taken once in a search, in the order of their names, wherever the search stands: a run of the same folder
goes on behind the last one that the search has had. Nothing was paid, and the parents of the recorded search are not
looked at.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

from harness.ask.proposer import Exhausted, Request
from harness.errors import ProposerError
from harness.records import Proposal

_SUFFIXES = (".md", ".txt")
_HINT = "It holds one .md or .txt file for each reply, or is a search's runs/ folder, with 0001/reply.md and so on."


class Replay:
    """Replies from `folder`, in the order of their names."""

    def __init__(self, folder: Path) -> None:
        try:
            self._replies = _replies(folder)
        except OSError as fault:
            raise ProposerError(f"replay:{folder} cannot be read: {fault.strerror}.", _HINT) from fault
        if not self._replies:
            raise ProposerError(f"replay:{folder} has no replies.", _HINT)
        self.name = "replay"
        self._request = json.dumps({"replay": str(folder.resolve())})
        self._next: int | None = None
        self.line = f"{len(self._replies)} recorded replies answer, from {folder}"

    async def propose(self, request: Request) -> Proposal:
        """The next reply. `Exhausted` after the last."""
        place = request.answered.get(self._request, 0) if self._next is None else self._next
        if place >= len(self._replies):
            raise Exhausted(f"all {len(self._replies)} recorded replies are used: a search takes each once.")
        path, self._next = self._replies[place], place + 1
        try:
            reply = path.read_text(encoding="utf-8", errors="replace")
        except OSError as fault:
            raise ProposerError(f"{path} cannot be read: {fault.strerror}.", _HINT) from fault
        return Proposal(
            number=request.number,
            parent=request.parent.ref,
            model=self.name,
            reply=reply,
            asked_at=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=0.0,
            request=self._request,
        )

    async def close(self) -> None:
        """Nothing is held open."""


def _replies(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir(), key=lambda path: (len(path.name) if path.name.isdigit() else 0, path.name))
    runs = [entry / "reply.md" for entry in entries if entry.name.isdigit() and (entry / "reply.md").is_file()]
    return runs or [entry for entry in entries if entry.suffix in _SUFFIXES and entry.is_file()]

"""A proposer that answers from recorded replies: for tests, and for judging an old search again.

The n-th reply answers attempt n, so a search that is resumed goes on where it stopped. Nothing was paid, and the
parents of the recorded search are not looked at.
"""

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
        self.line = f"{len(self._replies)} recorded replies answer, from {folder}"

    async def propose(self, request: Request) -> Proposal:
        """The reply recorded for this attempt. `Exhausted` after the last."""
        if request.number > len(self._replies):
            raise Exhausted(f"all {len(self._replies)} recorded replies are used.")
        path = self._replies[request.number - 1]
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
        )

    async def close(self) -> None:
        """Nothing is held open."""


def _replies(folder: Path) -> list[Path]:
    entries = sorted(folder.iterdir(), key=lambda path: (len(path.name) if path.name.isdigit() else 0, path.name))
    runs = [entry / "reply.md" for entry in entries if entry.name.isdigit() and (entry / "reply.md").is_file()]
    return runs or [entry for entry in entries if entry.suffix in _SUFFIXES and entry.is_file()]

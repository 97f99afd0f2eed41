"""How a candidate fails inside the judge: raised where it is found, a verdict at the top, never a harness error."""

from collections.abc import Sequence

from harness.records import Status, Verdict, Violation


class Fault(Exception):
    """The candidate's own fault; `verdict` is what becomes of it."""

    def __init__(self, status: Status, reason: str, detail: str = "", violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(reason)
        self.status, self.reason, self.detail, self.violations = status, reason, detail, violations

    def verdict(self) -> Verdict:
        return Verdict(status=self.status, reason=self.reason, detail=self.detail, violations=self.violations)


def refuse(violations: Sequence[Violation]) -> None:
    """Fault where there are any."""
    if violations:
        more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
        raise Fault(Status.FORBIDDEN, violations[0].message + more, violations=tuple(violations))

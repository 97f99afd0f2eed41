"""Faults of the harness or its user: one fact with its value, and one way out.

A candidate's fault is never raised; it is data, in a `Verdict`.
"""


class HarnessError(Exception):
    """Something the person at the keyboard can mend: `message` states the fact, `hint` the way out."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ContractError(HarnessError):
    """An experiment's folder does not keep its contract."""


class ProposerError(HarnessError):
    """The model's side failed for good: no key, a refused request, an endpoint that cannot be reached."""


class GivenUp(ProposerError):
    """One request failed as often as it may be tried; the next may do better."""


class JudgeError(HarnessError):
    """The judge cannot work here: no compiler, a seed that fails its own validation, a machine too noisy."""


class Unfit(JudgeError):
    """What is compared with does not work on this machine."""


class KeepError(HarnessError):
    """State could not be read or written: a full disk, a read-only folder, a repository in the middle of a merge."""


class IndexLocked(KeepError):
    """Another git holds the repository's index: what was to be committed has to wait."""

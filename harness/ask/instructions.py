"""What the person at the keyboard has to say to the model: a text, or a file that holds one."""

import os

from harness.errors import HarnessError


def instructions(given: str | None) -> str:
    """The text itself, or what the file of that name holds."""
    if given is None:
        return ""
    is_path = os.path.exists(given) or (len(given.split()) == 1 and os.path.splitext(given)[1] in (".md", ".txt"))
    if not is_path:
        return given
    try:
        with open(given, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as fault:
        reason = f"not UTF-8 at byte {fault.start}" if isinstance(fault, UnicodeDecodeError) else fault.strerror
        raise HarnessError(f"--instructions {given}: {reason}.", "give a text, or a file of UTF-8 text.") from None

"""What a model is told about `shell_metric`, and in what order."""

from harness.ask.command_prompt import ANSWER, PARENT, RULES, SCORES, TASK
from harness.ask.prompt import CHAMPION, FAILURE, INSTRUCTIONS, MEMORY, Context, Section


def sections(context: Context) -> list[Section]:
    return [TASK, RULES, SCORES, CHAMPION, MEMORY, FAILURE, PARENT, INSTRUCTIONS, ANSWER]

"""What a model is told about `hello_world`, and in what order."""

from harness.ask.prompt import INSTRUCTIONS, MACHINE, MEMORY, PARENT, SCORES, Context, Section
from harness.ask.python_prompt import ANSWER, RULES, TASK


def sections(context: Context) -> list[Section]:
    return [TASK, RULES, MACHINE, SCORES, MEMORY, PARENT, INSTRUCTIONS, ANSWER]

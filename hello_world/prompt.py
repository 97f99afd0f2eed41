"""What a model is told about `hello_world`, and in what order."""

from harness.ask.prompt import CHAMPION, INSTRUCTIONS, MACHINE, MEMORY, PARENT, SCORES, SPECIALISTS, Context, Section
from harness.ask.python_prompt import ANSWER, RULES, TASK


def sections(context: Context) -> list[Section]:
    return [TASK, RULES, MACHINE, SCORES, CHAMPION, SPECIALISTS, MEMORY, PARENT, INSTRUCTIONS, ANSWER]

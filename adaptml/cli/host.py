"""Where a command that is typed on the host acts: in the Docker stack, or on the project's own parts."""

from adaptml.cli.support import output
from adaptml.project import Project
from adaptml.stack.compose import Stack
from adaptml.stack.host import chosen_stack


def host_stack(project: Project, asked: bool | None) -> Stack | None:
    """The stack to act on, said in the command's first line; None for the project's own parts.

    Args:
        project: of the folder where the command was typed.
        asked: the shared option `--stack/--no-stack`.
    """
    stack = chosen_stack(project, asked)
    if stack is not None:
        output().print(f"in the Docker stack {stack.get('STACK_NAME', 'adaptml')} (--no-stack: without it)")
    return stack

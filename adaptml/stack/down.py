"""`adaptml down`: stop the stack and keep its data."""

from adaptml.cli.support import output, run_command
from adaptml.stack.compose import Stack, open_stack


def down(stack: Stack) -> int:
    """Stop and remove the stack's containers and networks; volumes and secrets stay.

    Returns:
        How many containers there were.
    """
    found = len(stack.containers())
    stack.compose("down", "--remove-orphans")
    return found


def command() -> None:
    """Stop the Docker stack. All data stay, and `up` goes on with them."""
    output().print(f"{down(open_stack())} containers stopped; all data are kept")


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

"""`adaptml logs`: what the stack's services say."""

import contextlib
from typing import Annotated

import typer

from adaptml.cli.support import run_command
from adaptml.errors import listed
from adaptml.stack import StackError, open_stack


def command(
    services: Annotated[list[str] | None, typer.Argument(help="Names of containers; default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    tail: Annotated[int, typer.Option(help="How many lines of each.")] = 100,
) -> None:
    """Show what services of the Docker stack say.

    Example: `logs modelling-mlflow-deploy --follow`
    """
    options = ["--tail", str(tail), *(["--follow"] if follow else [])]
    stack = open_stack()
    known = sorted(stack.config()["services"])
    for service in services or []:
        if service not in known:
            raise StackError(f"the stack has no service {service!r}; expected one of {listed(known, 20)}")
    with contextlib.suppress(KeyboardInterrupt):  # the way to end --follow
        stack.compose("logs", *options, *(services or []), capture=False)


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

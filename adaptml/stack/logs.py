"""`adaptml logs`: what the stack's services say."""

import contextlib
from collections.abc import Sequence
from typing import Annotated

import typer

from adaptml.cli.support import run_command
from adaptml.errors import listed
from adaptml.stack.compose import Stack, StackError, open_stack


def logs(
    stack: Stack, services: Sequence[str] = (), *, tail: int = 100, follow: bool = False, capture: bool = True
) -> str:
    """What services say.

    Args:
        stack: whose services.
        services: names of services; none means all.
        tail: how many lines of each.
        follow: go on until an interruption; then only `capture=False` is of use.
        capture: return it instead of showing it on the terminal.

    Raises:
        StackError: no service has such a name.
    """
    known = sorted(stack.config()["services"])
    for service in services:
        if service not in known:
            raise StackError(f"the stack has no service {service!r}; expected one of {listed(known, 20)}")
    options = ["--tail", str(tail), *(["--follow"] if follow else [])]
    return stack.compose("logs", *options, *services, capture=capture)


def command(
    services: Annotated[list[str] | None, typer.Argument(help="Names of containers; default: all.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    tail: Annotated[int, typer.Option(help="How many lines of each.")] = 100,
) -> None:
    """Show what services of the Docker stack say.

    Example: `adaptml logs modelling-mlflow-deploy --follow`
    """
    with contextlib.suppress(KeyboardInterrupt):  # the way to end --follow
        logs(open_stack(), services or [], tail=tail, follow=follow, capture=False)


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

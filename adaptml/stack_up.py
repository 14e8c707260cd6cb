"""`adaptml up`: look at the host, make secrets, start the stack, wait until it is healthy."""

import time
from typing import Annotated

import typer
from rich.table import Table

from adaptml.cli.support import output, run_command
from adaptml.errors import listed
from adaptml.stack import ALL_PROFILES, PROFILES, Stack, StackError, open_stack
from adaptml.stack_checks import Finding, check_host, images_missing
from adaptml.stack_secrets import DATABASE_SETTINGS, make_secrets

HEALTHY_TIMEOUT_S = 600


def up(stack: Stack, profiles: list[str], *, build: bool = False, force: bool = False) -> list[str]:
    """Start the services of some profiles and wait until each is healthy.

    Args:
        stack: what to start.
        profiles: names of profiles.
        build: build images anew, not only those that are missing.
        force: start in spite of what the checks of the host found.

    Returns:
        Names of the services.

    Raises:
        StackError: an unknown profile, a host that is not fit, a service that does not become healthy.
    """
    unknown = [profile for profile in profiles if profile not in PROFILES]
    if unknown:
        raise StackError(f"no profile {listed(unknown)}; expected {listed(PROFILES, len(PROFILES))}")
    findings = check_host(stack, [])  # without an engine nothing else can be asked
    refuse(findings, force=False)
    services = stack.compose("config", "--services", profiles=profiles).split()
    refuse(check_host(stack, services), force=force)
    # A running container goes on with the address that it started with.
    anew = ["--force-recreate"] if DATABASE_SETTINGS in make_secrets(stack) else []
    missing = services if build else images_missing(stack, services)
    if missing:
        stack.compose("build", *missing, profiles=profiles, capture=False)
    stack.compose(
        "up", "--detach", *anew, "--wait", "--wait-timeout", str(HEALTHY_TIMEOUT_S),
        profiles=profiles, capture=False,
    )  # fmt: skip
    return services


def refuse(findings: list[Finding], *, force: bool) -> None:
    """Show what is not as expected.

    Raises:
        StackError: something is not, unless `force`.
    """
    wrong = [finding for finding in findings if not finding.ok]
    if not wrong:
        return
    table = Table("", "expected", "found", "to mend it", box=None, pad_edge=False)
    for finding in wrong:
        table.add_row(finding.what, finding.expected, finding.found, finding.mend)
    output().print(table)
    if not force:
        raise StackError(
            f"this machine is not ready: {listed([finding.what for finding in wrong], 10)}; "
            "mend what the table says, or start with --force where you know better"
        )


def command(
    profiles: Annotated[
        list[str] | None, typer.Argument(help="label, data_programming, modelling, deploy; default: all.")
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="Build the images anew first.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start in spite of failed checks.")] = False,
) -> None:
    """Start the Docker stack: check this machine, make secrets, start, wait until healthy.

    Example: `up modelling deploy`
    """
    stack, started = open_stack(), time.monotonic()
    services = up(stack, profiles or [ALL_PROFILES], build=build, force=force)
    console = output()
    console.print(f"{len(services)} services are healthy after {time.monotonic() - started:.0f} s")
    for what, address in stack.addresses(services):
        console.print(f"{what:<22} {address}")
    if "label-studio-web" in services:
        who = stack.get("LABEL_STUDIO_USERNAME", "admin@example.com")
        console.print(f"{'log in as':<22} {who}, password in {stack.secrets / 'label_studio_password'}")


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

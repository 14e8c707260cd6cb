"""`adaptml up`: look at the host, make secrets, start the stack, wait until it is healthy."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from rich.table import Table

from adaptml.cli.support import output, run_command
from adaptml.errors import listed
from adaptml.stack.addresses import addresses
from adaptml.stack.backup import own_image
from adaptml.stack.checks import Finding, check_host, images_missing
from adaptml.stack.compose import ALL_PROFILES, PROFILES, Stack, StackError, open_stack
from adaptml.stack.crate_data import check_crate_data
from adaptml.stack.folders import make_folders
from adaptml.stack.secrets import DATABASE_SETTINGS, make_secrets
from adaptml.stack.status import aligned

HEALTHY_TIMEOUT_S = 600


class HostNotReadyError(StackError):
    """The machine is not as the stack needs it.

    Attributes:
        findings: what is not as expected, at least one.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        said = [f"{f.what}: expected {f.expected}, found {f.found}: {f.fix}" for f in self.findings]
        super().__init__(
            f"this machine is not ready: {'; '.join(said)}; or start with --force where you know better"
        )


def _say_nothing(_findings: Sequence[Finding]) -> None:
    """What is overlooked by force is not told to anybody."""


def up(
    stack: Stack,
    profiles: Sequence[str] = (ALL_PROFILES,),
    *,
    build: bool = False,
    force: bool = False,
    capture: bool = True,
    warn: Callable[[Sequence[Finding]], None] = _say_nothing,
) -> list[str]:
    """Start the services of some profiles and wait until each is healthy.

    Args:
        stack: what to start.
        profiles: names of profiles.
        build: build images anew, not only those that are missing.
        force: start in spite of what the checks of the host found.
        capture: keep what Compose says of its progress, instead of showing it on the terminal.
        warn: called before the start with what `force` overlooks, if there is anything.

    Returns:
        Names of the services.

    Raises:
        HostNotReadyError: the host is not fit, and there is no `force`.
        StackError: an unknown profile, a service that does not become healthy.
    """
    unknown = [profile for profile in profiles if profile not in PROFILES]
    if unknown:
        raise StackError(f"no profile {listed(unknown)}; expected {listed(PROFILES, len(PROFILES))}")
    overlook(check_host(stack, []), force=False, warn=warn)  # without an engine nothing else can be asked
    services = stack.compose("config", "--services", profiles=profiles).split()
    findings = check_host(stack, services)
    if "crate-db" in services and "crate" in stack.get("CRATE_IMAGE", "crate"):
        findings.append(check_crate_data(stack))
    overlook(findings, force=force, warn=warn)
    make_folders(stack)
    made = make_secrets(stack)
    missing = services if build else images_missing(stack, services)
    if missing:
        stack.compose("build", *missing, profiles=profiles, capture=capture)
    # A running container goes on with the address that it started with.
    anew = ["--force-recreate"] if DATABASE_SETTINGS in made else []
    wait = ["--wait", "--wait-timeout", str(HEALTHY_TIMEOUT_S)]
    stack.compose("up", "--detach", *anew, *wait, profiles=profiles, capture=capture)
    return services


def overlook(
    findings: Sequence[Finding], *, force: bool, warn: Callable[[Sequence[Finding]], None] = _say_nothing
) -> None:
    """Go on only where everything is as expected, or by force.

    Args:
        findings: what was looked at.
        force: go on all the same.
        warn: called with what `force` overlooks, if there is anything.

    Raises:
        HostNotReadyError: something is not as expected, unless `force`.
    """
    wrong = [finding for finding in findings if not finding.ok]
    if wrong and not force:
        raise HostNotReadyError(wrong)
    if wrong:
        warn(wrong)


def how_to_move(stack: Stack, image: str) -> list[str]:
    """What to type, once, so that data in volumes of before lie in `DATA_PATH`; nothing where there are none.

    Args:
        stack: whose volumes.
        image: one that is here, to copy with.
    """
    names, owner = stack.volumes_of_before, ":".join(map(str, stack.owner))
    if not names:
        return []
    copy = f"cp -a /from/. /to && chown -R {owner} /to && chmod 755 /to"
    run = (
        f"docker run --rm --user 0 --volume {stack.name}_$name:/from --volume {stack.data_path}/$name:/to "
        f"{image} sh -c '{copy}' && docker volume rm {stack.name}_$name"
    )
    return [
        f"files of {listed(names, 5)}: in Docker volumes, where an earlier version put them; they stay "
        f"there, or move to {stack.data_path} with",
        "  adaptml down",
        f"  for name in {' '.join(names)}; do {run}; done",
        "  adaptml up",
    ]


def table_of(findings: Sequence[Finding]) -> Table:
    """What is not as expected, a line each."""
    table = Table("", "expected", "found", "to fix it", box=None, pad_edge=False)
    for finding in findings:
        table.add_row(finding.what, finding.expected, finding.found, finding.fix)
    return table


def command(
    profiles: Annotated[
        list[str] | None,
        typer.Argument(
            help="portal, label, data_programming, modelling, deploy, gpu, scale; default, and `dev`: "
            "all but the last two."
        ),
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="Build the images anew first.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Start in spite of failed checks.")] = False,
) -> None:
    """Start the Docker stack: check this machine, make secrets, start, wait until healthy.

    Example: `adaptml up modelling deploy`
    """
    stack, console, started = open_stack(), output(), time.monotonic()
    services = up(
        stack, profiles or [ALL_PROFILES], build=build, force=force, capture=False,
        warn=lambda findings: console.print(table_of(findings)),
    )  # fmt: skip
    console.print(f"{len(services)} services are healthy after {time.monotonic() - started:.0f} s")
    for line in aligned(addresses(stack, services)):
        console.print(line)
    inside = [name for name, folder in stack.folders.items() if folder.parent == stack.data_path]
    if inside:
        console.print(f"files of {listed(inside, 5)}: in {stack.data_path}")
    for line in how_to_move(stack, own_image(stack)):
        console.print(line)


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

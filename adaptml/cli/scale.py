"""`adaptml scale certificates|scheduler|worker`: steps done by workers on other machines."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli.support import new_app, output, project_here

if TYPE_CHECKING:
    from types import ModuleType

app = new_app(help="Have steps done by workers on other machines: certificates, a scheduler, workers.")
Address = Annotated[
    str, typer.Argument(metavar="ADDRESS", help="tls://host:port; on this machine also tcp://127.0.0.1:port.")
]


def _nodes() -> "ModuleType":
    try:
        from adaptml.scale import nodes
    except ImportError as error:
        from adaptml.scale.certificates import not_installed

        raise not_installed("schedulers and workers") from error
    return nodes


def _say(text: str) -> None:
    output().print(text)
    sys.stdout.flush()  # whoever started it waits for this


@app.command("certificates")
def certificates() -> None:
    """Make the certificates by which a scheduler, its workers and those who ask them know each other.

    Copy the three files, by a way that nobody else can read, to each machine that is to take part, into the
    same folder.

    Example: `adaptml scale certificates`
    """
    from adaptml.scale.certificates import FILES, write_certificates

    with project_here() as project:
        folder = project.settings.scale_certificates
    write_certificates(folder)
    _say(
        f"{', '.join(FILES)} in {folder}: whoever has them can run code on workers; copy them to each machine"
    )


@app.command("scheduler")
def scheduler(address: Address) -> None:
    """Run a scheduler: it hands out the work, and does none itself.

    Example: `adaptml scale scheduler tls://0.0.0.0:8786`
    """
    with project_here() as project:
        _nodes().run_scheduler(project.settings, address, lambda at: _say(f"a scheduler listens on {at}"))


@app.command("worker")
def worker(
    address: Address,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Number of processes.")] = 1,
) -> None:
    """Run workers of a scheduler, until they are stopped; one that ends is started anew.

    They read the task and the addresses of database and tracking server from this machine's own project.

    Example: `adaptml scale worker tls://10.0.0.5:8786 --workers 8`
    """
    with project_here(needs_home=False) as project:
        _nodes().run_workers(project.settings, address, workers, _say)

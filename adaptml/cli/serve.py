"""`adaptml serve`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.support import project_here
from adaptml.project import Project


def command(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on. Default: this machine only.", show_default=False),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. Default: 8000.", show_default=False)
    ] = None,
    root_path: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX",
            help="Prefix under which a proxy passes requests on, as /ml. Default: none.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Processes that answer, each with the models. Default: 1.",
            show_default=False,
        ),
    ] = None,
    featurize: Annotated[
        bool, typer.Option("--featurize", help="Encode rows without features, in place of refusing them.")
    ] = False,
    models: Annotated[
        list[Path] | None,
        typer.Option(
            "--model",
            metavar="DIR",
            help="Serve this exported model, in place of the champions; several times for several.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve every champion over HTTP, with its documentation at /docs.

    Models are those that `deploy` made champions; newly deployed ones are taken within 10 seconds. With
    --model they are folders that `export` wrote, and no tracking server is asked.

    Example: `adaptml serve --port 8000`
    """
    with Project() if models else project_here() as project:
        announce = partial(_announce, project)
        project.serve(
            host,
            port,
            announce,
            featurize=featurize,
            models=models or (),
            root_path=root_path,
            workers=workers,
        )


def _announce(project: Project, address: str) -> None:
    from adaptml.settings_text import shown

    typer.echo(f"serving on {address} (documentation: {address}/docs); stop with Ctrl-C")
    data, models = (shown(project.settings, name) for name in ("database_url", "tracking_uri"))
    typer.echo(f"home {project.settings.home}, data {data}, models {models}")

"""`adaptml ui`."""

from typing import Annotated

import typer

from adaptml.project import Project


def command(
    host: Annotated[
        str, typer.Option(help="Address to listen on; beyond this machine it needs a key.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one. Default: 8050.", show_default=False)
    ] = None,
    invite: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Print a link for a person, and end.", show_default=False),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Open the page on which rules are written and seen at work, and from which everything is run.

    It shows the project of the working folder, to this machine alone, until Ctrl-C. Whoever may edit rules
    runs code as you: give a link to nobody whom you would not give your terminal. A link works once, within
    7 days; all that a person labels, decides and saves is recorded under her name.

    Example: `adaptml ui`
    """
    from portal.asks.limits import PATIENCE_S
    from portal.start import invitation, ui

    with Project(patience_s=PATIENCE_S) as project:
        if invite is not None:
            typer.echo(invitation(project, invite, port))
            return
        ui(project, host, port, on_ready=lambda link: _ready(link, browser))


def _ready(link: str, browser: bool) -> None:
    import webbrowser

    if browser and webbrowser.open(link):
        typer.echo("the page is open in your browser; stop with Ctrl-C")
    else:
        typer.echo(f"open {link}\nstop with Ctrl-C")

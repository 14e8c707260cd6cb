"""`python -m labelstudio.local_server`: a Label Studio on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli.support import output, project_here

COMMAND_OPTIONS = {"no_args_is_help": False}


def command(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8080,
    folder: Annotated[Path, typer.Option(help="Folder for everything it writes.")] = Path(".labelstudio"),
) -> None:
    """Run a Label Studio on this machine until Ctrl-C; the first call installs it.

    Example: `python -m labelstudio.local_server --port 8081`
    """
    from labelstudio.local_server import prepare, running

    console, settings = output(), project_here().settings
    root = settings.root
    folder = root / folder
    console.print(
        "installing Label Studio, which takes minutes" if not (folder / ".installed").exists() else "starting"
    )
    prepare(folder, root / "requirements" / "labelstudio-server.txt")
    with running(folder, folder, port) as server:
        server.share(settings.media)
        people = " and ".join(account.email for account in server.annotators)
        console.print(f"Label Studio is ready at {server.url}; Ctrl-C stops it")
        console.print(f"log in as      {people}, passwords in {folder / 'accounts.json'}")
        console.print(f"files of       {settings.media} can be shown to annotators")
        console.print(f"owner's token  {folder / 'token'}, which `adaptml annotate` reads")
        try:
            server.wait()
        except KeyboardInterrupt:
            console.print("stopped; everything is kept")

"""`adaptml settings`: what is set, and the variable that sets it."""

from typing import Annotated

import typer

from adaptml.cli.support import output
from adaptml.project import Project
from adaptml.settings import Settings


def command(
    name: Annotated[str | None, typer.Argument(help="Print the value of this setting alone.")] = None,
    export: Annotated[
        bool,
        typer.Option("--export", help='Print lines for a shell: eval "$(adaptml settings --export)".'),
    ] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Print passwords and tokens too, for a program to read.")
    ] = False,
) -> None:
    """Show the settings and the variable that changes each, in the environment, `.env.dev` or `.env`.

    Example: `adaptml settings database_url`
    """
    from adaptml.settings_text import export_lines, shown, variable

    with Project() as project:
        if export:
            for line in export_lines(project):
                typer.echo(line)
        elif name is not None:
            typer.echo(shown(project.settings, name, secrets=show_secrets))
        else:
            for field, info in Settings.model_fields.items():
                output().print(f"{field:23} {shown(project.settings, field, secrets=show_secrets)}")
                output().print(f"{'':23} {variable(field)}: {info.description}", style="dim")

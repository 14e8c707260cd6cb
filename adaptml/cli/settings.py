"""`adaptml settings`: what is set, and the variable that sets it."""

from typing import Annotated

import sqlalchemy as sa
import typer

from adaptml.cli.support import output, run_command
from adaptml.errors import SettingsError, listed
from adaptml.project import Project
from adaptml.settings import Settings


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"ADAPTML_{name.upper()}"


def shown(settings: Settings, name: str) -> str:
    """A setting's value as text, without passwords."""
    value = getattr(settings, name)
    if name == "database_url":
        return sa.make_url(value.get_secret_value()).render_as_string(hide_password=True)
    return str(value)


def command(
    name: Annotated[str | None, typer.Argument(help="Print the value of this setting alone.")] = None,
) -> None:
    """Show the settings and the variable that changes each, in the environment or in `.env.dev`.

    Example: `export MLFLOW_TRACKING_URI=$(adaptml settings tracking_uri)`
    """
    settings, fields = Project().settings, Settings.model_fields
    if name is None:
        for field, info in fields.items():
            output().print(f"{field:23} {shown(settings, field)}")
            output().print(f"{'':23} {variable(field)}: {info.description}", style="dim")
    elif name in fields:
        typer.echo(shown(settings, name))
    else:
        raise SettingsError(f"no setting {name!r}; expected one of {listed(list(fields), 20)}")


if __name__ == "__main__":
    run_command(command)

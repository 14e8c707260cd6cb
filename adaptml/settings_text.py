"""Settings as text, for people and for shells: never with a password."""

import shlex

import sqlalchemy as sa
from sqlalchemy import exc

from adaptml.errors import SettingsError, listed
from adaptml.project import Project
from adaptml.settings import Settings

# MLflow 3.17's commands, `mlflow run` among them, open a local store without a folder for artifacts; only
# this variable names one. Those of a new experiment go into a folder in it that has the experiment's number.
ARTIFACT_ROOT_VARIABLE = "_MLFLOW_SERVER_ARTIFACT_ROOT"
_ADDRESSES = ("database_url", "results_database_url", "tracking_uri")
PLACES = ("root", "home", "tasks_dir", *_ADDRESSES)


def variable(name: str) -> str:
    """The environment variable that sets a setting."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"ADAPTML_{name.upper()}"


def shown(settings: Settings, name: str) -> str:
    """A setting's value as text, without passwords.

    Raises:
        SettingsError: no setting of that name.
    """
    if name not in Settings.model_fields:
        known = listed(list(Settings.model_fields), 20)
        raise SettingsError(f"no setting {name!r}; expected one of {known}")
    if name not in _ADDRESSES:
        return str(getattr(settings, name))
    address = _address(settings, name)
    try:
        return sa.make_url(address).render_as_string(hide_password=True)
    except exc.ArgumentError:  # MLflow knows addresses that are none of a database
        return address


def exports(project: Project) -> dict[str, str]:
    """Where the project's things are, as a shell hands it on to `mlflow run`.

    An address with a password is left out: steps read it from the environment or the project's `.env.dev`.

    Returns:
        Variable → value: the project's folders, its database, MLflow's store, and where a local store puts
        artifacts of an experiment that MLflow makes before a step's code runs.
    """
    settings = project.settings
    addresses = {name: _address(settings, name) for name in _ADDRESSES}
    values = {name: addresses[name] if name in addresses else str(getattr(settings, name)) for name in PLACES}
    found = {variable(name): value for name, value in values.items() if value and not _has_password(value)}
    if settings.artifact_root is None:
        return found
    settings.home.mkdir(parents=True, exist_ok=True)  # MLflow does not make the folder of its store
    return found | {ARTIFACT_ROOT_VARIABLE: settings.artifact_root}


def export_lines(project: Project) -> list[str]:
    """`exports` as lines for a shell's `eval`; what is left out is a remark among them."""
    found = exports(project)
    secret = [variable(name) for name in _ADDRESSES if _has_password(_address(project.settings, name))]
    remarks = [f"# {name} is not shown: it holds a password" for name in secret]
    return [*(f"export {name}={shlex.quote(value)}" for name, value in found.items()), *remarks]


def _address(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value if isinstance(value, str) else value.get_secret_value()


def _has_password(value: str) -> bool:
    """Whether an address, which may be empty, holds one."""
    try:
        parsed = sa.make_url(value)
    except exc.ArgumentError:
        return False
    return parsed.password is not None or any("password" in key.lower() for key in parsed.query)

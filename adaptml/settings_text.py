"""Settings as text, for people and for shells: without secrets, unless somebody asks for them."""

import shlex

from pydantic import SecretStr

from adaptml.errors import SettingsError, listed
from adaptml.masking import MASK, holds_secret, masked
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


def shown(settings: Settings, name: str, *, secrets: bool = False) -> str:
    """A setting's value as text.

    Args:
        settings: all of them.
        name: which.
        secrets: with passwords and tokens, which are `***` otherwise.

    Raises:
        SettingsError: no setting of that name.
    """
    if name not in Settings.model_fields:
        known = listed(list(Settings.model_fields), 20)
        raise SettingsError(f"no setting {name!r}; expected one of {known}")
    value = getattr(settings, name)
    text = _plain(value)
    if secrets:
        return text
    is_secret = isinstance(value, SecretStr) and name not in _ADDRESSES
    return MASK if is_secret and text else masked(text)


def exports(project: Project) -> dict[str, str]:
    """Where the project's things are, as a shell hands it on to `mlflow run`.

    An address with a password is left out: steps read it from the environment or the project's `.env.dev`.

    Returns:
        Variable → value: the project's folders, its database, MLflow's store, and where a local store puts
        artifacts of an experiment that MLflow makes before a step's code runs.
    """
    settings = project.settings
    values = {name: _plain(getattr(settings, name)) for name in PLACES}
    found = {variable(name): value for name, value in values.items() if value and not holds_secret(value)}
    if settings.artifact_root is None:
        return found
    settings.home.mkdir(parents=True, exist_ok=True)  # MLflow does not make the folder of its store
    return found | {ARTIFACT_ROOT_VARIABLE: settings.artifact_root}


def export_lines(project: Project) -> list[str]:
    """`exports` as lines for a shell's `eval`; what is left out is a remark among them."""
    found = exports(project)
    values = {name: _plain(getattr(project.settings, name)) for name in PLACES}
    secret = [variable(name) for name, value in values.items() if holds_secret(value)]
    remarks = [f"# {name} is not shown: it holds a password" for name in secret]
    return [*(f"export {name}={shlex.quote(value)}" for name, value in found.items()), *remarks]


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

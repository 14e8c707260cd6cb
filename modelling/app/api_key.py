"""The service as its container runs it: with a key wherever it can be reached from other machines."""

import os

from starlette.types import ASGIApp

from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import hand_on_mlflow
from modelling.app.key import needed_key
from modelling.app.workers import Service


def keyed_service(project: Project) -> Service:
    """The service with a key, unless only the host's own programs can reach it.

    `API_BIND` is the host's address that the service is published on.

    Args:
        project: whose champions are served.

    Raises:
        SettingsError: a key is needed, and there is none that is long enough.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # it would fill the log
    hand_on_mlflow(project.settings.root, os.environ)
    mask_this_process(os.environ)
    bind = os.environ.get("API_BIND", "")
    return Service(project.settings, needed_key(project.settings.api_key_file, bind, "API_BIND=127.0.0.1"))


def keyed_app() -> ASGIApp:
    """The same as an app, for a server of one's own: that of the environment.

    Raises:
        SettingsError: as `keyed_service`; it is to write, and has no key.
    """
    project = Project()
    return keyed_service(project).app(project)

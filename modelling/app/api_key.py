"""The service as its container runs it: with a key wherever it can be reached from other machines."""

import os

from starlette.types import ASGIApp

from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import hand_on_mlflow
from modelling.app.front import fronted
from modelling.app.key import needed_key
from modelling.app.main import create_app


def keyed_app(project: Project | None = None) -> ASGIApp:
    """The service with a key, unless only the host's own programs can reach it.

    `API_BIND` is the host's address that the service is published on.

    Args:
        project: whose champions are served; default: that of the environment.

    Raises:
        SettingsError: a key is needed, and there is none that is long enough.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # it would fill the log
    project = project or Project()
    hand_on_mlflow(project.settings.root, os.environ)
    mask_this_process(os.environ)
    app = create_app(project)
    bind = os.environ.get("API_BIND", "")
    key = needed_key(project.settings.api_key_file, bind, "API_BIND=127.0.0.1")
    return fronted(app, project.settings, key)

"""A key in front of the prediction service, wherever it can be reached from other machines."""

import os

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from adaptml.errors import SettingsError
from adaptml.listening import is_loopback
from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import hand_on_mlflow
from modelling.app.api_errors import ErrorBody, ErrorDetail
from modelling.app.key import MIN_KEY_CHARS, NO_KEY, WRONG_KEY, carries_key, read_key
from modelling.app.main import create_app

_OPEN_PATHS = frozenset({"/health"})  # says nothing of the data, and those who watch the service ask for it


class KeyRequired:
    """An ASGI app that lets requests through that carry the key, and answers others with 401.

    The key comes as the header `X-API-Key`, or as `Authorization: Bearer`.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        """Put the key in front of an app.

        Args:
            app: what is protected; `/health` stays open.
            key: what a request must carry, as it is.
        """
        self._app, self._key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if (
            scope["type"] == "http"
            and scope["path"] not in _OPEN_PATHS
            and not carries_key(dict(scope["headers"]), self._key)
        ):
            body = ErrorBody(error=ErrorDetail(code=WRONG_KEY, message=NO_KEY))
            answer = JSONResponse(body.model_dump(), 401, {"WWW-Authenticate": "Bearer"})
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def keyed_app() -> ASGIApp:
    """The service as its container runs it: with a key unless only the host's own programs can reach it.

    `API_BIND` is the host's address that the service is published on.

    Raises:
        SettingsError: a key is needed, and there is none that is long enough.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # it would fill the log
    project = Project()
    hand_on_mlflow(project.settings.root, os.environ)
    mask_this_process(os.environ)
    app = create_app(project)
    bind = os.environ.get("API_BIND", "")
    if is_loopback(bind):
        return app
    path = project.settings.api_key_file
    key = read_key(path)
    if not key:
        raise SettingsError(
            f"the service is published on {bind or 'an unknown address'}, and {path} holds no key of "
            f"{MIN_KEY_CHARS} characters or more; write one, or set API_BIND=127.0.0.1"
        )
    return KeyRequired(app, key)

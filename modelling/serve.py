"""Serve champions over HTTP, or models from folders."""

import copy
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import uvicorn

from adaptml.errors import SettingsError
from adaptml.project import Project
from modelling.app.main import create_app

SHUTDOWN_TIMEOUT_S = 10
BACKLOG = 2048


def serve(
    project: Project,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] | None = None,
    *,
    featurize: bool = False,
    models: Sequence[Path | str] = (),
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first.

    Args:
        project: whose champions are served.
        host: address to listen on; default: the settings' (127.0.0.1: this machine only).
        port: port; 0 takes a free one; default: the settings' (8000).
        on_ready: called with the service's address when it answers.
        featurize: compute the features of rows that have none yet, with the encoder that the model was
            trained with; otherwise such a row is answered with 409.
        models: folders that `export_model` wrote, to serve in place of the champions; no registry is asked.

    Raises:
        SettingsError: the address cannot be listened on.
        ModelError: a folder that cannot be served.

    Example:
        >>> def stop(address):
        ...     print("ready at", address.rpartition(":")[0])
        ...     signal.raise_signal(signal.SIGINT)
        >>> project.serve(port=0, on_ready=stop)
        ready at http://127.0.0.1
    """
    app = create_app(project, featurize=featurize, models=models)
    settings = project.settings
    listener = _listen(settings.host if host is None else host, settings.port if port is None else port)
    bound_host, bound_port = listener.getsockname()[:2]
    address = f"http://{f'[{bound_host}]' if ':' in bound_host else bound_host}:{bound_port}"
    config = uvicorn.Config(
        app,
        log_level="warning",
        log_config=_log_config(),
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
    )
    server = _Server(config, lambda: on_ready(address) if on_ready else None)
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again when it has shut down; being asked to stop is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; with it on,
    # each small answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else error
        raise SettingsError(
            f"cannot listen on {host} port {port}: {reason}; choose another with --port (0 takes a free one)"
        ) from error
    return listener


def _log_config() -> dict[str, object]:
    config = copy.deepcopy(uvicorn.config.LOGGING_CONFIG)
    config["loggers"]["modelling"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("serve")

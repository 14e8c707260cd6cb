"""Serve champions over HTTP, or models from folders."""

from collections.abc import Callable, Sequence
from pathlib import Path

from adaptml.listening import address_of, listen
from adaptml.project import Project
from modelling.app.key import needed_key
from modelling.app.workers import Service, run_service


def serve(
    project: Project,
    host: str | None = None,
    port: int | None = None,
    on_ready: Callable[[str], None] | None = None,
    *,
    featurize: bool = False,
    models: Sequence[Path | str] = (),
    root_path: str | None = None,
    workers: int | None = None,
) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; requests under way are answered first.

    Args:
        project: whose champions are served.
        host: address to listen on; default: the settings' (127.0.0.1: this machine only).
        port: port; 0 takes a free one; default: the settings' (8000).
        on_ready: called with the service's address when it answers.
        featurize: compute the features of rows that have none yet, with the encoder that the model was
            trained with; otherwise such a row is answered with 409.
        models: folders that `export_model` wrote, to serve in place of the champions; no registry is asked.
        root_path: prefix, as `/ml`, under which a proxy passes requests on; default: the settings' (none).
        workers: processes that answer, each with the models; default: the settings' (1: this process).

    Raises:
        SettingsError: the address cannot be listened on, or other machines could ask and there is no key.
        ModelError: a folder that cannot be served.

    Example:
        >>> import signal
        >>> def stop(address):
        ...     print("ready at", address.rpartition(":")[0])
        ...     signal.raise_signal(signal.SIGINT)
        >>> project.serve(port=0, on_ready=stop)
        ready at http://127.0.0.1
    """
    settings = project.settings
    if root_path is not None:
        settings = settings.model_copy(update={"root_path": root_path})
    host = settings.host if host is None else host
    key = needed_key(settings.api_key_file, host, "ADAPTML_HOST=127.0.0.1")
    listener = listen(host, settings.port if port is None else port)
    address = address_of(listener)
    run_service(
        Service(settings, key, (host,), featurize, tuple(models)),
        project,
        listener,
        settings.service_workers if workers is None else workers,
        lambda: on_ready(address) if on_ready else None,
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("serve")

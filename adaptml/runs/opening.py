"""Opening MLflow's server or store: told in seconds, made by one process, never migrated unasked."""

import fcntl
import logging
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from mlflow.environment_variables import (
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR,
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT,
)
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.rest_utils import http_request, verify_rest_response

from adaptml.addresses import sqlite_file
from adaptml.errors import TrackingError, one_line
from adaptml.masking import masked
from adaptml.progress import waiting
from adaptml.runs.moved import follow_home

FIRST_ANSWER_S = 5  # of the server's first answer; asked once more, that is ten seconds
_SEARCH = "/api/2.0/mlflow/experiments/search"
_SERVERS = ("http://", "https://")
_FOLDER = (
    "MLflow at {uri} cannot be used: MLflow takes no folder of files as a store any more; copy it into a "
    "database with `mlflow migrate-filestore --source FOLDER --target sqlite:////FULL/PATH/mlflow.db`, and "
    "set MLFLOW_TRACKING_URI to that target"
)
_LOGIN = (
    "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, in the environment or in .env.dev, "
    "to an account that may do this there"
)
_NOT_LET_IN = (401, 403)
_REVISION, _REVISES = (
    re.compile(rf"^{name} = ['\"](\w+)", re.MULTILINE) for name in ("revision", "down_revision")
)
_MAKING = Lock()  # a new store is made by migrations that keep global state


def store_errors() -> tuple[type[Exception], ...]:
    """What MLflow's stores raise; a local one, which alone loads SQLAlchemy, lets its errors through."""
    sqlalchemy = sys.modules.get("sqlalchemy.exc")
    return (MlflowException, OSError, *((sqlalchemy.SQLAlchemyError,) if sqlalchemy else ()))


@contextmanager
def made_by_whoever_is_first() -> Iterator[None]:
    """Make something by its name; where another process made the same just now, all is well."""
    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def login(error: Exception) -> str:
    """What to do where a server asks who one is, or does not let one in; empty for another error."""
    if isinstance(error, MlflowException):
        status = error.get_http_status_code()  # type: ignore[no-untyped-call]
    else:  # of `requests`, which brings artifacts
        status = getattr(getattr(error, "response", None), "status_code", None)
    return _LOGIN if status in _NOT_LET_IN else ""


def open_client(uri: str, home: Path | None = None, adopted_run: str = "") -> MlflowClient:
    """A client of a tracking server or store that has answered its first question.

    Args:
        uri: MLflow's tracking server or store.
        home: folder to make before a local store in it is opened; the store's addresses follow it.
        adopted_run: a run that somebody opened for the step, which has no files yet; empty: none.

    Raises:
        TrackingError: it cannot be used, or is a store of an older MLflow.
    """
    for name in ("mlflow", "alembic"):  # a new store tells of 60 migrations
        logging.getLogger(name).setLevel(logging.WARNING)
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.default = False  # a bar for each file of a few bytes
    MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.default = True  # which is for answers
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it also raises what it logs
    try:
        if uri.startswith(_SERVERS):
            return _of_server(uri)
        return _of_store(uri, home, adopted_run)
    except store_errors() as error:
        if uri.startswith("file:") or ":" not in uri:
            raise TrackingError(_FOLDER.format(uri=uri)) from error
        raise TrackingError(
            f"MLflow at {uri} cannot be used: {one_line(error)}; "
            f"{login(error) or 'see that it runs, or set MLFLOW_TRACKING_URI'}"
        ) from error
    except ImportError as error:  # what a store needs beyond the client, MLflow's client does not ask for
        raise TrackingError(
            f"runs in {uri} need the package {error.name}, which is not installed; "
            "install the extra: pip install -e '.[embedded]', or set MLFLOW_TRACKING_URI to a server"
        ) from error


def _of_server(uri: str) -> MlflowClient:
    """Ask once, and once more, with a limit that is for this question alone: artifacts may take longer."""
    client = MlflowClient(uri, registry_uri=uri)
    credentials = client._tracking_client.store.get_host_creds()
    with waiting(f"waiting for MLflow at {masked(uri)}"):
        answer = http_request(  # type: ignore[no-untyped-call]
            credentials, _SEARCH, "POST", max_retries=1, timeout=FIRST_ANSWER_S, json={"max_results": 1}
        )
        verify_rest_response(answer, _SEARCH)
    return client


def _of_store(uri: str, home: Path | None, adopted_run: str) -> MlflowClient:
    path = sqlite_file(uri)
    if path is not None:
        _check_file(path, uri, home)
    with _MAKING, _alone(None if path is None else path.parent):
        if "://" in uri:
            _check_age(uri, path)
        client = MlflowClient(uri, registry_uri=uri)
        client.search_experiments(max_results=1)
        if path is not None and home is not None:
            follow_home(path, home, adopted_run)
    return client


def _check_file(path: Path, uri: str, home: Path | None) -> None:
    """Refuse what can be no store: MLflow would try for a minute."""
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
    if path.is_dir() or not path.parent.is_dir():
        what = "is a folder" if path.is_dir() else "is in a folder that does not exist"
        raise TrackingError(
            f"MLflow at {uri} cannot be used: {path} {what}; expected a file, which is made: "
            "set MLFLOW_TRACKING_URI"
        )


@contextmanager
def _alone(folder: Path | None) -> Iterator[None]:
    """A block for one process at a time in each folder: of several first commands one makes the store."""
    if folder is None:
        yield
        return
    place = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError), waiting(f"waiting for another process that opens the runs in {folder}"):
            fcntl.flock(place, fcntl.LOCK_EX)  # not on every file system: then several may make it at once
        yield
    finally:
        os.close(place)


def _schemas() -> tuple[str, set[str]]:
    """The schema that this MLflow makes, and all that it knows, as the files of its migrations say.

    Alembic would compile and run all of them, which takes longer than a small prediction; MLflow has it do so
    once more.
    """
    from mlflow.store.db import utils

    folder = Path(utils.__file__).parents[1] / "db_migrations" / "versions"
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("*.py")]
    known = {found[1] for text in texts if (found := _REVISION.search(text))}
    (latest,) = known - {found[1] for text in texts if (found := _REVISES.search(text))}
    return latest, known


def _check_age(uri: str, path: Path | None) -> None:
    """Refuse a store of an older MLflow, which MLflow would bring up to date without a word.

    What others use can then not be read by their MLflow any more, and there is no way back.
    """
    import sqlalchemy as sa
    from mlflow.store.db import utils

    if path is not None and not path.exists():
        return
    engine = sa.create_engine(uri)
    try:
        found = utils._get_schema_version(engine)  # type: ignore[no-untyped-call]
    finally:
        engine.dispose()
    expected, known = _schemas()
    if found in (None, expected):  # None: it has no table of MLflow's yet
        return
    if found not in known:
        raise TrackingError(
            f"MLflow's store {uri} is of a newer MLflow (schema {found}; this one knows up to {expected}); "
            "use that MLflow, or set MLFLOW_TRACKING_URI to another store"
        )
    save = f"copy {path}" if path is not None else "save the database"
    raise TrackingError(
        f"MLflow's store {uri} is of an older MLflow (schema {found}; this one needs {expected}); an older "
        f"program cannot read it once it is brought up to date, so {save} first, then run "
        f"`mlflow db upgrade {shlex.quote(uri)}`"
    )

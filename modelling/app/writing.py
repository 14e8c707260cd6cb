"""`?write=true`: a request's predictions also go to `<task>_predictions`, where the service may write."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd
from fastapi import Request

from adaptml.database import Database, WritebackKind, write_back
from adaptml.errors import DatabaseError, DatabaseUnavailableError, SettingsError
from adaptml.frames import KEYS
from adaptml.settings import Settings
from adaptml.tasks import PROBLEM_TYPES, Task, names
from modelling.app.api_errors import ApiError, database_away
from modelling.app.key import (
    DOES_NOT_WRITE,
    MIN_KEY_CHARS,
    NO_KEY,
    WRITING_IS_OFF,
    WRONG_KEY,
    carries_key,
    read_key,
)
from modelling.app.turns import WAIT_S
from modelling.champion import Champion
from modelling.keyed import PROB
from modelling.registration import task_name

_SAID = {"true": True, "1": True, "false": False, "0": False, "": False}
_log = logging.getLogger(__name__)


class Writing:
    """Writes what champions answered, for requests that may."""

    def __init__(self, results: Database, key: str) -> None:
        """Write nothing yet.

        Args:
            results: where tables of predictions lie.
            key: what a request must carry to have its answer written; empty: none may.
        """
        self._results, self._key, self._one_at_a_time = results, key, Lock()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One writes at a time, as two first requests would both make the table; none waits long for it."""
        if not self._one_at_a_time.acquire(timeout=WAIT_S):
            raise ApiError(503, "too_busy", "others are written first; try again later")
        try:
            yield
        finally:
            self._one_at_a_time.release()

    def is_asked(self, request: Request) -> bool:
        """Whether a request wants its answer written, and may have it.

        Raises:
            ApiError: 422 where it says neither true nor false, 403 where this service does not write, 401
                where it does not carry the key.
        """
        said = request.query_params.get("write", "")
        if said.lower() not in _SAID:
            message = f"write is {said[:20]!r}; expected true or false"
            raise ApiError(422, "invalid_request", message, problems=[{"where": "write", "problem": message}])
        if not _SAID[said.lower()]:
            return False
        if not self._key:
            raise ApiError(403, WRITING_IS_OFF, DOES_NOT_WRITE)
        if not carries_key(dict(request.headers.raw), self._key):
            raise ApiError(401, WRONG_KEY, NO_KEY)
        return True

    def write(self, champion: Champion, answer: Mapping[str, Sequence[Any]]) -> None:
        """Write an answer as `predict --write` does: a row of the same point and run is replaced.

        Args:
            champion: who answered.
            answer: as `Champion.predict` gives it.

        Raises:
            ApiError: 503 where the database is away, 409 where it refuses.
        """
        model = f"{champion.name}/{champion.version}"
        flags = np.array([answer[name] for name in champion.classes]).T
        probs = np.array([answer[PROB + name] for name in champion.classes]).T
        columns = {key: answer[key] for key in KEYS} | {"label": names(flags, champion.classes)}
        frame = pd.DataFrame(columns | {"model": model, "label_probs": list(probs)})
        kind, task = WritebackKind.PREDICTIONS, _task(champion)
        try:
            with self._turn():
                write_back(
                    self._results,
                    task,
                    kind,
                    frame.drop_duplicates(KEYS),
                    champion.run_id or model,
                    current=False,
                )
        except DatabaseUnavailableError as error:
            raise database_away() from error
        except DatabaseError as error:
            _log.warning("model %s: its predictions were not written: %s", model, error)
            message = f"the predictions were not written to {task.name}_{kind}; the server's log says why"
            raise ApiError(409, "not_written", message) from error


def _task(champion: Champion) -> Task:
    """What of the task the tables need: its name and the classes that the model knows."""
    setting = next((name for name in PROBLEM_TYPES if champion.name.startswith(f"{name}_")), "")
    return Task.model_validate({"name": task_name(champion.name, setting), "classes": champion.classes})


def writing(settings: Settings, results: Database) -> Writing:
    """What a service writes with; nothing, unless its settings say so.

    Raises:
        SettingsError: it is to write, and has no key.
    """
    if not settings.service_writes:
        return Writing(results, "")
    key = read_key(settings.api_key_file)
    if not key:
        raise SettingsError(
            f"ADAPTML_SERVICE_WRITES is set, and {settings.api_key_file} holds no key of {MIN_KEY_CHARS} "
            "characters or more: write one there, or name its file in API_KEY_FILE"
        )
    return Writing(results, key)

"""What the service says of itself."""

import logging
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, Field

from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    FeatureError,
    MissingDataPointsError,
    one_line,
)
from modelling.app.model_cache import Served, ServedModel

# All may ask after the service's health: addresses and paths are for the log, and for those with the key.
NOT_LOADED = "it does not load; GET / and the server's log say why"
TABLE_CHANGED = "the table of its example is gone or has changed; the server's log says how"
_log = logging.getLogger(__name__)


class ModelStatus(BaseModel):
    """One champion."""

    name: str
    endpoint: str = Field(description="where to POST data points", examples=["/predict_multiclass_example"])
    champion_version: str = Field(description="the version that the registry's alias names")
    loaded: bool = Field(description="whether some version answers")
    version: str | None = Field(
        description="the version that answers; an older one while the champion's fails"
    )
    run_id: str | None = Field(description="the MLflow run that trained the version that answers")
    classes: list[str]
    problem: str | None = Field(description="why the champion's version is not loaded")
    note: str | None = Field(description="that its task has other classes now, where it has; it answers on")
    answered_from: list[str] = Field(
        description="where the votes in its answers can come from; none of a model that takes no votes"
    )


class Listing(BaseModel):
    """All champions."""

    models: list[ModelStatus]
    registry_problem: str | None = Field(description="why the registry did not answer when last asked")


class Health(BaseModel):
    """The service can answer."""

    status: Literal["ok", "degraded"] = Field(
        description="degraded: a champion or the registry is away, a model fails, or none answers"
    )
    database: Literal["ok"]
    loaded: dict[str, str] = Field(description="name and version of each model that answers")
    not_loaded: dict[str, str] = Field(description="name of each champion that is not loaded, and why")
    failing: dict[str, str] = Field(
        description="name of each model that cannot answer for the data points of its example, and why"
    )
    registry_problem: str | None


def listing(cache: Served) -> Listing:
    """Say of every champion whether it is loaded."""
    return Listing(models=[_status(model) for model in cache.models], registry_problem=cache.registry_problem)


def health(cache: Served, failing: Mapping[str, str]) -> Health:
    """Say what answers; the caller has asked the database.

    Args:
        cache: the champions.
        failing: as `failing_models` gives it.
    """
    not_loaded = {model.name: NOT_LOADED for model in cache.models if model.problem is not None}
    loaded = {m.name: m.champion.version for m in cache.models if m.champion is not None}
    return Health(
        status="degraded" if not_loaded or failing or cache.registry_problem or not loaded else "ok",
        database="ok",
        loaded=loaded,
        not_loaded=not_loaded,
        failing=dict(failing),
        registry_problem=cache.registry_problem,
    )


def failing_models(cache: Served) -> dict[str, str]:
    """Models that cannot answer for the data points of their example: a table was dropped, a column renamed.

    Raises:
        DatabaseUnavailableError: the database is away.
    """
    failing: dict[str, str] = {}
    for model in cache.models:
        champion = model.champion
        if champion is None or not champion.example:
            continue
        try:
            champion.predict(champion.example["table_name"], champion.example["id"])
        except MissingDataPointsError:  # rows come and go
            continue
        except DatabaseUnavailableError:
            raise
        except (DatabaseError, FeatureError) as error:
            _log.warning("health: model %s: %s", model.name, error)
            failing[model.name] = TABLE_CHANGED if isinstance(error, DatabaseError) else str(error)
        except Exception as error:  # noqa: BLE001 - the service's edge: a model can fail in any way
            _log.warning("health: model %s fails: %s: %s", model.name, type(error).__name__, one_line(error))
            failing[model.name] = "it fails when it is asked; the server's log says why"
    return failing


def _status(model: ServedModel) -> ModelStatus:
    champion = model.champion
    return ModelStatus(
        name=model.name,
        endpoint=f"/predict_{model.name}",
        champion_version=model.version,
        loaded=champion is not None,
        version=champion.version if champion else None,
        run_id=champion.run_id if champion else None,
        classes=list(champion.classes) if champion else [],
        problem=model.problem,
        note=(champion.note or None) if champion else None,
        answered_from=list(champion.ways) if champion else [],
    )

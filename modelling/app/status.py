"""What the service says of itself."""

from typing import Literal

from pydantic import BaseModel, Field

from modelling.app.model_cache import ModelCache, ServedModel


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


class Listing(BaseModel):
    """All champions."""

    models: list[ModelStatus]
    registry_problem: str | None = Field(description="why the registry did not answer when last asked")


class Health(BaseModel):
    """The service can answer."""

    status: Literal["ok", "degraded"] = Field(description="degraded: a champion or the registry is away")
    database: Literal["ok"]
    loaded: dict[str, str] = Field(description="name and version of each model that answers")
    not_loaded: dict[str, str] = Field(description="name of each champion that is not loaded, and why")
    registry_problem: str | None


def listing(cache: ModelCache) -> Listing:
    """Say of every champion whether it is loaded."""
    return Listing(models=[_status(model) for model in cache.models], registry_problem=cache.registry_problem)


def health(cache: ModelCache) -> Health:
    """Say what answers; the caller has asked the database."""
    not_loaded = {model.name: model.problem for model in cache.models if model.problem is not None}
    return Health(
        status="degraded" if not_loaded or cache.registry_problem else "ok",
        database="ok",
        loaded={m.name: m.champion.version for m in cache.models if m.champion is not None},
        not_loaded=not_loaded,
        registry_problem=cache.registry_problem,
    )


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
    )

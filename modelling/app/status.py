"""What the service says of itself."""

from typing import Literal

from pydantic import BaseModel, Field

from modelling.app.shelf import Place, Shelf


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


def listing(shelf: Shelf) -> Listing:
    """Say of every champion whether it is loaded."""
    return Listing(models=[_status(place) for place in shelf.places], registry_problem=shelf.registry_problem)


def health(shelf: Shelf) -> Health:
    """Say what answers; the caller has asked the database."""
    not_loaded = {place.name: place.problem for place in shelf.places if place.problem is not None}
    return Health(
        status="degraded" if not_loaded or shelf.registry_problem else "ok",
        database="ok",
        loaded={place.name: place.champion.version for place in shelf.places if place.champion is not None},
        not_loaded=not_loaded,
        registry_problem=shelf.registry_problem,
    )


def _status(place: Place) -> ModelStatus:
    champion = place.champion
    return ModelStatus(
        name=place.name,
        endpoint=f"/predict_{place.name}",
        champion_version=place.version,
        loaded=champion is not None,
        version=champion.version if champion else None,
        run_id=champion.run_id if champion else None,
        classes=list(champion.classes) if champion else [],
        problem=place.problem,
    )

"""The prediction service as a FastAPI app."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic_core import to_json
from starlette.routing import Route

from adaptml.database import Database
from adaptml.errors import (
    DatabaseError,
    FeatureError,
    MissingDataPointsError,
    UnknownTableError,
    listed,
)
from adaptml.features.on_the_fly import OnTheFly
from adaptml.features.points import Points
from adaptml.linear_algebra import one_thread
from adaptml.project import Project
from modelling.app.api_errors import ApiError, add_error_handlers, database_away, translated
from modelling.app.body import Bodies
from modelling.app.metrics import Metrics
from modelling.app.model_cache import ModelCache, Served, exported_models
from modelling.app.openapi import AWAY, describe
from modelling.app.prediction import PredictionRequest, parse
from modelling.app.status import Health, Listing, failing_models, health, listing
from modelling.app.turns import Probe, Turns
from modelling.app.writing import Writing, writing
from modelling.champion import Champion

POLL_S = 3.0
LOCK_TIMEOUT_S = 2.0  # a caller is better told to try again than left waiting
STATEMENT_S = 20.0
_log = logging.getLogger(__name__)

# Pickles run code when they are opened; the registry is asked often, so one quick try is enough.
_MLFLOW = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}


def create_app(project: Project, *, featurize: bool = False, models: Sequence[Path | str] = ()) -> FastAPI:
    """Make the service; models are loaded when it starts, and again when the registry names others.

    Args:
        project: holds the database and the model registry.
        featurize: compute features of rows that have none, with the encoder of the model that is asked.
        models: folders that `export_model` wrote; with one or more, no registry is asked.

    Raises:
        SettingsError: the service is to write, and has no key.
        ModelError: a folder that cannot be served.
    """
    database = _database(project, project.settings.database_url.get_secret_value())
    elsewhere = project.settings.results_database_url.get_secret_value()
    results = _database(project, elsewhere) if elsewhere else database
    on_the_fly = OnTheFly(project.settings.media) if featurize else None
    points = Points(database, results, on_the_fly, remembered_s=POLL_S)
    folders = [project.path(folder) for folder in models]
    cache: Served = (
        exported_models(folders, points)
        if folders
        else ModelCache(project.settings.tracking_uri, points, project.settings.home)
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Requests run side by side, and a few rows are too little work for several cores to share.
        with _mlflow_environment(), one_thread():
            await asyncio.to_thread(cache.refresh)
            watcher = asyncio.create_task(_watch(cache))
            yield
            watcher.cancel()
            with suppress(asyncio.CancelledError):
                await watcher
            cache.close()
            database.close()
            results.close()
            project.close()

    app: FastAPI = FastAPIOffline(
        title="ADaPT-ML predictions",
        description="Class flags and probabilities of data points, by `table_name` and `id`, from every "
        "deployed model. Each model has its own path; a newly deployed version answers within 10 seconds.",
        version="1.0.0",
        redoc_url=None,
        swagger_ui_parameters={"defaultModelsExpandDepth": 0},
        lifespan=lifespan,
    )
    app.openapi = lambda: describe(app, _loaded(cache))  # type: ignore[method-assign]
    add_error_handlers(app)
    at_once = project.settings.service_connections - 1  # one connection is left for /health
    turns = Turns(at_once, side_by_side=any(one.engine.name != "sqlite" for one in (database, results)))
    _add_routes(app, cache, database, writing(project.settings, results), turns)
    return app


def _database(project: Project, url: str) -> Database:
    connections = project.settings.service_connections
    return Database(url, LOCK_TIMEOUT_S, make=False, statement_s=STATEMENT_S, connections=connections)


def _add_routes(app: FastAPI, cache: Served, database: Database, writes: Writing, turns: Turns) -> None:
    metrics, probe, bodies = Metrics(cache), Probe(partial(_health, cache, database)), Bodies()

    @app.get("/", tags=["service"], summary="List the models")
    def models() -> Listing:
        """Every champion that the registry names: loaded or not, and why not."""
        return listing(cache)

    @app.get("/health", tags=["service"], summary="Can the service answer?", responses={503: AWAY})
    async def is_healthy() -> Health:
        """Whether the service can answer: asks the database, and each loaded model about its example."""
        return await probe.answer()

    @app.get("/metrics", tags=["service"], summary="Counts for Prometheus", response_class=PlainTextResponse)
    def counts() -> Response:
        """Requests, their latency, answers by class, models and the process, as Prometheus reads them."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    async def predict(request: Request) -> Response:
        name = request.path_params["name"]
        with metrics.request(name):
            champion = _served(cache, name)
            to = writes if writes.is_asked(request) else None
            async with bodies.read(request) as body:
                answer = await turns.run(partial(_answer, champion, body, database, to, metrics))
        return Response(answer, media_type="application/json")

    # First, as it is asked most, and without FastAPI's own reading of parameters; `describe` writes a path
    # for each model.
    app.router.routes.insert(0, Route("/predict_{name}", predict, methods=["POST"], include_in_schema=False))


def _health(cache: Served, database: Database) -> Health:
    try:
        database.tables()  # reads the catalogue: SQLite answers SELECT 1 without opening its file
        return health(cache, failing_models(cache))
    except DatabaseError as error:
        _log.warning("health: %s", error)
        raise database_away() from error


def _answer(
    champion: Champion, body: bytes, database: Database, to: Writing | None, metrics: Metrics
) -> bytes:
    asked = parse(body)
    try:
        answer = champion.predict(asked.table_name, asked.id)
    except UnknownTableError as error:
        raise _unknown_table(asked, database) from error
    except (MissingDataPointsError, FeatureError, DatabaseError) as error:
        _log.warning("model %s version %s: %s", champion.name, champion.version, error)
        raise translated(error) from error
    if to is not None:
        to.write(champion, answer)
    metrics.answered(champion.name, champion.classes, answer)
    return to_json(answer)


def _unknown_table(asked: PredictionRequest, database: Database) -> ApiError:
    """Name the tables that were asked for and are not there, and no others."""
    tables = list(dict.fromkeys(asked.table_name))
    try:
        unknown = [table for table in tables if not database.has_table(table)] or tables
    except DatabaseError as error:
        return translated(error)
    message = f"no table {listed(unknown)} in the database; name the table that holds the data points"
    return ApiError(404, "unknown_table", message, count=len(unknown), unknown=unknown[:20])


def _served(cache: Served, name: str) -> Champion:
    model = cache.get(name)
    if model is None:
        served = [champion.name for champion in _loaded(cache)]
        message = (
            f"no model {name[:100]!r} is served; served are {listed(served, 20) or 'none'}: deploy it first"
        )
        raise ApiError(404, "unknown_model", message, served=served)
    if model.champion is None:
        message = f"model {name} version {model.version} does not load; GET / says why"
        raise ApiError(503, "model_not_loaded", message)
    return model.champion


def _loaded(cache: Served) -> list[Champion]:
    return [model.champion for model in cache.models if model.champion is not None]


async def _watch(cache: Served) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        await asyncio.to_thread(cache.refresh)


@contextmanager
def _mlflow_environment() -> Iterator[None]:
    before: dict[str, Any] = {name: os.environ.get(name) for name in _MLFLOW}
    os.environ.update(_MLFLOW)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

"""The service's description as OpenAPI: each loaded champion has a path and a response schema of its own."""

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, FastAPI, Query
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, create_model

from modelling.app.api_errors import ErrorBody
from modelling.app.body import WRONG_TYPE
from modelling.app.front import WRONG_HOST
from modelling.app.key import DOES_NOT_WRITE, NO_KEY, WRITING_IS_OFF, WRONG_KEY
from modelling.app.prediction import MAX_IDS, PredictionRequest
from modelling.champion import Champion
from modelling.keyed import ANSWERED_FROM, PROB
from modelling.voting import COMPUTED, NO_VOTES, STORED

WRITE = (
    "also store the predictions in the task's table of predictions; needs the service's key, and a service "
    "that is set to write"
)
FROM_WHERE = (
    f"where the votes of rules on the data point came from: `{COMPUTED}` by the service, `{STORED}` by "
    f"`adaptml label --write`, or `{NO_VOTES}`: answered from its features alone"
)


def error_response(description: str, code: str, message: str, **details: Any) -> dict[str, Any]:
    """Describe one status, with an example of its body."""
    example = {"error": {"code": code, "message": message, "details": details}}
    return {
        "model": ErrorBody,
        "description": description,
        "content": {"application/json": {"example": example}},
    }


AWAY = error_response(
    "`database_unavailable`, `model_not_loaded`, `too_busy`, `too_slow`, `stopping`: try again later",
    "database_unavailable",
    "the database is away or locked; try again later",
)
ERRORS: dict[int | str, dict[str, Any]] = {
    401: error_response("`wrong_key`: to write, a request needs the service's key", WRONG_KEY, NO_KEY),
    403: error_response(
        "`writing_is_off`: the service was asked to write, and does not",
        WRITING_IS_OFF,
        DOES_NOT_WRITE,
    ),
    404: error_response(
        "`unknown_data_points` (counted, the first 100 listed), `unknown_table`, `unknown_model`",
        "unknown_data_points",
        "1 of the data points are not in their table; load them or leave them out",
        count=1,
        missing=[{"table_name": "example_data", "id": "nope"}],
    ),
    408: error_response(
        "`request_timeout`: the request came in too slowly",
        "request_timeout",
        "the request's body did not come in within 60 s; send it again, faster or in parts",
    ),
    409: error_response(
        "`features_do_not_fit`: the table lacks a column that the model needs, or a data point's features "
        "are empty or of another length. `not_written`: the database refuses the predictions",
        "features_do_not_fit",
        "the table of the data points does not hold what the model needs; the server's log says more",
    ),
    413: error_response(
        f"`too_many_ids`: more than {MAX_IDS:,}; `body_too_large`",
        "too_many_ids",
        f"id: List should have at most {MAX_IDS} items; a request takes 1 to {MAX_IDS:,} data points: "
        "split it",
        max_ids=MAX_IDS,
    ),
    415: error_response(
        "`wrong_content_type`: not said to be JSON, or packed in another way than by gzip",
        "wrong_content_type",
        WRONG_TYPE.format(given="text/plain"),
    ),
    421: error_response(
        "`wrong_host`: the service was asked for by a name that it does not know",
        "wrong_host",
        WRONG_HOST.format(name="example.org"),
    ),
    422: error_response(
        "`invalid_request`: not JSON, wrong types, no data points, lists of unequal length",
        "invalid_request",
        'table_name: Field required; expected {"table_name": [text, …], "id": [text, …]}, as many of each',
        problems=[{"where": "table_name", "problem": "Field required"}],
    ),
    500: error_response("`internal_error`", "internal_error", "something broke; the server's log says what"),
    503: AWAY,
}


def describe(app: FastAPI, champions: list[Champion]) -> dict[str, Any]:
    """Describe the service as it is now.

    Args:
        app: the service, with its fixed routes.
        champions: the models that are loaded.
    """
    router = APIRouter()
    for champion in champions:
        router.add_api_route(
            f"/predict_{champion.name}",
            _endpoint(champion),
            methods=["POST"],
            summary=f"Predict with {champion.name}",
            description=f"Version {champion.version}, trained in run `{champion.run_id}`. "
            f"Classes: {', '.join(champion.classes)}. Answers come in the order of the request."
            + (f" Note: {champion.note}." if champion.note else ""),
            operation_id=f"predict_{champion.name}",
            response_model=response_schema(champion),
            responses=ERRORS,
            tags=["predictions"],
        )
    routes = [*router.routes, *app.routes]
    return get_openapi(title=app.title, version=app.version, description=app.description, routes=routes)


def response_schema(champion: Champion) -> type[BaseModel]:
    """The answer's schema: the keys, one list of 0 or 1 and one list of probabilities per class.

    Of a model that takes votes, also where those of each data point came from.
    """
    probability = Annotated[float, Field(ge=0, le=1)]
    fields: dict[str, Any] = {
        "table_name": (list[str], Field(description="as asked")),
        "id": (list[str], Field(description="as asked")),
    }
    # Class names need not be Python names, so they are aliases.
    for i, name in enumerate(champion.classes):
        about = f"1 where the data point is about {name}"
        fields[f"flag{i}"] = (list[Literal[0, 1]], Field(alias=name, description=about))
    for i, name in enumerate(champion.classes):
        about = f"probability of {name}"
        fields[f"prob{i}"] = (list[probability], Field(alias=PROB + name, description=about))
    if champion.ways:
        fields[ANSWERED_FROM] = (list[Literal[champion.ways]], Field(description=FROM_WHERE))  # type: ignore[name-defined]
    return create_model(f"{re.sub(r'[^A-Za-z0-9._-]', '_', champion.name)}_predictions", **fields)


def _endpoint(champion: Champion) -> Any:
    example = champion.example or {"table_name": ["my_table"], "id": ["1"]}

    def predict(
        body: Annotated[PredictionRequest, Body(examples=[example])],
        write: Annotated[bool, Query(description=WRITE)] = False,
    ) -> None:
        """Stands for the one route that serves all models; only its signature is read."""

    return predict

"""Every answer that is not a success has one shape: `{"error": {"code", "message", "details"}}`."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from adaptml.errors import (
    DatabaseError,
    DatabaseUnavailableError,
    FeatureError,
    MissingDataPointsError,
)

MAX_LISTED_MISSING = 100
RETRY_AFTER_S = 5
_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(RETRY_AFTER_S)}}


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str = Field(description="a fixed word, for programs", examples=["unknown_data_points"])
    message: str = Field(description="one line, for people: what was given, what was expected, what to do")
    details: dict[str, Any] = Field(default_factory=dict, description="what the code promises; see the docs")


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


class ApiError(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorBody(error=ErrorDetail(code=code, message=message, details=details))


def translated(error: MissingDataPointsError | FeatureError | DatabaseError) -> ApiError:
    """The answer for data points that cannot be read; the database's address and columns are not in it."""
    if isinstance(error, MissingDataPointsError):
        listed = [{"table_name": table, "id": key} for table, key in error.missing[:MAX_LISTED_MISSING]]
        return ApiError(
            404,
            "unknown_data_points",
            f"{len(error.missing)} of the data points are not in their table; load them or leave them out",
            count=len(error.missing),
            missing=listed,
        )
    if isinstance(error, DatabaseUnavailableError):
        return database_away()
    if isinstance(error, FeatureError):
        return ApiError(409, "features_do_not_fit", str(error))
    message = "the table of the data points does not hold what the model needs; the server's log says more"
    return ApiError(409, "features_do_not_fit", message)


def database_away() -> ApiError:
    """The answer while the database cannot be asked."""
    return ApiError(503, "database_unavailable", "the database is away or locked; try again later")


def add_error_handlers(app: FastAPI) -> None:
    """Give every error of an app the one shape."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected)


def _answer(error: ApiError, headers: dict[str, str] | None = None) -> JSONResponse:
    headers = _HEADERS.get(error.status, headers)
    return JSONResponse(error.body.model_dump(), status_code=error.status, headers=headers)


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """The answer to what never came to the service itself."""
    return _answer(ApiError(status, code, message))


async def _on_api_error(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise error
    return _answer(error)


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == 408:
        return _answer(ApiError(408, "request_timeout", error.detail), headers)
    code = {404: "unknown_path", 405: "method_not_allowed"}.get(error.status_code, "refused")
    hint = "GET / lists the models, /docs describes the requests"
    message = f"{request.method} {request.url.path[:200]}: {error.detail}; {hint}"
    return _answer(ApiError(error.status_code, code, message), headers)


async def _on_unexpected(_: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 - the framework's form
    # The server logs the error with its traceback; the caller learns nothing of the inside.
    return _answer(ApiError(500, "internal_error", "something broke; the server's log says what"))

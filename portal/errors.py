"""Errors as pages: one line, with the status that means it."""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from adaptml.errors import (
    AdaptmlError,
    DatabaseUnavailableError,
    LabelStudioUnavailableError,
    MissingDataPointsError,
    TrackingError,
    UnknownTableError,
    one_line,
)
from portal.guard import TooLargeError
from portal.jobs.job import NoJobError
from portal.showing import show

_STATUS: list[tuple[type[AdaptmlError], int]] = [
    (DatabaseUnavailableError, 503),
    (LabelStudioUnavailableError, 503),
    (TrackingError, 503),
    (UnknownTableError, 404),
    (MissingDataPointsError, 404),
    (NoJobError, 404),
]
_log = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Give every error of the app a page."""
    app.add_exception_handler(AdaptmlError, _on_ours)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_unexpected)


def error_page(request: Request, status: int, said: str) -> Response:
    """An error as a page, or as a block where htmx puts it in place of what was asked for."""
    block = "error" if "hx-request" in request.headers else None
    return show(request, "error.html", block, status, said=said, status_code=status)


def status_of(error: AdaptmlError) -> int:
    """The HTTP status that means an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def _on_ours(request: Request, error: Exception) -> Response:
    if not isinstance(error, AdaptmlError):
        raise error
    return error_page(request, status_of(error), one_line(error))


def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, TooLargeError):
        raise error.__cause__
    said = f"there is no page {request.url.path}" if error.status_code == 404 else str(error.detail)
    return error_page(request, error.status_code, said)


def _on_invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
    return error_page(request, 422, f"this was asked for wrongly: {wrong}")


def _on_unexpected(request: Request, error: Exception) -> Response:
    if isinstance(error, TooLargeError | ClientDisconnect):
        raise error
    _log.exception("%s %s", request.method, request.url.path, exc_info=error)
    return error_page(request, 500, "something broke; the page's log says what")

"""The log of a server: lines for people, or one JSON object a line for programs."""

import copy
import json
import logging
import time
from datetime import UTC, datetime
from typing import Any, Literal

from uvicorn.config import LOGGING_CONFIG

LogFormat = Literal["text", "json"]
FIELDS = ("method", "path", "status", "duration_s")  # of a request
NO_FILES = "no connection can be taken: this process may open no more files (ulimit -n)"
_ACCEPT = "socket.accept() out of system resource"
_MAX_REMEMBERED = 100


class OnceASecond(logging.Filter):
    """Lets through what clients cause in the server's own code once a second, however many they are."""

    def __init__(self) -> None:
        super().__init__()
        self._last_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is written."""
        if record.name == "asyncio" and str(record.msg).startswith(_ACCEPT):
            record.msg, record.args, record.exc_info = NO_FILES, (), None
        elif record.name != "uvicorn.error" or record.exc_info:
            return True
        now = time.monotonic()
        if now - self._last_s.get(record.msg, -1.0) < 1:
            return False
        if len(self._last_s) >= _MAX_REMEMBERED:
            self._last_s.clear()
        self._last_s[record.msg] = now
        return True


class JsonFormatter(logging.Formatter):
    """An object of one line: time (UTC), level, logger, message; of a request its fields; a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry: dict[str, Any] = {"time": when, "level": record.levelname, "logger": record.name}
        entry["message"] = record.getMessage().strip()
        entry |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            entry["traceback"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps(entry)


def log_config(log_format: LogFormat) -> dict[str, Any]:
    """What `logging.config.dictConfig` takes.

    Args:
        log_format: text: uvicorn's own lines, and those of the service. json: everything that the process
            logs, libraries included, and a line for each request.
    """
    config = copy.deepcopy(LOGGING_CONFIG)
    config["filters"] = {"once_a_second": {"()": OnceASecond}}
    handler = config["handlers"]["default"]
    handler["filters"] = ["once_a_second"]
    ours = {"handlers": ["default"], "level": "INFO", "propagate": False}
    config["loggers"] |= {"modelling": ours, "asyncio": {**ours, "level": "WARNING"}}
    if log_format == "json":
        config["formatters"]["default"] = {"()": JsonFormatter}
        config["root"] = {"handlers": ["default"], "level": "WARNING"}
        config["loggers"]["adaptml.edge"] = ours
        # MLflow gives these handlers of their own, whose lines are text.
        config["loggers"] |= {name: {"handlers": [], "propagate": True} for name in ("mlflow", "alembic")}
    return config

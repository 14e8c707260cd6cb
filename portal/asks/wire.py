"""Questions and answers between two processes: a line of JSON each, over a pair of sockets."""

import json
import socket
from typing import Any

from adaptml import errors
from adaptml.errors import AdaptmlError
from portal.asks.core import AskError

MOST_BYTES = 64 << 20  # of an answer
_CHUNK = 1 << 16


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one message."""
    connection.sendall(encoded(message))


def encoded(message: dict[str, Any]) -> bytes:
    """A message as its line."""
    return json.dumps(message, ensure_ascii=False, default=_plain).encode("utf-8", "replace") + b"\n"


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """Wait for one message; None where the other side closed without one.

    Raises:
        TimeoutError: the connection has a time limit, and it is over.
        ValueError: a message that is too long, or none of ours.
    """
    parts: list[bytes] = []
    size = 0
    while part := connection.recv(_CHUNK):
        parts.append(part)
        size += len(part)
        if part.endswith(b"\n"):
            message: dict[str, Any] = json.loads(b"".join(parts))
            return message
        if size > MOST_BYTES:
            raise ValueError(f"an answer of more than {MOST_BYTES} bytes")
    return None


def error_message(error: AdaptmlError) -> dict[str, Any]:
    """An error as a message."""
    more = {name: getattr(error, name, None) for name in ("file", "line", "rule")}
    return {"error": str(error), "type": type(error).__name__, **more}


def result_of(message: dict[str, Any]) -> dict[str, Any]:
    """The answer that a message carries.

    Raises:
        AdaptmlError: the error that it carries.
    """
    if "error" not in message:
        answer: dict[str, Any] = message["answer"]
        return answer | ({"printed": message["printed"]} if "printed" in message else {})
    kind = getattr(errors, message.get("type", ""), AskError)
    kind = kind if isinstance(kind, type) and issubclass(kind, AdaptmlError) else AskError
    error = kind.__new__(kind, message["error"])  # some are made of other things than their message
    error.__dict__ |= {name: message.get(name) for name in ("file", "line", "rule")}
    error.__dict__ |= {"printed": tuple(message.get("printed", ()))}
    raise error


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's."""
    return value.item()

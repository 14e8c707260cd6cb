"""A small app behind the server of the service and the page, and clients that say what they like, or nothing."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adaptml.listening import listen, make_server
from adaptml.settings import Settings

PATIENCE_S = 30  # for what must happen; nothing that a passing test waits for takes so long


def refuse(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def small_app(waiting: float = 0.0) -> Starlette:
    """`/health` is well, `/echo` gives back how much came, `/wait` waits, `/who` says who asks, `/much` is large."""

    async def echo(request: Request) -> Response:
        return JSONResponse(len(await request.body()))

    def wait(_: Request) -> Response:
        time.sleep(waiting)
        return JSONResponse("waited")

    def on_error(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return JSONResponse(error.detail, error.status_code, error.headers)

    routes = [
        Route("/health", lambda _: JSONResponse("well")),
        Route("/echo", echo, methods=["POST"]),
        Route("/early", lambda _: JSONResponse("early"), methods=["POST"]),
        Route("/wait", wait),
        Route("/who", lambda request: JSONResponse([request.client.host, request.url.scheme])),
        Route("/much", lambda _: PlainTextResponse("x" * 20_000_000)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: on_error})


@contextmanager
def edge_server(settings: Settings, **values: Any) -> Iterator[tuple[int, uvicorn.Server]]:
    """The app on a free port, in a thread, with these values of settings; gives the port and the server."""
    server = make_server(small_app(), settings.model_copy(update=values), refuse)
    listener = listen("127.0.0.1", 0)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1], server
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE_S)
        listener.close()
        assert not thread.is_alive(), "the server did not stop"


def client(port: int, sent: bytes = b"") -> socket.socket:
    """A connection over which something was sent."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.sendall(sent)
    return connection


def head(method: str, path: str, **headers: Any) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def next_answer(connection: socket.socket) -> tuple[int, Any]:
    """The next answer, on a connection that goes on."""
    raw = b""
    while True:
        raw += connection.recv(2**16)
        try:
            return answer(raw)
        except (ValueError, IndexError, StopIteration):  # not whole yet
            continue


def all_of(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    parts = []
    while part := connection.recv(2**16):
        parts.append(part)
    connection.close()
    return b"".join(parts)


def answer(raw: bytes) -> tuple[int, Any]:
    """The status and the JSON body of the first answer in what came."""
    top, _, body = raw.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in top.splitlines() if line.lower().startswith(b"content-length")
    )
    return int(top.split()[1]), json.loads(body[:length])

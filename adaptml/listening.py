"""Listening for HTTP requests: a socket of one's choice, and a server that says when it is ready."""

import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from adaptml.errors import SettingsError

SHUTDOWN_TIMEOUT_S = 10
BACKLOG = 2048


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and when it is asked to end."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready, self._on_stop = on_ready, on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def run_server(
    app: ASGIApp,
    listener: socket.socket,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None] = lambda: None,
    **config: Any,
) -> None:
    """Serve an app until SIGINT or SIGTERM; requests under way are answered first.

    Args:
        app: what is served.
        listener: a socket of `listen`; it is closed in the end.
        on_ready: called when the app answers.
        on_stop: called when it is asked to end, before answers under way are waited for.
        **config: further settings of uvicorn.
    """
    settings: dict[str, Any] = {
        "log_level": "warning", "access_log": False, "timeout_graceful_shutdown": SHUTDOWN_TIMEOUT_S,
    }  # fmt: skip
    server = _Server(uvicorn.Config(app, **settings, **config), on_ready, on_stop)
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again when it has shut down; being asked to stop is no failure.
        signal.signal(signal.SIGTERM, lambda *_: None)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # of which uvicorn knows nothing
            signal.signal(signal.SIGHUP, server.handle_exit)
    with listener, suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def address_of(listener: socket.socket) -> str:
    """The address under which a socket is asked."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_loopback(address: str) -> bool:
    """Whether only programs on the same machine can reach an address."""
    try:
        return address == "localhost" or ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: address to listen on.
        port: port; 0 takes a free one.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; with it on,
    # each small answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else error
        raise SettingsError(
            f"cannot listen on {host} port {port}: {reason}; choose another with --port (0 takes a free one)"
        ) from error
    return listener

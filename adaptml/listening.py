"""Listening for HTTP requests: a socket of one's choice, and a server that says when it is ready."""

import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from adaptml.edge.limits import Refuse, limits_of
from adaptml.edge.logs import log_config
from adaptml.edge.protocol import limited_protocol
from adaptml.edge.requests import Requests
from adaptml.errors import SettingsError
from adaptml.settings import Settings

BACKLOG = 2048
ACCEPTED_AT_ONCE = 4  # of the clients that wait; then it is looked at what those have sent
LAST_S = 5  # after the time for answers, for what the app closes in the end
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and when it is asked to end."""

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_ready, self._on_stop = on_ready, on_stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_stop()
        if sig != signal.SIGINT and not self.should_exit:
            _end_within((self.config.timeout_graceful_shutdown or 0) + LAST_S)
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)  # asyncio takes the number for how many it accepts at once, too
        if self.started:
            self._on_ready()


def make_server(
    app: ASGIApp,
    settings: Settings,
    refuse: Refuse,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """A server that is not running yet; it ends when its `should_exit` is set.

    Args:
        app: what is served.
        settings: the limits for clients, the proxies that are trusted, the form of the log.
        refuse: makes the answer to what is not taken.
        on_ready: called when the app answers.
        on_stop: called when a signal asks it to end, before answers under way are waited for.

    Raises:
        SettingsError: a proxy that is no address.
    """
    limits = limits_of(settings, refuse)
    config = uvicorn.Config(
        Requests(app, limits),
        http=limited_protocol(limits),
        ws="none",
        backlog=ACCEPTED_AT_ONCE,
        log_config=log_config(settings.log_format),
        log_level="warning",
        access_log=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=_proxies(settings.proxies),
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=settings.grace_seconds,
    )
    return _Server(config, on_ready, on_stop)


def run_server(
    app: ASGIApp,
    listener: socket.socket,
    settings: Settings,
    refuse: Refuse,
    on_ready: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve an app until SIGINT, SIGTERM or SIGHUP; requests under way are answered first.

    What cannot be answered within `grace_seconds` is refused with 503. After SIGTERM or SIGHUP the process
    ends 5 s later at the latest, even where a thread of it still waits for something.

    Args:
        app: what is served.
        listener: a socket of `listen`; it is closed in the end.
        settings: as `make_server` has them.
        refuse: likewise.
        on_ready: likewise.
        on_stop: likewise.
    """
    server = make_server(app, settings, refuse, on_ready, on_stop)
    with listener, _signals(server), suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


@contextmanager
def _signals(server: uvicorn.Server) -> Iterator[None]:
    """SIGHUP is as SIGTERM; being asked to stop is no failure, though uvicorn raises the signal again."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: None)}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup sets it
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, server.handle_exit)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_within(seconds: float) -> None:
    """End the process whatever its threads wait for: whoever sent the signal will not wait for ever."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


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


def host_name(host: str) -> str:
    """The name in a Host header, in small letters and without the port; brackets stay around IPv6."""
    name = host.lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]


def _proxies(text: str) -> list[str]:
    """The addresses in the setting: what is none would be trusted by nobody, without a word."""
    found = names_in(text)
    for name in found:
        try:
            ipaddress.ip_network(name, strict=False)
        except ValueError as error:
            raise SettingsError(
                f"ADAPTML_PROXIES holds {name!r}; expected addresses or networks such as 10.0.0.0/8, "
                "with commas between: correct it"
            ) from error
    return found


def names_in(text: str) -> list[str]:
    """The names in a setting that has commas between them."""
    return [name for part in text.split(",") if (name := part.strip())]


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

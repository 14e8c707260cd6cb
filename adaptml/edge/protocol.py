"""HTTP/1.1 as uvicorn speaks it, with limits for those who connect and say nothing, or only a part."""

import asyncio
import socket
import time
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from adaptml.edge.limits import Limits

NOT_HTTP = "this is no HTTP request that can be read; expected HTTP/1.1"
LATE_HEAD = "the request's head did not come in within {seconds:g} s; send it again"


class LimitedProtocol(H11Protocol):
    """One connection.

    Its client is awaited while no request is under way: until a head has come whole, and until the rest of
    a body has come that was answered before.
    """

    limits: ClassVar[Limits]

    # uvicorn's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; where there are too many, the one that has been idle for longest goes."""
        self._idle_since: float | None = time.monotonic()
        self._awaiting: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # for a client that does not read what it is answered
            wait_ms = int(self.limits.request_s * 1000)
            own = transport.get_extra_info("socket")
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, wait_ms)
        self._look()
        open_ = [other for other in self.connections if not other.transport.is_closing()]
        if len(open_) > self.limits.connections + self.limits.spare:
            idle = [other for other in open_ if _idle_since(other) is not None]
            min(idle, key=lambda other: _idle_since(other) or 0.0).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Go on to the next request."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        self._stop_awaiting()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the name and form of uvicorn's
        """Refuse what is no HTTP request."""
        self._refuse(400, "invalid_http", NOT_HTTP)

    # ours

    def _look(self) -> None:
        """Start or end the time that the client has, by what it has sent and what it was answered."""
        answered = self.cycle is None or self.cycle.response_complete
        if not answered:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = time.monotonic()
        state = self.conn.their_state
        # Before the next request begins, uvicorn's own time for keep-alive runs.
        begun = self.timeout_keep_alive_task is None or bool(self.conn.trailing_data[0])
        head = state is h11.IDLE and begun
        rest = state is h11.SEND_BODY and answered
        if not (head or rest):
            self._stop_awaiting()
        elif self._awaiting is None:
            self._awaiting = self.loop.call_later(self.limits.request_s, self._too_late)

    def _stop_awaiting(self) -> None:
        if self._awaiting is not None:
            self._awaiting.cancel()
            self._awaiting = None

    def _too_late(self) -> None:
        if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
            self._refuse(408, "request_timeout", LATE_HEAD.format(seconds=self.limits.request_s))
        else:
            self.transport.abort()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer what never became a request of the app, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            answer = self.limits.refuse(status, code, message)
            headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
            for event in (
                h11.Response(status_code=status, headers=headers),
                h11.Data(data=bytes(answer.body)),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def _idle_since(connection: object) -> float | None:
    return connection._idle_since if isinstance(connection, LimitedProtocol) else None


def limited_protocol(limits: Limits) -> type[LimitedProtocol]:
    """The class whose objects speak with a server's clients."""
    return type("LimitedProtocol", (LimitedProtocol,), {"limits": limits})

"""What happens to every request, whoever answers it: its turn, its time, its end, its line in the log."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adaptml.edge.limits import Limits

# What a client must send a second, beyond the time that any request has: Apache's MinRate.
MIN_BYTES_A_SECOND = 10_000
HEALTH = "/health"
BUSY = "{connections} requests are under way, and no more are taken; try again later"
STOPPING = "the server is stopping, and this was not answered in time; try again later"
LATE_BODY = "the request's body did not come in within {seconds:g} s; send it again, faster or in parts"
_log = logging.getLogger(__name__)


class Requests:
    """An ASGI app in front of another."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        """Stand in front of an app.

        Args:
            app: what answers. An `HTTPException` that it meets while it reads a body is its to answer.
            limits: how many requests are taken at a time, and how long their bodies may take.
        """
        self._app, self._limits, self._under_way = app, limits, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self._under_way += 1
        try:
            if self._under_way > self._limits.connections and not scope["path"].rstrip("/").endswith(HEALTH):
                await self._refuse(BUSY.format(connections=self._limits.connections), scope, receive, sending)
            else:
                await self._app(scope, _timed(receive, self._limits.request_s), sending)
        except ClientDisconnect:
            status = 0  # the app may have answered, to nobody
            _log.info("a client hung up before its request had come in")
        except asyncio.CancelledError:  # by the server, when the time for answers under way is over
            if not status:
                await self._refuse(STOPPING, scope, receive, sending)
        finally:
            self._under_way -= 1
            _say(scope, status, time.monotonic() - began)

    async def _refuse(self, message: str, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._limits.refuse(503, "too_busy" if message != STOPPING else "stopping", message)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)


def _say(scope: Scope, status: int, seconds: float) -> None:
    """A line of the log, which programs read: see `adaptml.edge.logs`; 0 where nothing was answered."""
    method, path = scope["method"], scope["path"]
    fields = {"method": method, "path": path, "status": status, "duration_s": round(seconds, 4)}
    _log.info("%s %s %s", method, path, status or "unanswered", extra=fields)


def _timed(receive: Receive, request_s: float) -> Callable[[], Awaitable[Message]]:
    """What receives a body; where it does not come fast enough, it raises an HTTPException of 408."""
    deadline, whole = asyncio.get_running_loop().time() + request_s, False

    async def receiving() -> Message:
        nonlocal deadline, whole
        if whole:  # what comes now is that the client has gone
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            late = LATE_BODY.format(seconds=request_s)
            raise HTTPException(408, late, {"Connection": "close"}) from None
        whole = not message.get("more_body", False)
        deadline += len(message.get("body", b"")) / MIN_BYTES_A_SECOND
        return message

    return receiving

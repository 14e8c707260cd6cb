"""Who is answered now, who waits for a moment, and a question that never waits for those."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from modelling.app.api_errors import ApiError
from modelling.app.status import Health

WAIT_S = 10.0  # a caller is better told to try again than left waiting
HEALTH_S = 10.0  # below what those who watch a service wait for it
Result = TypeVar("Result")


class Turns:
    """Predictions at a time, each in a thread; who comes later waits without one."""

    def __init__(self, at_once: int, wait_s: float = WAIT_S) -> None:
        """Let so many be at work.

        Args:
            at_once: predictions at a time, as many as there are connections to the database for them.
            wait_s: how long one waits for its turn, in seconds.
        """
        self._free, self._threads = asyncio.Semaphore(at_once), CapacityLimiter(at_once)
        self._wait_s = wait_s

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do some work in a thread when it is its turn.

        Raises:
            ApiError: 503, its turn did not come in time.
        """
        try:
            async with asyncio.timeout(self._wait_s if self._free.locked() else None):
                await self._free.acquire()
        except TimeoutError as error:
            message = (
                f"others are answered first, and no turn came within {self._wait_s:g} s; try again later"
            )
            raise ApiError(503, "too_busy", message) from error
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._free.release()


class Probe:
    """Asks whether the service can answer: in a thread of its own, once for all who ask meanwhile."""

    def __init__(self, ask: Callable[[], Health], limit_s: float = HEALTH_S) -> None:
        """Ask nothing yet.

        Args:
            ask: asks database and models.
            limit_s: how long its answer is waited for, in seconds.
        """
        self._ask, self._limit_s, self._thread = ask, limit_s, CapacityLimiter(1)
        self._asking: asyncio.Task[Health] | None = None

    async def answer(self) -> Health:
        """What it found.

        Raises:
            ApiError: 503, the database is away, or there is no answer yet.
        """
        if self._asking is None or self._asking.done():
            # Left alone where the service ends first: whatever hangs must not keep it from ending.
            work = to_thread.run_sync(self._ask, limiter=self._thread, abandon_on_cancel=True)
            self._asking = asyncio.create_task(work)
        done, _ = await asyncio.wait([self._asking], timeout=self._limit_s)
        if not done:
            message = f"database and models did not answer within {self._limit_s:g} s; try again later"
            raise ApiError(503, "too_slow", message)
        return self._asking.result()

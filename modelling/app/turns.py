"""Who is answered now, who waits for a moment, and a question that never waits for those."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from modelling.app.api_errors import ApiError
from modelling.app.status import Health

WAIT_S = 10.0  # a caller is better told to try again than left waiting
HEALTH_S = 10.0  # below what those who watch a service wait for it
LOOK_S = 0.005  # between two looks at whether turns get on
TOO_BUSY = "others are answered first, and no turn came within {seconds:g} s; try again later"
Result = TypeVar("Result")


@dataclass(eq=False)
class _Turn:
    """Somebody's work, and where its result is waited for."""

    work: Callable[[], Any]
    answer: "asyncio.Future[Any]"
    came_s: float = field(default_factory=time.monotonic)
    result: Any = None
    error: BaseException | None = None

    def take(self) -> None:
        """Do the work, in whatever thread this is."""
        try:
            self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            self.error = error

    def tell(self) -> None:
        """Give the result to whoever still waits for it."""
        if self.answer.done():
            return
        if self.error is None:
            self.answer.set_result(self.result)
        else:
            self.answer.set_exception(self.error)


class Turns:
    """Predictions at a time, each in a thread; who comes later waits without one.

    Python runs one thread at a time, and to hand this on takes about as long as a prediction from a file. So
    one thread takes all turns, one after the other, and brings the results to the event loop together. Where
    it is held up, by a lock or a slow disk or by much work, others help it.
    """

    def __init__(self, at_once: int, wait_s: float = WAIT_S, *, side_by_side: bool = False) -> None:
        """Let so many be at work.

        Args:
            at_once: predictions at a time, as many as there are connections to the database for them.
            wait_s: how long one waits for its turn, in seconds.
            side_by_side: every prediction waits for a server: none is kept for the thread of another.
        """
        self._at_once, self._wait_s, self._side_by_side = at_once, wait_s, side_by_side
        self._threads = ThreadPoolExecutor(at_once, "prediction")
        self._waiting: deque[_Turn] = deque()
        self._done: deque[_Turn] = deque()
        self._at_work, self._begun, self._begun_before = 0, 0, 0  # threads; turns, now and at the last look
        self._counts = Lock()
        self._waking = False
        self._looks_in: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do some work in a thread when it is its turn.

        Raises:
            ApiError: 503, its turn did not come in time.
        """
        loop = asyncio.get_running_loop()
        turn = _Turn(work, loop.create_future())
        self._waiting.append(turn)
        if not self._waking:  # once for all who come together
            self._waking = True
            loop.call_soon(self._wake, loop)
        found: Result = await turn.answer
        return found

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that somebody is at work."""
        self._waking = False
        self._help(loop, len(self._waiting) if self._side_by_side else 1 - self._at_work)
        if self._looks_in is not loop:
            self._looks_in = loop
            loop.call_later(LOOK_S, self._look, loop)

    def _help(self, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        """Set so many more threads to work, as far as turns wait and there may be more."""
        for _ in range(threads):
            with self._counts:
                if self._at_work >= self._at_once or not self._waiting:
                    return
                self._at_work += 1
            self._threads.submit(self._take_turns, loop)

    def _take_turns(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread, until none waits."""
        while True:
            with self._counts:
                if not self._waiting:
                    self._at_work -= 1
                    return
                turn = self._waiting.popleft()
                self._begun += 1
            if not turn.answer.cancelled():
                turn.take()
                self._done.append(turn)
            if self._side_by_side or not self._waiting:
                with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                    loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        """Bring the results to those who wait for them."""
        while self._done:
            self._done.popleft().tell()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """While there is work: bring what is done, help who is held up, send away who has waited for long."""
        self._tell()
        late: list[_Turn] = []
        with self._counts:
            held_up, self._begun_before = self._begun == self._begun_before, self._begun
            while self._waiting and time.monotonic() - self._waiting[0].came_s > self._wait_s:
                late.append(self._waiting.popleft())
            goes_on = bool(self._at_work or self._waiting)
        for turn in late:
            turn.error = ApiError(503, "too_busy", TOO_BUSY.format(seconds=self._wait_s))
            turn.tell()
        if held_up:
            self._help(loop, 1)
        self._looks_in = loop if goes_on else None
        if goes_on:
            loop.call_later(LOOK_S, self._look, loop)


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

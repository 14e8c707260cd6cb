"""Predictions take turns, and health is asked beside them: once for all who ask, and never for ever."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from modelling.app.api_errors import ApiError
from modelling.app.status import Health
from modelling.app.turns import Probe, Turns

SHORT_S = 0.05
FINE = Health(status="ok", database="ok", loaded={}, not_loaded={}, failing={}, registry_problem=None)


class Work:
    """Goes on until it is let go; counts how often it was begun, and how many were at it at once."""

    def __init__(self, result: Callable[[], Any] = lambda: FINE) -> None:
        self.begun, self.at_once, self.most_at_once = 0, 0, 0
        self.let_go, self._lock, self._result = threading.Event(), threading.Lock(), result

    def __call__(self) -> Any:
        with self._lock:
            self.begun += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.let_go.wait()
        with self._lock:
            self.at_once -= 1
        return self._result()


def refused() -> None:
    raise ApiError(404, "unknown_table", "no table")


async def told(question: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as answer:
        await question
    return answer.value.status, answer.value.body.error.code


def test_as_many_as_allowed_work_at_once_and_all_are_answered() -> None:
    work = Work()

    async def check() -> list[Any]:
        turns = Turns(2)
        asked = [asyncio.create_task(turns.run(work)) for _ in range(7)]
        while work.begun < 2:
            await asyncio.sleep(0)
        work.let_go.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(check()) == [FINE] * 7
    assert (work.begun, work.most_at_once) == (7, 2)


def test_a_turn_that_does_not_come_is_503_and_the_next_one_comes() -> None:
    work = Work()

    async def check() -> None:
        turns = Turns(1, SHORT_S)
        first = asyncio.create_task(turns.run(work))
        await asyncio.sleep(0)
        assert await told(turns.run(work)) == (503, "too_busy")
        work.let_go.set()
        assert await first == FINE
        assert await told(turns.run(refused)) == (404, "unknown_table")
        assert await turns.run(work) == FINE

    asyncio.run(check())
    assert work.begun == 2


def test_one_thread_takes_the_turns_that_wait_for_nothing() -> None:
    threads: set[int] = set()

    async def check() -> None:
        turns = Turns(8)
        for _ in range(5):
            await asyncio.gather(*(turns.run(lambda: threads.add(threading.get_ident())) for _ in range(20)))

    asyncio.run(check())
    assert len(threads) <= 2  # a second one where this machine holds up the first


def test_predictions_that_wait_for_a_server_wait_side_by_side() -> None:
    meet = threading.Barrier(3)

    async def check() -> list[int]:
        turns = Turns(3, side_by_side=True)
        return sorted(await asyncio.gather(*(turns.run(meet.wait) for _ in range(3))))

    assert asyncio.run(check()) == [0, 1, 2]


def test_one_that_is_held_up_holds_up_no_other_neither_before_nor_behind_it() -> None:
    stuck = Work()

    async def check() -> None:
        turns = Turns(2)
        before = asyncio.create_task(turns.run(lambda: "before"))
        held_up = asyncio.create_task(turns.run(stuck))
        behind = asyncio.create_task(turns.run(lambda: "behind"))
        assert await asyncio.gather(before, behind) == ["before", "behind"]
        assert not held_up.done()
        assert await turns.run(lambda: "later") == "later"
        stuck.let_go.set()
        assert await held_up == FINE

    asyncio.run(check())


def test_who_hung_up_is_not_worked_for() -> None:
    stuck, unwanted = Work(), Work()

    async def check() -> None:
        turns = Turns(1)
        first = asyncio.create_task(turns.run(stuck))
        second = asyncio.create_task(turns.run(unwanted))
        while not stuck.begun:
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        stuck.let_go.set()
        assert await first == FINE
        assert await turns.run(lambda: "next") == "next"
        assert second.cancelled()

    asyncio.run(check())
    assert unwanted.begun == 0


def test_turns_go_on_in_another_event_loop() -> None:
    turns, stuck = Turns(2), Work()

    async def leave() -> None:
        task = asyncio.create_task(turns.run(stuck))
        while not stuck.begun:
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(leave())
    assert asyncio.run(turns.run(lambda: "here")) == "here"
    stuck.let_go.set()


def test_health_is_asked_once_for_all_who_ask_meanwhile() -> None:
    work = Work()

    async def check() -> None:
        probe = Probe(work)
        asked = [asyncio.create_task(probe.answer()) for _ in range(5)]
        await asyncio.sleep(0)
        work.let_go.set()
        assert await asyncio.gather(*asked) == [FINE] * 5
        assert work.begun == 1
        assert await probe.answer() == FINE
        assert work.begun == 2

    asyncio.run(check())


def test_health_that_hangs_is_503_takes_one_thread_and_is_well_again() -> None:
    work = Work()

    async def check() -> None:
        probe = Probe(work, SHORT_S)
        for _ in range(3):
            assert await told(probe.answer()) == (503, "too_slow")
        assert work.begun == 1
        work.let_go.set()
        while work.at_once:
            await asyncio.sleep(0)
        assert await probe.answer() == FINE

    asyncio.run(check())


def test_health_that_hangs_does_not_keep_the_service_from_ending() -> None:
    work = Work()

    async def check() -> None:
        assert await told(Probe(work, SHORT_S).answer()) == (503, "too_slow")

    asyncio.run(check())  # ends
    assert work.at_once == 1
    work.let_go.set()

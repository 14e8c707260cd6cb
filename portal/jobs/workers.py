"""What the stack's workers ask of the page: jobs to run and questions to answer, each room its own.

No browser comes in here, and no cookie counts: each request carries a token, which says the room, so that the
code in one room's container cannot take another's work.
"""

import asyncio
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.concurrency import run_in_threadpool

from portal.asks.remote import RemoteAsk
from portal.showing import ask_of, jobs_of

MAX_BODY_BYTES = 80 << 20  # of an answer with many rows
MAX_WAIT_S = 20.0
LOOK_S = 0.5
router = APIRouter(prefix="/worker")


@router.post("/claim")
async def claim(request: Request) -> dict[str, Any]:
    """The next job of the room; an empty answer where there is none for a while."""
    room, told = await _told(request)
    until = time.monotonic() + min(float(told.get("wait_s", 0)), MAX_WAIT_S)
    while not request.app.state.stopping.is_set():
        job = await run_in_threadpool(jobs_of(request).claim, _text(told, "worker"), [room])
        if job is not None:
            return {"id": job.id, "argv": job.argv}
        if time.monotonic() > until or await request.is_disconnected():
            break
        await asyncio.sleep(LOOK_S)
    return {}


@router.post("/jobs/{number}/beat")
async def beat(request: Request, number: int) -> dict[str, Any]:
    """A job goes on, and what is new of it."""
    room, told = await _told(request)
    await _check_room(request, number, room)
    known = {name: told[name] for name in ("pid", "events", "text", "place") if told.get(name) is not None}
    goes_on = await run_in_threadpool(lambda: jobs_of(request).beat(number, _text(told, "worker"), **known))
    return {"goes_on": goes_on}


@router.post("/jobs/{number}/finish")
async def finish(request: Request, number: int) -> dict[str, Any]:
    """A job has ended."""
    room, told = await _told(request)
    await _check_room(request, number, room)
    state = _text(told, "state")
    if state not in ("done", "failed", "cancelled", "lost"):
        raise HTTPException(422, "a job ends done, failed, cancelled or lost")
    said = [_text(told, name) for name in ("worker", "state", "error", "answer")]
    await run_in_threadpool(jobs_of(request).finish, number, *said)
    return {}


@router.post("/asks")
async def fetch(request: Request) -> dict[str, Any]:
    """The next question to the room; an empty answer where nobody asks for a while."""
    room, told = await _told(request)
    ask, until = _remote(request), time.monotonic() + min(float(told.get("wait_s", 0)), MAX_WAIT_S)
    while not request.app.state.stopping.is_set():
        question = await run_in_threadpool(ask.fetch, room, 1.0)
        if question or time.monotonic() > until:
            return question
    return {}


@router.post("/asks/{question}")
async def answer(request: Request, question: str) -> dict[str, Any]:
    """The answer to one of the room's questions."""
    room, told = await _told(request)
    _remote(request).answer(room, question, told)
    return {}


async def _told(request: Request) -> tuple[str, dict[str, Any]]:
    """The room whose token a request carries, and its message; the token comes first."""
    tokens: Mapping[str, str] = request.app.state.worker_tokens
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    rooms = [room for room, token in tokens.items() if hmac.compare_digest(given, token.encode())]
    if not rooms:
        raise HTTPException(401, "expected the token of a room; only the stack's workers come in here")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(413, f"expected at most {MAX_BODY_BYTES:,} bytes")
    try:
        told = json.loads(bytes(body))
    except ValueError as error:
        raise HTTPException(422, "expected JSON") from error
    if not isinstance(told, dict):
        raise HTTPException(422, "expected a JSON object")
    return rooms[0], told


async def _check_room(request: Request, number: int, room: str) -> None:
    job = await run_in_threadpool(jobs_of(request).get, number)
    if job.room != room:
        raise HTTPException(403, f"job {number} is not of the room {room}")


def _remote(request: Request) -> RemoteAsk:
    ask = ask_of(request)
    if not isinstance(ask, RemoteAsk):
        raise HTTPException(404, "this page answers its questions itself")
    return ask


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name, "")
    if not isinstance(value, str):
        raise HTTPException(422, f"{name}: expected text")
    return value

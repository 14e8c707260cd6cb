"""Questions in the stack: the page's container asks, and the container of each room fetches and answers."""

import queue
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.asks.core import AskError, Kind
from portal.asks.kinds import ANNOTATION, KINDS, LABELLING, MODELLING
from portal.asks.wire import result_of

SERVICES = {ANNOTATION: "label-studio-dev", LABELLING: "dp-mlflow", MODELLING: "modelling-mlflow"}
ANSWER_S = 180.0
FETCHED_S = 20.0  # a worker asks for the next question again and again


@dataclass
class _Question:
    room: str
    kind: str
    payload: Mapping[str, Any]
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    fetched: threading.Event = field(default_factory=threading.Event)
    answered: threading.Event = field(default_factory=threading.Event)
    message: dict[str, Any] = field(default_factory=dict)


class RemoteAsk:
    """Asks the workers of the stack's rooms, see `Ask`."""

    def __init__(
        self, kinds: Mapping[str, Kind] = KINDS, *, answer_s: float = ANSWER_S, fetched_s: float = FETCHED_S
    ) -> None:
        """Nobody is asked yet.

        Args:
            kinds: the questions that can be asked.
            answer_s: how long an answer may take.
            fetched_s: how long until a room's worker has fetched the question.
        """
        self._kinds, self._answer_s, self._fetched_s = kinds, answer_s, fetched_s
        self._waiting: dict[str, queue.SimpleQueue[_Question]] = {
            room: queue.SimpleQueue() for room in SERVICES
        }
        self._open: dict[str, _Question] = {}

    def __call__(self, kind: str, /, **payload: Any) -> dict[str, Any]:
        """Ask a question."""
        question = _Question(self._kinds[kind].room, kind, payload)
        self._open[question.id] = question
        self._waiting[question.room].put(question)
        try:
            service = SERVICES[question.room]
            if not question.fetched.wait(self._fetched_s):
                raise AskError(
                    f"the container {service} did not fetch the question within {self._fetched_s:g} seconds; "
                    f"see with `adaptml status` that it runs, or start it with `adaptml up`"
                )
            if not question.answered.wait(self._answer_s):
                raise AskError(
                    f"the container {service} gave no answer within {self._answer_s:g} seconds; try again"
                )
        finally:
            del self._open[question.id]
        return result_of(question.message)

    def fetch(self, room: str, wait_s: float) -> dict[str, Any]:
        """The next question to a room, for its worker; an empty one where nobody asks for a while.

        Args:
            room: the worker's, as its token says.
            wait_s: how long to wait for one.
        """
        until = time.monotonic() + wait_s
        while True:
            try:
                question = self._waiting[room].get(timeout=max(until - time.monotonic(), 0.001))
            except queue.Empty:
                return {}
            if question.id in self._open:  # somebody still waits
                question.fetched.set()
                return {"id": question.id, "kind": question.kind, "payload": question.payload}

    def answer(self, room: str, question: str, message: dict[str, Any]) -> None:
        """A room's worker answers one of its questions; what nobody waits for any more is dropped."""
        found = self._open.get(question)
        if found is not None and found.room == room:
            found.message = message
            found.answered.set()

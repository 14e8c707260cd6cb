"""A process that has loaded what rules need, and forks for every question that runs a person's code.

Each question gets a keeper, which forks the process that answers, watches it, and ends it with all that it
started. The zygote itself runs none of the person's code.
"""

import gc
import os
import socket
import sys
from contextlib import suppress
from typing import Any

from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import Settings
from portal.asks.limits import PATIENCE_S, Limits, adopt_orphans, end_group
from portal.asks.watching import Watched
from portal.asks.wire import receive, send
from portal.asks.worker import Ends, connected, function_of, run_limited

MOST_AT_ONCE = 4


def main(control: socket.socket) -> None:
    """Answer until the page has closed the control socket."""
    mask_this_process(os.environ)
    said = receive(control)
    if said is None:
        return
    settings = Settings(_env_file=None, **said["settings"])  # type: ignore[call-arg]
    limits = Limits(**said["limits"])
    project = Project(settings=settings, patience_s=PATIENCE_S)
    for function in said["functions"]:
        function_of(function)  # imports all that it needs
    for function in said["warming"]:
        function_of(function)(project)
    gc.freeze()  # so that a collection in a child copies no page
    send(control, {"ready": True})
    keepers: set[int] = set()
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return
        keepers = _still_there(keepers, wait=len(keepers) >= MOST_AT_ONCE)
        with connected(descriptors[0]) as connection:
            keepers.add(_keeper(project, limits, connection, control))


def _still_there(keepers: set[int], *, wait: bool) -> set[int]:
    """The keepers that are at work; where too many are, once one of them is done."""
    left = set(keepers)
    while left:
        pid, _ = os.waitpid(-1, 0 if wait else os.WNOHANG)
        if not pid:
            break
        left.discard(pid)
        wait = False
    return left


def _keeper(project: Project, limits: Limits, connection: socket.socket, control: socket.socket) -> int:
    pid = os.fork()
    if not pid:
        control.close()
        question = receive(connection)
        if question is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                send(connection, answer(project, question, limits, connection))
        os._exit(0)
    return pid


def answer(
    project: Project, question: dict[str, Any], limits: Limits, asker: socket.socket
) -> dict[str, Any]:
    """Let a process answer, and end it; the message for the asker.

    Args:
        project: whose question it is.
        question: `function` and `payload`.
        limits: for the process.
        asker: when it closes, nobody waits any more.
    """
    adopt_orphans()
    pipes = [os.pipe() for _ in Ends._fields]
    pid = os.fork()
    if not pid:
        asker.close()
        for reading, _ in pipes:
            os.close(reading)
        run_limited(project, question, limits, Ends(*(writing for _, writing in pipes)))
    for _, writing in pipes:
        os.close(writing)
    watched = Watched(pid, Ends(*(reading for reading, _ in pipes)), limits)
    try:
        watched.wait(asker)
    finally:
        end_group(pid)
    watched.drain()
    return watched.message()


if __name__ == "__main__":
    main(connected(int(sys.argv[1])))

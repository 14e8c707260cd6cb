"""A process that answers questions that run none of a person's code, and keeps what it has read."""

import logging
import os
import socket
import sys
import threading

from adaptml.masked_logs import mask_this_process
from adaptml.project import Project
from adaptml.settings import Settings
from portal.asks.limits import PATIENCE_S
from portal.asks.wire import receive, send
from portal.asks.worker import answer_to, connected

_log = logging.getLogger(__name__)


def main(control: socket.socket) -> None:
    """Answer until the page has closed the control socket."""
    mask_this_process(os.environ)
    said = receive(control)
    if said is None:
        return
    settings = Settings(_env_file=None, **said["settings"])  # type: ignore[call-arg]
    with Project(settings=settings, patience_s=PATIENCE_S) as project:
        send(control, {"ready": True})
        while True:
            _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not descriptors:
                return
            threading.Thread(target=_answer, args=(project, connected(descriptors[0])), daemon=True).start()


def _answer(project: Project, connection: socket.socket) -> None:
    with connection:
        question = receive(connection)
        if question is None:
            return
        try:
            send(connection, answer_to(project, question))
        except OSError as error:
            _log.warning("nobody waits for the answer to %s any more: %s", question["function"], error)


if __name__ == "__main__":
    main(connected(int(sys.argv[1])))

"""`adaptml worker`: runs jobs; the page and `adaptml jobs` start it by themselves."""

import os
import signal
import threading

from adaptml.project import Project
from adaptml.stack.host import SERVICE_VARIABLE


def command() -> None:
    """Run jobs until there is neither a page nor a job; in the stack, those that the page's container has.

    Nobody has to type it: the page and `adaptml jobs start` do, and the stack's containers run it.
    """
    from portal.jobs.embedded import rooms_here, work

    stop, service = threading.Event(), os.environ.get(SERVICE_VARIABLE, "")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stop.set())
    with Project() as project:
        if project.settings.worker_url:
            from portal.jobs.elsewhere import work_elsewhere

            work_elsewhere(project, service, stop)
        else:
            work(project, rooms_here(service), stop)

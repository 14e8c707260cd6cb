"""Steps in the stack's containers, asked for from the page's container: each is a job of its room."""

import sys
import time

from adaptml.stack.compose import StackError
from portal.asks.remote import SERVICES
from portal.jobs.job import Job
from portal.jobs.store import JobStore

ROOMS_OF = {service: room for room, service in SERVICES.items()}
LOOK_S = 0.3


class StepsAsJobs:
    """Runs `adaptml …` in a service's container by a job, as `stack.host.step` does by `docker exec`."""

    def __init__(self, jobs: JobStore, by: str, parent: int | None) -> None:
        """Nothing is started yet.

        Args:
            jobs: of this project.
            by: name of the person.
            parent: the job whose steps they are; None where it was typed.
        """
        self._jobs, self._by, self._parent = jobs, by, parent

    def __call__(self, service: str, *words: str, show: bool = True) -> str:
        """Run a step to its end.

        Args:
            service: name of the container.
            words: what is typed after `adaptml`.
            show: print what the step says as it comes, and return nothing; else return what it answers.

        Raises:
            StackError: the step failed.
        """
        job = self._jobs.start(words, self._by, parent=self._parent, room=ROOMS_OF[service])
        try:
            job = self._followed(job, show)
        except BaseException:
            self._jobs.cancel(job.id)
            raise
        if job.state != "done":
            why = job.error or f"job {job.id} was {job.state}"
            raise StackError(f"{why} (said in {service})")
        return "" if show else self._jobs.answer(job.id)

    def _followed(self, job: Job, show: bool) -> Job:
        place = 0
        while True:
            job = self._jobs.get(job.id)
            text, place = self._jobs.log(job.id, place)
            if show and text:
                sys.stdout.write(text)
                sys.stdout.flush()
            if not text and not job.unfinished:
                return job
            if not text:
                time.sleep(LOOK_S)

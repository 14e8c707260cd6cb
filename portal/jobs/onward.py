"""Where to go when a job is done."""

from urllib.parse import quote, urlencode

from portal.data.asked import searched_at
from portal.jobs.job import Job

Link = tuple[str, str]  # text, address
# command → the page of its task that shows what it did
_PAGES = {
    "task classes": "",
    "task check": "",
    "featurize": "rules",
    "lfs": "rules",
    "sample-tasks": "annotation",
    "annotate setup": "annotation",
    "annotate push": "annotation",
    "annotate pull": "annotation",
    "process-annotations": "annotation",
    "gold": "annotation",
    "annotator-agreement": "annotation",
    "compare": "runs",
    "deploy": "models",
    "export": "models",
    "predict": "data",
    "watch": "",
}
_TEXTS = {
    "": "To the task",
    "rules": "To the rules",
    "annotation": "To the annotation",
    "runs": "To the runs",
}
_TEXTS |= {"models": "To the models", "data": "To the data"}


def onward(job: Job) -> list[Link]:
    """Links from the page of a job that is done, the first one to what most people want next.

    Args:
        job: the job.
    """
    if job.state != "done":
        return []
    if job.step == "import":
        table = job.argv[-1]
        new = urlencode({"table": table})
        return [
            ("Make a task of it", f"/tasks/new?{new}"),
            ("Look at the rows", f"/data/{quote(table, safe='')}"),
        ]
    rows = searched_at(job.argv)
    if rows:
        return [("Show the rows", rows)]
    if not job.task:
        return []
    of_task = f"/tasks/{quote(job.task, safe='')}"
    if job.run_id:
        return [("Show the result", f"{of_task}/runs/{quote(job.run_id, safe='')}")]
    page = _PAGES.get(job.step)
    return [] if page is None else [(_TEXTS[page], f"{of_task}/{page}".rstrip("/"))]

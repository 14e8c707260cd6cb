"""Where the page of a job leads when the job is done."""

from pathlib import Path

import pytest

from portal.jobs import Job, JobStore
from portal.jobs.onward import onward
from portal.jobs.steps import STEPS, order


def done(tmp_path: Path, argv: list[str], *, run_id: str = "", state: str = "done") -> Job:
    store = JobStore(tmp_path)
    job = store.start(argv, "Ana")
    claimed = store.claim("worker", [job.room])
    assert claimed is not None
    if run_id:
        event = {"kind": "run", "run_id": run_id, "experiment_id": "1", "name": "label", "state": "done"}
        store.beat(job.id, "worker", events=[event])
    store.finish(job.id, "worker", state)
    return store.get(job.id)


@pytest.mark.parametrize(
    ("argv", "links"),
    [
        (order("import", "a b.csv", "a b"), ["/tasks/new?table=a+b", "/data/a%20b"]),
        (order("featurize", "spam", data="comments"), ["/tasks/spam/rules"]),
        (order("annotate pull", "spam"), ["/tasks/spam/annotation"]),
        (order("task check", "spam"), ["/tasks/spam"]),
        (order("predict", "spam", data="comments"), ["/tasks/spam/data"]),
    ],
)
def test_a_job_that_is_done_leads_on(tmp_path: Path, argv: list[str], links: list[str]) -> None:
    assert [address for _, address in onward(done(tmp_path, argv))] == links


def test_a_job_with_a_run_leads_to_it(tmp_path: Path) -> None:
    made = done(tmp_path, order("label", "spam", data="comments"), run_id="abc")
    assert onward(made) == [("Show the result", "/tasks/spam/runs/abc")]


def test_a_job_that_failed_leads_nowhere(tmp_path: Path) -> None:
    assert onward(done(tmp_path, order("featurize", "spam"), state="failed")) == []


@pytest.mark.parametrize("step", STEPS)
def test_every_command_about_a_task_leads_on_or_has_a_run(tmp_path: Path, step: str) -> None:
    with_runs = {"label", "train", "run"}
    lists = {"runs", "sample-points"}
    links = onward(done(tmp_path, order(step, "spam")))
    assert bool(links) or step in with_runs | lists or not STEPS[step].of_task

"""The table of jobs: who gets which, what waits for what, and what is known of a job whose worker is gone."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.jobs import JobError, JobStore, Progress
from portal.jobs.steps import ROOMS


@pytest.fixture
def jobs(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def label(jobs: JobStore, task: str = "spam") -> int:
    return jobs.start(["label", task], "ada").id


def silent_since(jobs: JobStore, job: int, seconds: float) -> None:
    with sqlite3.connect(jobs.folder / "portal.db") as db:
        db.execute("UPDATE jobs SET heartbeat = heartbeat - ? WHERE id = ?", (seconds, job))
    db.close()


def test_a_job_from_its_start_to_its_end(jobs: JobStore) -> None:
    made = jobs.start(["label", "spam", "--data=t"], "ada")
    assert (made.id, made.state, made.task, made.by, made.room) == (1, "waiting", "spam", "ada", "labelling")
    assert jobs.claim("w", ["modelling"]) is None
    claimed = jobs.claim("w", ["labelling"])
    assert claimed is not None
    assert (claimed.id, claimed.state, claimed.argv) == (1, "running", ("label", "spam", "--data=t"))
    run = {"kind": "run", "run_id": "r1", "experiment_id": "7", "state": "started"}
    vote = {"kind": "progress", "text": "vote", "done": 2, "total": 9, "unit": "rows"}
    assert jobs.beat(1, "w", pid=99, events=[run, vote], text="one\n")
    assert jobs.beat(1, "w", events=[vote | {"done": 5}], text="one\ntwo\n", place=0)  # sent again
    found = jobs.get(1)
    assert (found.pid, found.run_id, found.experiment_id) == (99, "r1", "7")
    assert found.progress == Progress("vote", 5, 9, "rows")
    assert [event["run_id"] for event in jobs.events(1)] == ["r1"]
    assert jobs.events(1, after=1) == []
    assert jobs.log(1) == ("one\ntwo\n", 8)
    jobs.finish(1, "w", "failed", "no such table")
    ended = jobs.get(1)
    assert (ended.state, ended.error, ended.unfinished) == ("failed", "no such table", False)
    assert ended.ended is not None


def test_the_files_are_for_their_owner_alone(jobs: JobStore) -> None:
    label(jobs)
    jobs.claim("w", ROOMS)
    jobs.beat(1, "w", text="x")
    made = [
        path for path in [jobs.folder, *jobs.folder.rglob("*")] if path.suffix not in (".db-wal", ".db-shm")
    ]
    assert len(made) == 4
    assert {path.stat().st_mode & 0o077 for path in made} == {0}


def test_jobs_of_one_task_wait_for_each_other(jobs: JobStore) -> None:
    first, second, other = label(jobs), label(jobs), label(jobs, "topic")
    reader = jobs.start(["lfs", "spam"], "ada").id
    assert jobs.get(second).waits_for == first
    claimed = [jobs.claim("w", ROOMS) for _ in range(4)]
    assert [job.id for job in claimed if job] == [first, other, reader]
    jobs.finish(first, "w", "done")
    assert jobs.get(second).waits_for is None
    found = jobs.claim("w", ROOMS)
    assert found is not None
    assert found.id == second


def test_a_step_of_a_job_does_not_wait_for_it_and_ends_with_it(jobs: JobStore) -> None:
    whole = jobs.start(["run", "spam"], "ada").id
    assert jobs.claim("w", ["portal"])
    words = ["run", "spam", "--step", "label"]
    step, later = (jobs.start(words, "ada", parent=whole, room="labelling").id for _ in range(2))
    found = jobs.claim("x", ["labelling"])
    assert found is not None
    assert (found.id, found.parent) == (step, whole)
    assert [job.id for job in jobs.steps(whole)] == [step, later]
    assert [job.id for job in jobs.recent()] == [whole]
    jobs.finish(whole, "w", "failed", "no")
    assert jobs.get(later).state == "cancelled"
    assert not jobs.beat(step, "x")
    jobs.finish(step, "x", "done", answer="42\n")
    assert jobs.answer(step) == "42\n"


def test_no_job_is_claimed_twice(jobs: JobStore) -> None:
    with ThreadPoolExecutor(8) as pool:  # the table is made once, whoever comes first
        started = [*pool.map(lambda number: label(JobStore(jobs.folder.parent), f"task{number}"), range(40))]
    assert sorted(started) == list(range(1, 41))

    def claim(worker: str) -> list[int]:
        store, mine = JobStore(jobs.folder.parent), []
        while (job := store.claim(worker, ROOMS)) is not None:
            mine.append(job.id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        claimed = [number for mine in pool.map(claim, "abcd") for number in mine]
    assert sorted(claimed) == list(range(1, 41))


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_is_told(jobs: JobStore) -> None:
    first, second = label(jobs), label(jobs)
    jobs.claim("w", ROOMS)
    assert jobs.cancel(second).state == "cancelled"
    told = jobs.cancel(first)
    assert (told.state, told.cancelling) == ("running", True)
    assert not jobs.beat(first, "w")
    jobs.finish(first, "w", "cancelled")
    assert jobs.cancel(first).state == "cancelled"


def test_a_job_whose_worker_is_silent_is_lost_and_found_again_when_it_speaks(jobs: JobStore) -> None:
    number = label(jobs)
    jobs.claim("w", ROOMS)
    silent_since(jobs, number, 50)
    assert jobs.get(number).state == "running"
    silent_since(jobs, number, 50)
    lost = jobs.get(number)
    assert (lost.state, lost.error) == (
        "lost",
        "its worker went away: killed, or the machine was restarted; run it again",
    )
    assert not jobs.beat(number, "somebody else")
    assert jobs.beat(number, "w")
    assert (jobs.get(number).state, jobs.get(number).error) == ("running", "")


def test_recent_jobs_by_task_and_state(jobs: JobStore) -> None:
    for task in ("spam", "topic", "spam"):
        label(jobs, task)
    jobs.cancel(1)
    assert [job.id for job in jobs.recent()] == [3, 2, 1]
    assert [job.id for job in jobs.recent(1)] == [3]
    assert [job.id for job in jobs.recent(task="spam")] == [3, 1]
    assert [job.id for job in jobs.recent(task="spam", state="waiting")] == [3]
    assert [job.id for job in jobs.recent(before=3)] == [2, 1]


def test_a_job_that_is_not_there(jobs: JobStore) -> None:
    with pytest.raises(JobError, match=r"no job 4; `adaptml jobs` lists"):
        jobs.get(4)

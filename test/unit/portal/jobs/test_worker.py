"""A real worker with real processes."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.project import Project
from portal.jobs import Job, JobStore
from portal.jobs.embedded import ensure_worker, present, work
from portal.jobs.running import end_orphan
from portal.jobs.steps import ROOMS

# Says that it is there, leaves a child that holds its pipes, and never ends by itself.
LOOP = """
import os, pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("\\x1b[31mlooping\\x1b[0m <b>", flush=True)
time.sleep(600)
"""


@pytest.fixture
def jobs(project: Project) -> JobStore:
    return JobStore(project.settings.home)


@pytest.fixture
def worker(project: Project) -> Iterator[None]:
    """A worker in a thread, which ends with the test."""
    stop = threading.Event()
    with present(project):
        thread = threading.Thread(target=work, args=(project, ROOMS, stop))
        thread.start()
        yield
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def until(said: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_looping(jobs: JobStore, job: Job) -> bool:
    """Whether a job's labelling functions are being loaded."""
    text, _ = jobs.log(job.id)
    assert jobs.get(job.id).unfinished, text
    return "looping" in text


def ended(jobs: JobStore, job: Job) -> Job:
    until(lambda: not jobs.get(job.id).unfinished)
    return jobs.get(job.id)


@pytest.fixture
def looping(project: Project) -> None:
    (project.settings.tasks_dir / "spam" / "lfs.py").write_text(LOOP)


def test_a_job_runs_and_says_how_it_ended(worker: None, jobs: JobStore) -> None:
    good = jobs.start(["features"], "ada")
    bad = jobs.start(["label", "nothing", "--data=none"], "ada")
    assert ended(jobs, good).state == "done"
    assert jobs.log(good.id)[0]
    found = ended(jobs, bad)
    assert found.state == "failed"
    assert found.error.startswith("no task 'nothing' in ")
    assert f"error: {found.error}" in jobs.log(bad.id)[0]


def test_a_job_that_ignores_the_order_to_end_is_killed_with_what_it_started(
    worker: None, jobs: JobStore, looping: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.jobs.running.TERMINATE_S", 0.5)
    job = jobs.start(["task", "check", "spam"], "ada")
    until(lambda: is_looping(jobs, job))
    assert "looping <b>\n" in jobs.log(job.id)[0]
    jobs.cancel(job.id)
    found = ended(jobs, job)
    assert (found.state, found.error) == ("cancelled", "")
    assert found.pid
    until(lambda: members(found.pid or 0) == [])


def test_a_job_that_was_killed_says_so(worker: None, jobs: JobStore, looping: None) -> None:
    job = jobs.start(["task", "check", "spam"], "ada")
    until(lambda: is_looping(jobs, job))
    os.kill(jobs.get(job.id).pid or 0, signal.SIGKILL)
    found = ended(jobs, job)
    assert (found.state, found.error) == (
        "failed",
        "its process was killed by SIGKILL: often memory; see its log",
    )


def test_a_worker_that_is_stopped_ends_its_jobs(
    project: Project, jobs: JobStore, looping: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.jobs.running.TERMINATE_S", 0.5)
    job = jobs.start(["task", "check", "spam"], "ada")
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(project, ROOMS, stop))
    thread.start()
    until(lambda: is_looping(jobs, job))
    stop.set()
    thread.join(60)
    assert (jobs.get(job.id).state, jobs.get(job.id).error) == (
        "failed",
        "its worker was stopped; run it again",
    )


def test_the_worker_beside_the_page_ends_when_nobody_needs_it_and_only_one_is_there(
    project: Project, jobs: JobStore
) -> None:
    job = jobs.start(["features"], "ada")
    with present(project):
        for _ in range(2):
            ensure_worker(project)
        assert ended(jobs, job).state == "done"
    until(lambda: no_worker(project))
    assert (jobs.folder / "worker.log").read_text() == ""
    ensure_worker(project)  # nothing to do
    until(lambda: no_worker(project))


def no_worker(project: Project) -> bool:
    """Whether this would be the only one: it then ends at once, as there is neither a page nor a job."""
    return work(project, ROOMS, threading.Event())


def test_a_killed_worker_s_job_is_ended_and_marked_by_the_next(
    project: Project, jobs: JobStore, looping: None
) -> None:
    job = jobs.start(["task", "check", "spam"], "ada")
    ensure_worker(project)
    until(lambda: is_looping(jobs, job))
    (_, name), *_ = jobs.running(ROOMS)
    assert name
    pid = jobs.get(job.id).pid or 0
    os.kill(parent_of(pid), signal.SIGKILL)
    assert jobs.get(job.id).state == "running"
    until(lambda: no_worker(project))
    assert jobs.get(job.id).state == "lost"
    until(lambda: members(pid) == [])


def processes() -> list[list[str]]:
    """Number, parent, group and state of each process."""
    done = subprocess.run(["ps", "-eo", "pid=,ppid=,pgid=,stat="], capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


def members(group: int) -> list[str]:
    """Processes of a group that are alive: nobody may have asked yet how the dead ended."""
    return [pid for pid, _, pgid, state in processes() if int(pgid) == group and not state.startswith("Z")]


def parent_of(process: int) -> int:
    return next(int(parent) for pid, parent, *_ in processes() if int(pid) == process)


def test_a_process_that_is_not_the_job_s_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "1.events"
    path.touch()
    end_orphan(path, os.getpid())  # nobody holds the file: the number is somebody else's by now
    assert not path.exists()


def test_from_the_command_line(project: Project, jobs: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAPTML_ROOT", str(project.settings.root))

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["jobs", *words])
        return f"{done.exit_code} {done.output}"

    assert run() == "0 no jobs yet; start one: `adaptml jobs start label TASK --data DATA`\n"
    assert "job 1: adaptml label nothing --data none\n" in run("start", "label", "nothing", "--data", "none")
    followed = run("log", "1", "--follow")
    assert followed.startswith("1 error: no task 'nothing' in ")
    assert "failed  adaptml label nothing --data none" in run()
    shown = run("show", "1")
    assert "state       failed\n" in shown
    assert "error       no task 'nothing'" in shown
    assert run("cancel", "1") == "0 job 1 is failed\n"
    assert "`adaptml up` cannot be a job" in run("start", "up")
    assert "no job 9" in run("show", "9")
    until(lambda: no_worker(project))

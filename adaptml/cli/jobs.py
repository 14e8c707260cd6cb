"""`adaptml jobs`: the jobs of the page, from the command line."""

import getpass
import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from adaptml.cli import options
from adaptml.cli.host import host_stack
from adaptml.cli.streams import unsaid
from adaptml.cli.support import EXIT_ERROR, new_app, output, project_here
from adaptml.project import Project
from adaptml.stack.host import PORTAL, SERVICE_VARIABLE, refuse_in_container, step

if TYPE_CHECKING:
    from portal.jobs import Job, JobStore

FOLLOW_S = 0.5
Number = Annotated[int, typer.Argument(metavar="JOB", help="Number of the job.", min=1)]
app = new_app(
    help="Jobs: steps that run in the background, started here or from the page.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@app.callback()
def about(ctx: typer.Context) -> None:
    """Without a word it lists."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@app.command("list")
def list_(
    task: Annotated[str | None, typer.Option(help="Only those of a task.", show_default=False)] = None,
    n: Annotated[int, typer.Option("--n", min=1, help="How many of the latest.")] = 20,
    stack: options.OnStack = None,
) -> None:
    """List the latest jobs.

    Example: `adaptml jobs list --task example`
    """
    with project_here() as project:
        if _in_stack(project, stack, "list", *([f"--task={task}"] if task else []), f"--n={n}"):
            return
        found = _store(project).recent(n, task)
    table = Table("job", "state", "step", "by", "started", "run", box=None, pad_edge=False)
    for job in found:
        started = "" if job.started is None else job.started.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(str(job.id), _state(job), f"adaptml {job.typed}", job.by, started, job.run_id)
    output().print(table if found else "no jobs yet; start one: `adaptml jobs start label TASK --data DATA`")


@app.command(
    "start",
    context_settings={
        "allow_extra_args": True,
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
    },
)
def start(ctx: typer.Context, stack: options.OnStack = None) -> None:
    """Start a step as a job: what is typed after `start` is what would be typed after `adaptml`.

    Example: `adaptml jobs start label example --data example_data`
    """
    with project_here() as project:
        if _in_stack(project, stack, "start", *ctx.args):
            return
        job = _store(project).start(ctx.args, getpass.getuser())
    output().print(f"job {job.id}: adaptml {job.typed}")
    output().print(f"Next: `adaptml jobs log {job.id} --follow`")


@app.command("show")
def show(job: Number, stack: options.OnStack = None) -> None:
    """Show all that is known of a job.

    Example: `adaptml jobs show 12`
    """
    with project_here() as project:
        if _in_stack(project, stack, "show", str(job)):
            return
        found = _store(project).get(job)
    progress = found.progress
    lines = {
        "job": f"{found.id} (adaptml {found.typed})",
        "state": _state(found),
        "task": found.task,
        "started by": found.by,
        "progress": ""
        if progress is None
        else f"{progress.text} {progress.done}/{progress.total or '?'} {progress.unit}",
        "experiment": found.experiment_id,
        "run": found.run_id,
        "error": found.error,
        "log": str(found.log) if found.log.exists() else "",
    }
    for name, text in lines.items():
        if text:
            output().print(f"{name:<12}{text}")


@app.command("log")
def log(
    job: Number,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the job ends.")] = False,
    stack: options.OnStack = None,
) -> None:
    """Print what a job has printed; with --follow, end with 1 where the job did not end well.

    Example: `adaptml jobs log 12 --follow`
    """
    with project_here() as project:
        if _in_stack(project, stack, "log", str(job), *["--follow"] * follow):
            return
        store, place = _store(project), 0
        while True:
            found = store.get(job)
            text, place = store.log(job, place)
            sys.stdout.write(text)
            sys.stdout.flush()
            if unsaid() is not None or (not text and not (follow and found.unfinished)):
                break
            if not text:
                time.sleep(FOLLOW_S)
    if follow and found.state != "done":
        raise typer.Exit(EXIT_ERROR)


@app.command("cancel")
def cancel(job: Number, stack: options.OnStack = None) -> None:
    """End a job.

    Example: `adaptml jobs cancel 12`
    """
    with project_here() as project:
        if _in_stack(project, stack, "cancel", str(job)):
            return
        found = _store(project).cancel(job)
    said = "is told to end" if found.unfinished else f"is {found.state}"
    output().print(f"job {job} {said}")


def _state(job: "Job") -> str:
    if job.state == "waiting" and job.waits_for is not None:
        return f"waits for {job.waits_for}"
    return "ending" if job.cancelling and job.unfinished else job.state


def _store(project: Project) -> "JobStore":
    from portal.jobs import JobStore
    from portal.jobs.embedded import ensure_worker

    return JobStore(project.settings.home, partial(ensure_worker, project))


def _in_stack(project: Project, asked: bool | None, *words: str) -> bool:
    """Have the stack's page do it, where this is its host; whether it was done."""
    service = os.environ.get(SERVICE_VARIABLE, "")
    if service == PORTAL:
        return False
    refuse_in_container(f"adaptml jobs {words[0]}")
    stack = host_stack(project, asked)
    if stack is not None:
        step(stack, PORTAL, "jobs", *words)
    return stack is not None

"""`adaptml annotate setup|push|pull`: a task's project in Label Studio, from points to gold."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli.support import guarded, new_app, output
from adaptml.errors import AnnotationError
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample
from adaptml.tasks import Task
from labelstudio import project as projects
from labelstudio.agreement import Agreement
from labelstudio.annotator_agreement import report
from labelstudio.client import connect
from labelstudio.mirror import Mirror
from labelstudio.process_annotations import ProcessedAnnotations, process_tasks, summary
from labelstudio.sync import refresh

if TYPE_CHECKING:
    from labelstudio.push import Pushed

MIRROR = "label_studio.sqlite3"

app = new_app(help="Annotate in Label Studio: make the project, send points, fetch annotations.")

TaskName = Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")]


@dataclass(frozen=True)
class Pulled:
    """What `pull` brought.

    Attributes:
        read: tasks that were read because they are new or changed.
        done: the frames, as `process_annotations` gives them.
        agreement: how far annotators agree, or None where no point has two.
        unlabelled: points that each account has not labelled, by e-mail address.
    """

    read: int
    done: ProcessedAnnotations
    agreement: Agreement | None
    unlabelled: dict[str, int]


def setup(project: Project, task: Task, annotators_per_point: int | None = None) -> projects.Setup:
    """Make or update the task's project; see `labelstudio.project.setup`."""
    with connect(project.settings) as studio:
        return projects.setup(studio, task, annotators_per_point)


def push(
    project: Project,
    task: Task,
    table: str,
    n: int,
    sampling: str = RANDOM,
    *,
    predictions: str | None = None,
    run: str | None = None,
    by: str | None = None,
    vector: str | None = None,
    seed: int = 0,
    show_progress: bool = False,
) -> tuple[Sample, "Pushed"]:
    """Sample a table and import those points that have no task yet.

    Args:
        project: holds the table, the runs and Label Studio's address.
        task: what is asked of the points.
        table: a data table.
        n: how many points to sample, at least 1.
        sampling: as `random` or `uncertain:0.5,random:0.5`.
        predictions: a run whose labels become pre-annotations, or None.
        run: the run that the sampling looks at; default: that of `predictions`.
        by: the column of `stratified`.
        vector: the column of `diverse`; default: the task's first feature.
        seed: the same arguments and seed give the same points, so that a second call sends nothing twice.
        show_progress: draw a progress bar.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
        AnnotationError: the sampling cannot be done.
    """
    from adaptml.sampling.sample_points import sample_points  # SQLAlchemy takes a third of a second
    from labelstudio import push as pushing

    settings = project.settings
    with ExitStack() as stack:
        studio = stack.enter_context(connect(settings))
        theirs = projects.find_project(studio, task)
        projects.check_page(theirs, task)
        number = int(theirs["id"])
        mirror = stack.enter_context(Mirror(settings.annotations(task.name) / MIRROR, studio.url, number))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="adaptml-")))
        sample = sample_points(
            project, task, table, n, sampling, run or predictions, by, vector, seed, folder
        )
        files = None
        if predictions is not None:
            from adaptml.runs.label_run import RunFiles  # MLflow takes a second

            files = RunFiles(project, predictions, folder)
        advance = stack.enter_context(progress("sending", len(sample.frame), shown=show_progress))
        return sample, pushing.push(studio, number, mirror, project.database, task, sample, files, advance)


def pull(
    project: Project,
    task: Task,
    gold_choice: str = "majority",
    *,
    per_class: bool = False,
    seed: int = 0,
    write: bool = False,
    show_progress: bool = False,
) -> Pulled:
    """Fetch what is new and write the same frames as `process_annotations`.

    Args:
        project: Label Studio's address, and where the files are written.
        task: the task that is annotated.
        gold_choice, per_class, seed, write: as for `process_annotations`.
        show_progress: draw a progress bar.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
        AnnotationError: nothing is annotated, or what is cannot be used.
    """
    settings = project.settings
    with ExitStack() as stack:
        studio = stack.enter_context(connect(settings))
        theirs = projects.find_project(studio, task)
        number = int(theirs["id"])
        mirror = stack.enter_context(Mirror(settings.annotations(task.name) / MIRROR, studio.url, number))
        with progress("reading", int(theirs["task_number"]), shown=show_progress) as advance:
            read = refresh(studio, number, mirror, advance)
        source = f"project {number} of Label Studio"
        tasks = list(mirror.tasks(source))
        if not tasks:
            raise AnnotationError(
                f"project {number} of task {task.name!r} has no tasks; send some: `adaptml annotate push`"
            )
        done = process_tasks(
            project, tasks, source, mirror.digest(), task, gold_choice, per_class, seed, write
        )
        del tasks  # the agreement needs the room
        shared = len(done.task_df)
        found = report(done.ann_df, done.sample_df, task, seed, done.folder) if shared else None
        return Pulled(read, done, found, unlabelled(done, studio.users()))


def unlabelled(done: ProcessedAnnotations, users: dict[int, str]) -> dict[str, int]:
    """How many points each annotator has not labelled, by e-mail address; the owner only if they annotate.

    Args:
        done: the frames.
        users: e-mail addresses of all accounts by id.
    """
    owner = min(users, default=0)
    found = {}
    for number, email in sorted(users.items()):
        column = done.ann_df.get(str(number))
        if column is not None or number != owner:
            found[email] = len(done.ann_df) if column is None else int(column.isna().sum())
    return found


@app.command("setup")
@guarded
def setup_command(
    task: TaskName,
    annotators: Annotated[
        int | None, typer.Option(min=1, help="How many people see each point; 2 in a new project.")
    ] = None,
) -> None:
    """Make or update the task's project: labelling page and instructions from the task file.

    Run it again after each change of the task file; without one it changes nothing.

    Example: `annotate setup example`
    """
    with Project() as project:
        done = setup(project, project.task(task), annotators)
    console = output()
    if done.created:
        console.print(f"project {done.project} made: {done.url}")
    else:
        console.print(
            f"project {done.project}: {'changed' if done.changes else 'nothing to change'}: {done.url}"
        )
    for change in done.changes:
        console.print(f"  {change}")
    console.print(f"Next: annotate push {task} TABLE --n 60")


@app.command("push")
@guarded
def push_command(
    task: TaskName,
    table: Annotated[str, typer.Argument(help="Data table to sample from.")],
    n: Annotated[int, typer.Option("--n", help="How many points to sample.")],
    sampling: Annotated[
        str,
        typer.Option(
            help="random, stratified, diverse, uncertain, disagreement, uncovered, or a mixture such as "
            "uncertain:0.5,random:0.5."
        ),
    ] = RANDOM,
    predictions: Annotated[
        str | None, typer.Option(help="MLflow run whose labels are shown as pre-annotations.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="MLflow run that the sampling looks at; default: that of --predictions."),
    ] = None,
    by: Annotated[str | None, typer.Option(help="Column of stratified.")] = None,
    vector: Annotated[
        str | None, typer.Option(help="Vector column of diverse; default: the task's first feature.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same points.")] = 0,
) -> None:
    """Sample a table and send those points that have no task yet.

    The same call sends nothing twice; a larger --n or another --seed sends more.

    Example: `annotate push example example_data --n 60`
    """
    with Project() as project:
        sample, done = push(
            project,
            project.task(task),
            table,
            n,
            sampling,
            predictions=predictions,
            run=run,
            by=by,
            vector=vector,
            seed=seed,
            show_progress=True,
        )
    console = output()
    fewer = f" ({n} were asked for)" if done.asked < n else ""
    console.print(f"{done.asked} points of {table}{fewer}, drawn as {sample.name}")
    console.print(f"{done.sent} sent, {done.there} there already, {len(done.refused)} refused")
    for key, reason in done.refused.items():
        console.print(f"  refused: {table}/{key}: {reason}")
    if done.surplus:
        console.print(f"{done.surplus} tasks that were there twice and untouched: deleted")
    if predictions is not None:
        console.print(
            f"{done.predicted} pre-annotations sent, {done.unpredicted} points of which the run says nothing"
        )
    if sample.frame["inclusion_prob"].isna().any():
        console.print(
            "warning: how likely each point was to be drawn is unknown; shares cannot be weighted back"
        )
    console.print(f"Next: people annotate; then annotate pull {task}")


@app.command("pull")
@guarded
def pull_command(
    task: TaskName,
    gold_choice: Annotated[
        str, typer.Option("--gold", help="majority, random, drop, dawid-skene, or an annotator's id.")
    ] = "majority",
    per_class: Annotated[
        bool,
        typer.Option("--per-class", help="With majority: vote on each class, not on the whole label set."),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Settles ties of `random`; seed of the agreement's interval.")
    ] = 0,
    write: Annotated[
        bool, typer.Option("--write", help="Also write to TASK_annotations and TASK_gold in the database.")
    ] = False,
) -> None:
    """Fetch what people annotated since the last time: annotations, gold labels, agreement.

    Writes the files that process-annotations and annotator-agreement write.

    Example: `annotate pull example`
    """
    with Project() as project:
        found = pull(
            project,
            project.task(task),
            gold_choice,
            per_class=per_class,
            seed=seed,
            write=write,
            show_progress=True,
        )
    console = output()
    console.print(f"{found.read} new or changed tasks read")
    for line in summary(found.done):
        console.print(line)
    for person, n in found.unlabelled.items():
        console.print(f"{person}: {n} of {len(found.done.ann_df)} points still unlabelled")
    if found.agreement is None:
        console.print("no point has two annotators yet, so agreement cannot be told")
    else:
        console.print(f"agreement: {found.agreement.verdict}. {found.agreement.reason}")
        if found.agreement.sample_warning:
            console.print(f"warning: {found.agreement.sample_warning}")
    console.print(f"Next: annotator-agreement {task}, for where annotators differ.")


if __name__ == "__main__":
    app()

"""A task's project in Label Studio, from points to gold: `setup`, `push`, `pull`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adaptml.data import Data
from adaptml.errors import AnnotationError
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, SamplingOptions, draw_points
from adaptml.tasks import Task
from labelstudio import project as projects
from labelstudio.agreement import Agreement
from labelstudio.annotator_agreement import report
from labelstudio.client import connect
from labelstudio.gold import MAJORITY, GoldOptions
from labelstudio.local_copy import LocalCopy
from labelstudio.media import share
from labelstudio.process_annotations import Export, ProcessedAnnotations, process_tasks
from labelstudio.sync import LinkedProject, refresh

if TYPE_CHECKING:
    from labelstudio.push import Pushed

LOCAL_COPY = "label_studio.sqlite3"


@dataclass(frozen=True)
class Pulled:
    """The result of `pull`.

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


def setup(project: Project, task: Task | str, annotators_per_point: int | None = None) -> projects.Setup:
    """Make or update the task's project; a second call changes nothing.

    Args:
        project: Label Studio's address, and the folder of pictures, sounds and films, which Label Studio then
            serves to the project where the task shows any.
        task: a task or its name: the labelling page, the title and the annotators' instructions.
        annotators_per_point: how many people see each point; None leaves it, 2 for a new project.

    Raises:
        LabelStudioError: Label Studio refuses or is away, a change would orphan annotations, or there are
            several projects of the task.
    """
    task = project.task(task)
    with connect(project.settings) as studio:
        made = projects.setup(studio, task, annotators_per_point)
        if share(studio, made.project, task, project.settings):
            made.changes.append(f"files of {project.settings.media} can be shown")
        return made


@contextmanager
def _linked(project: Project, task: Task) -> Iterator[tuple[LinkedProject, projects.Json]]:
    """The task's project with its local copy, and what Label Studio says of it."""
    with connect(project.settings) as studio:
        theirs = projects.find_project(studio, task)
        path = project.settings.annotations(task.name) / LOCAL_COPY
        with LocalCopy(path, studio.url, int(theirs["id"])) as copy:
            yield LinkedProject(studio, int(theirs["id"]), copy), theirs


def push(
    project: Project,
    task: Task | str,
    data: Data,
    n: int,
    *,
    sampling: str = RANDOM,
    predictions: str | None = None,
    run: str | None = None,
    by: str | None = None,
    vector: str | None = None,
    seed: int = 0,
    where: str | None = None,
    show_progress: bool = False,
) -> tuple[Sample, "Pushed"]:
    """Sample data points and import those that have no task yet.

    Args:
        project: holds the table, the runs and Label Studio's address.
        task: a task or its name: what is asked of the points.
        data: the name of a data table, `table where condition`, a frame of keys, or a path of one.
        n: how many points to sample, at least 1.
        sampling: as `random` or `uncertain:0.5,random:0.5`.
        predictions: a run whose labels become pre-annotations, or None.
        run: the run that the sampling looks at; default: that of `predictions`.
        by: the column of `stratified`.
        vector: the column of `diverse`; default: the task's first feature.
        seed: the same arguments and seed give the same points, so that a second call sends nothing again.
        where: an SQL condition on the rows of the table.
        show_progress: draw a progress bar.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
        AnnotationError: the sampling cannot be done.
        FrameError: neither a table nor a file, or a file that cannot be used.
        DatabaseError: no such table or column, or a condition that the database refuses.
        TrackingError: no such run.
    """
    from labelstudio import push as pushing  # SQLAlchemy takes a third of a second

    task = project.task(task)
    options = SamplingOptions(sampling, run or predictions, by, vector, seed, where)
    with _linked(project, task) as (linked, theirs), TemporaryDirectory(prefix="adaptml-") as folder:
        projects.check_page(theirs, task)
        share(linked.studio, linked.number, task, project.settings)
        sample = draw_points(project, task, data, n, options, Path(folder))
        files = None
        if predictions is not None:
            from adaptml.runs.label_run import RunFiles  # MLflow takes a second

            files = RunFiles(project, predictions, Path(folder))
        with progress("sending", len(sample.frame), shown=show_progress) as advance:
            media = project.settings.media
            return sample, pushing.push(linked, project.database, task, sample, media, files, advance)


def pull(
    project: Project,
    task: Task | str,
    choice: str = MAJORITY,
    *,
    per_class: bool = False,
    seed: int = 0,
    write: bool = False,
    accept_claims: bool = False,
    texts: bool = True,
    show_progress: bool = False,
) -> Pulled:
    """Fetch what is new and write the same frames as `process_annotations`.

    Args:
        project: Label Studio's address, and where the files are written.
        task: the task that is annotated, or its name.
        choice, per_class, seed, write, accept_claims: as for `process_annotations`.
        texts: as for `annotator_agreement`.
        show_progress: draw a progress bar.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
        AnnotationError: nothing is annotated, or what is cannot be used.
    """
    task = project.task(task)
    with _linked(project, task) as (linked, theirs):
        with progress("reading", int(theirs["task_number"]), shown=show_progress) as advance:
            read = refresh(linked, advance)
        source = f"project {linked.number} of Label Studio"
        export = Export(list(linked.copy.tasks(source)), source, linked.copy.digest())
        if not export.tasks:
            raise AnnotationError(
                f"project {linked.number} of task {task.name!r} has no tasks; send some: "
                "`adaptml annotate push`"
            )
        options = GoldOptions(choice, per_class, seed)
        done = process_tasks(project, task, export, options, write, accept_claims=accept_claims)
        del export  # the agreement needs the room
        shared = len(done.task_df)
        found = None
        if shared:
            found = report(project, task, done.ann_df, done.sample_df, seed=seed, texts=texts)
        return Pulled(read, done, found, unlabelled(done, linked.studio.users()))


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

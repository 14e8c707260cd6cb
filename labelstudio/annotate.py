"""A task's projects in Label Studio, from points to gold: `setup`, `push`, `pull`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from adaptml.data import Data
from adaptml.errors import AnnotationError
from adaptml.frames import KEYS
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, SamplingOptions, draw_points
from adaptml.tasks import Task
from labelstudio import people
from labelstudio import project as projects
from labelstudio.agreement import Agreement
from labelstudio.annotations import Key
from labelstudio.annotator_agreement import report
from labelstudio.changed import AGAIN, CHANGED, ask_again, ask_all_again
from labelstudio.client import connect
from labelstudio.disputed import DISPUTED, disputed_points
from labelstudio.export import ADJUDICATION, ExportedTask
from labelstudio.gold import MAJORITY, GoldOptions
from labelstudio.media import share
from labelstudio.page import CONTROL, boxes
from labelstudio.parts import linked_projects, parts_of
from labelstudio.process_annotations import Export, ProcessedAnnotations, process_tasks
from labelstudio.standing import asked_of
from labelstudio.suspicious import SUSPICIOUS, suspicious_parts, suspicious_points
from labelstudio.sync import refresh

if TYPE_CHECKING:
    from labelstudio.push import Pushed


@dataclass(frozen=True)
class Pulled:
    """The result of `pull`.

    Attributes:
        read: tasks that were read because they are new or changed.
        done: the frames, as `process_annotations` gives them.
        agreement: how far annotators agree, or None where no point has two.
        unlabelled: points that each account has not labelled, by e-mail address; of those in their own
            project where they have one.
        asked: points in each person's own project, by e-mail address.
        strayed: annotations in a person's own project that another made, by whose project it is.
    """

    read: int
    done: ProcessedAnnotations
    agreement: Agreement | None
    unlabelled: dict[str, int]
    asked: dict[str, int]
    strayed: dict[str, int]


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


def setup_people(
    project: Project, task: Task | str, annotators: Sequence[str], overlap: float = people.OVERLAP
) -> dict[str, projects.Setup]:
    """Make or update a project for each person, so that none sees what the others say.

    Label Studio's community edition has neither assignment nor roles: people see each other's projects in the
    list, and are asked to open their own.

    Args:
        project, task: as for `setup`.
        annotators: e-mail addresses of the accounts of two or more people; others who have a project keep it
            and get no new points.
        overlap: share of the points that everybody gets, in [0, 1]; the rest is split evenly.

    Raises:
        LabelStudioError: as `setup`, and fewer than two people, one without an account, or no such share.
    """
    task = project.task(task)
    with connect(project.settings) as studio:
        made = people.setup_people(studio, task, annotators, overlap)
        for done in made.values():
            if share(studio, done.project, task, project.settings):
                done.changes.append(f"files of {project.settings.media} can be shown")
        return made


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
        sampling: as `random` or `uncertain:0.5,random:0.5`; or `disputed` for the points on which annotators
            differed when they were last pulled, the worst first. Each of these gets one more task, in which
            somebody else settles it: its `meta_info` says `"purpose": "adjudication"`. `changed` asks again
            about gold points that read otherwise than when they were labelled, and about points of which
            gold or somebody's answer no longer says which class it is, since that was split or dropped. The
            old answer is not shown: who chooses anew should look at the point. `again` asks about the first n
            named points whatever was said about them, once for each list of classes. `suspicious`:
            points whose labels look wrong to the run; somebody else settles those of gold, as disputed ones.
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
    with linked_projects(project, task) as linked, TemporaryDirectory(prefix="adaptml-") as folder:
        for one in linked:
            projects.check_page(one.theirs, task)
            share(one.project.studio, one.project.number, task, project.settings)
            if len(linked) > 1 or sampling in (CHANGED, AGAIN):  # who has which point: the local copies say
                refresh(one.project)
        if sampling == CHANGED:
            sample, parts = ask_again(project, task, linked, data, n, where)
        elif sampling == AGAIN:
            sample, parts = ask_all_again(project, task, linked, data, n, where)
        elif sampling == DISPUTED:
            sample = disputed_points(project, task, data, n, where)
            parts = parts_of(linked, sample, ADJUDICATION)
        elif sampling == SUSPICIOUS:
            sample = suspicious_points(project, task, data, n, options.run, where)
            parts = suspicious_parts(project, task, linked, sample)
        else:
            sample = draw_points(project, task, data, n, options, Path(folder))
            parts = parts_of(linked, sample)
        files = None
        if predictions is not None:
            from adaptml.runs.label_run import RunFiles  # MLflow takes a second

            files = RunFiles(project, predictions, Path(folder), task)
        done = pushing.Pushed(len(sample.frame))
        with progress(
            "sending", sum(len(part.sample.frame) for part in parts), shown=show_progress
        ) as advance:
            for part in parts:
                one = part.linked
                sent = pushing.push(
                    one.project, project.database, task, part.sample, project.settings.media, files,
                    part.purpose, advance, boxes(one.theirs["label_config"])[CONTROL],
                )  # fmt: skip
                done.add(one.person.email if one.person else "", sent)
        to_send = {key for part in parts for key in part.sample.frame["id"]}
        done.there += int((~sample.frame["id"].isin(to_send)).sum())
        return sample, done


def delete_tasks(project: Project, task: Task, table: str, ids: Sequence[str]) -> int:
    """Delete the tasks of data points in Label Studio, with what was said about them; returns how many.

    Args:
        project: its settings name Label Studio.
        task: whose Label Studio projects.
        table: the data table of the points.
        ids: of the points.

    Raises:
        LabelStudioError: Label Studio refuses, is away for long, or has no project of the task.
    """
    n = 0
    with linked_projects(project, task) as linked:
        for one in (one.project for one in linked):
            refresh(one)
            tasks = one.copy.tasks_of(table, ids)
            for number in tasks:
                one.studio.delete_task(number)
            one.copy.forget(tasks)
            n += len(tasks)
    return n


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
    with linked_projects(project, task) as linked:
        total = sum(int(one.theirs["task_number"]) for one in linked)
        with progress("reading", total, shown=show_progress) as advance:
            read = sum(refresh(one.project, advance) for one in linked)
        numbers = ", ".join(str(one.project.number) for one in linked)
        source = f"project {numbers} of Label Studio"
        tasks = [list(one.project.copy.tasks(source)) for one in linked]
        digest = " ".join(one.project.copy.digest() for one in linked)
        export = Export([task for of_project in tasks for task in of_project], source, digest)
        if not export.tasks:
            raise AnnotationError(
                f"project {numbers} of task {task.name!r} has no tasks; send some: `adaptml annotate push`"
            )
        options = GoldOptions(choice, per_class, seed)
        users, theirs = linked[0].project.studio.users(), asked_of(linked)
        done = process_tasks(
            project, task, export, options, write, accept_claims=accept_claims, users=users, asked=theirs
        )
        left = unlabelled(done, users) if any(one.person is None for one in linked) else {}
        asked: dict[str, int] = {}
        strayed: dict[str, int] = {}
        for one, of_project in zip(linked, tasks, strict=True):
            if one.person is not None:
                email = one.person.email
                own = next((str(number) for number, known in users.items() if known == email), "")
                asked[email], left[email] = len(theirs[email]), _left(done, theirs[email], own)
                if n := _of_others(of_project, own):
                    strayed[email] = n
        del export, tasks  # the agreement needs the room
        found = None
        if len(done.task_df):
            found = report(project, task, done.ann_df, done.sample_df, seed=seed, texts=texts)
        return Pulled(read, done, found, left, asked, strayed)


def _left(done: ProcessedAnnotations, asked: set[Key], annotator: str) -> int:
    """How many of these points an annotator has not labelled."""
    if annotator in done.ann_df.columns:
        labelled = done.ann_df.loc[done.ann_df[annotator].notna(), KEYS]
        asked = asked - set(labelled.itertuples(index=False, name=None))
    return len(asked)


def _of_others(tasks: Sequence[ExportedTask], annotator: str) -> int:
    """How many annotations of a person's project are another's."""
    return sum(str(given.completed_by) != annotator for task in tasks for given in task.annotations)


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

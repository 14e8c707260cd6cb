"""Points to ask about again: they read otherwise than when they were labelled, or their classes changed."""

import hashlib
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from adaptml.data import Data
from adaptml.errors import AnnotationError, FrameError
from adaptml.frames import KEYS
from adaptml.gold_labels.core import seen_of
from adaptml.gold_labels.reading import changed_points, gold_labels, rows_now, undecided
from adaptml.project import Project
from adaptml.sampling import Sample
from adaptml.sampling.points import table_and_ids
from adaptml.tasks import Task
from labelstudio.annotations import Key, undecided_points
from labelstudio.parts import Linked, Part, changed_parts, only
from labelstudio.points import sort_tasks

CHANGED, AGAIN = "changed", "again"


def ask_again(
    project: Project, task: Task, linked: Sequence[Linked], data: Data, n: int, where: str | None = None
) -> tuple[Sample, list[Part]]:
    """Up to n points to be asked about again, and what of them goes to which project.

    Args:
        project, task, data, n, where: as for `changed_sample`.
        linked: the task's projects; their local copies are up to date.

    Raises:
        AdaptmlError: as `changed_sample`.
    """
    open_in = [_open_answers(one, task) for one in linked] if task.class_changes else [set() for _ in linked]
    sample, now = changed_sample(project, task, data, n, where, set().union(*open_in))
    parts = changed_parts(linked, sample, now)
    keys = {(sample.table, key) for key in sample.frame["id"]}
    gold = _open_gold(project, task) & keys - set().union(*open_in) if task.class_changes else set()
    reworded = {(part.linked.project.number, key) for part in parts for key in part.sample.frame["id"]}
    shared = any(one.person is None for one in linked)
    for one, answers in zip(linked, open_in, strict=True):
        asked = answers | (gold if one.person is None or not shared else set())
        ids = [key for table, key in asked & keys if (one.project.number, key) not in reworded]
        parts += [Part(one, only(sample, ids), _purpose(task))] if ids else []
    return sample, parts


def ask_all_again(
    project: Project, task: Task, linked: Sequence[Linked], data: Data, n: int, where: str | None = None
) -> tuple[Sample, list[Part]]:
    """The first n named points, whatever was said about them: of a class that was added, nobody was asked.

    Args:
        project, task, data, n, where: as for `changed_sample`.
        linked: the task's projects; their local copies are up to date.

    Raises:
        AnnotationError: n below 1, or points of several tables.
        FrameError, DatabaseError: data that cannot be read.
    """
    sample = named_points(project, data, n, where)
    table, ids = sample.table, sample.frame["id"].tolist()
    had = [set(one.project.copy.wordings(table, ids)) for one in linked]
    new = set(ids).difference(*had)
    shared = any(one.person is None for one in linked)
    parts = [
        Part(one, only(sample, having | (new if one.person is None or not shared else set())), _purpose(task))
        for one, having in zip(linked, had, strict=True)
    ]
    return sample, [part for part in parts if len(part.sample.frame)]


def named_points(project: Project, data: Data, n: int, where: str | None = None) -> Sample:
    """The first n named points, whatever was said about them.

    Args:
        project, data, n, where: as for `changed_sample`.

    Raises:
        AnnotationError: n below 1, or points of several tables.
        FrameError, DatabaseError: data that cannot be read.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, named = table_and_ids(project, data, where)
    ids = [*(project.database.keys(table)["id"] if named is None else named)][:n]
    return Sample(pd.DataFrame({"table_name": table, "id": ids, "inclusion_prob": np.nan}), AGAIN, n, 0)


def changed_sample(
    project: Project,
    task: Task,
    data: Data,
    n: int,
    where: str | None = None,
    answers: Collection[Key] = (),
) -> tuple[Sample, dict[str, dict[str, str]]]:
    """Up to n points that changed since they were labelled, and what there is to see of each now.

    Args:
        project: holds gold and the data table.
        task: says which columns people see, and what became of its classes.
        data: the table that they are of, or some of its points.
        n: at least 1.
        where: an SQL condition on the rows of the table.
        answers: other points to be asked about again, such as those whose answers are open.

    Returns:
        The points, gold points first, and id → column → hash.

    Raises:
        AnnotationError: n below 1, or none of them has changed.
        FrameError: no gold, neither a table nor a file, or a file that cannot be used.
        DatabaseError: a condition that the database refuses.
    """
    if n < 1:
        raise AnnotationError(f"{n} points were asked for; expected at least 1")
    table, ids = table_and_ids(project, data, where)
    keys = pd.DataFrame(sorted(answers), columns=KEYS, dtype=object)
    keys = keys[project.database.present(keys)] if len(keys) else keys
    try:
        keys = pd.concat([changed_points(project, task), keys]).drop_duplicates()
    except (AnnotationError, FrameError):  # no gold, or none that changed
        if keys.empty:
            raise
    keys = keys[(keys["table_name"] == table) & (keys["id"].isin(ids) if ids is not None else True)].head(n)
    if keys.empty:
        raise AnnotationError(f"no gold point of {table} has changed since it was labelled")
    columns = [column.name for column in task.columns]
    now = {key: seen_of(cells) for (_, key), cells in rows_now(project, keys, columns).items()}
    return Sample(keys.reset_index(drop=True).assign(inclusion_prob=np.nan), CHANGED, n, 0), now


def _open_answers(one: Linked, task: Task) -> set[Key]:
    """Points of one project with an answer that no longer says which class it is; a third person's too."""
    source = f"project {one.project.number} of Label Studio"
    tasks = sort_tasks(one.project.copy.tasks(source))
    kinds = (tasks.annotation, tasks.adjudication)
    return {key for kind in kinds for key in undecided_points(kind, task, source)}


def _open_gold(project: Project, task: Task) -> set[Key]:
    """Gold points that no longer say which class they are, of whatever origin."""
    try:
        gold = gold_labels(project, task.name).frame
    except FrameError:  # no gold yet
        return set()
    return set(gold.loc[undecided(gold, task), KEYS].itertuples(index=False, name=None))


def _purpose(task: Task) -> str:
    """One purpose for each list of classes: a point is asked anew once for each."""
    said = repr((task.class_names, task.class_changes))
    return f"classes {hashlib.sha256(said.encode()).hexdigest()[:12]}"

"""Features of texts, pictures, sounds and numbers, for rules and end models, kept beside the data table."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from adaptml.errors import FeatureError, TaskError, listed
from adaptml.features.catalogue import Feature, newest
from adaptml.features.changes import Counts, find_changes
from adaptml.features.featurize_ranges import CHUNK_ROWS, fill_by_workers
from adaptml.features.filling import Filling, get_ready
from adaptml.features.plan import plan
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.scale.pool import open_pool
from adaptml.tasks import Featurize, Task

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Featurized:
    """The result of `featurize`.

    Attributes:
        rows: rows that got features.
        new: those of them that had none, or not all.
        changed: those of them whose text is another one than their features were computed from.
        empty: those of them without text; they got an empty list of lemmas and a vector of zeros.
        kept: rows whose features were there and computed from the same text.
        gone: values that were removed, because the table does not have their rows any more.
        features: the features that every row has now, as `name@version`.

    Example:
        >>> project.featurize("spam", "comments")
        Featurized(rows=0, new=0, changed=0, empty=0, kept=24, gone=0, features=('tokens@1', 'vector@1'))
    """

    rows: int
    new: int
    changed: int
    empty: int
    kept: int
    gone: int
    features: tuple[str, ...]


def featurize(
    project: Project,
    task: Task | str,
    data: str,
    *,
    text: str | None = None,
    lemmas: str | None = None,
    vector: str | None = None,
    answer: str | None = None,
    score: str | None = None,
    encoder: str | None = None,
    all_rows: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    show_progress: bool = False,
) -> Featurized:
    """Compute features of a table's texts and keep them beside it; the table itself stays as it is.

    Only rows that are new or whose text has changed are computed. Rows are read once and written in chunks,
    so memory stays bounded, and an interrupted run loses one chunk at most: the next run does the rest.
    Where the encoder is another one than before, its vectors are a new version of the feature, which is
    read from then on; versions that a task or a champion names are filled on.

    Args:
        project: holds the table, and the features in its `results`.
        task: a task or its name; its section `featurize` says what the arguments below leave open.
        data: name of a data table or view.
        text: column to read; no text (NULL) counts as empty. Of a task that featurises several columns it
            says which of them the other arguments are about.
        lemmas: name of the feature for the list of lemmas, list[str].
        vector: name of the feature for the text's vector, float32 (d,).
        answer: name of the feature for what the encoder reads in a picture, a text: the name of the best
            class, or the words that stand there; None where there is no picture.
        score: name of the feature for how sure it is of that, a number in 0 … 1; None where it reads nothing.
        encoder: name of the encoder that makes the vectors and the answers.
        all_rows: compute every row again.
        workers: number of processes.
        scheduler: address of a scheduler whose workers do it, see `adaptml.scale`.
        show_progress: draw a progress bar.

    Raises:
        TaskError: no such task, or nothing says which column holds the text.
        FeatureError: no feature asked for, a column of another type, an encoder that does not exist, or data
            that are no whole table.
        UnknownTableError: no such table.
        UnknownColumnError: the table has no such text column.
        DatabaseError: ids that are NULL or duplicated.
        DatabaseUnavailableError: the database is away or locked.
        ScaleError: no workers, or some that cannot do it; what is done is kept.

    Example:
        >>> project.featurize("spam", "comments", all_rows=True).rows
        24
    """
    task = project.task(task)
    _check_table(project, data)
    given = {"text": text, "lemmas": lemmas, "vector": vector, "answer": answer, "score": score}
    parts = _parts(task, given | {"encoder": encoder})
    planned = [plan(project.points, data, task, columns) for columns in parts]
    for sentence in [sentence for one in planned for sentence in one.warnings]:
        _log.warning("%s", sentence)
    filling = [Filling(project, data, feature) for one in planned for feature in one.features]
    pool, run = open_pool(project, workers, scheduler), uuid4().hex[:12]
    if pool is None or not project.database.count(data):
        found, gone = _fill_here(project, data, filling, all_rows, run, show_progress)
    else:
        found, gone = fill_by_workers(
            project, task, data, filling, pool, all_rows=all_rows, run=run, show_progress=show_progress
        )
    _note_filled(project, data, filling)
    names = tuple(str(f.feature.reference) for f in filling if f.feature)
    kept = found.total - found.waiting
    return Featurized(found.waiting, found.new, found.changed, found.empty, kept, gone, names)


def _fill_here(
    project: Project, data: str, filling: Sequence[Filling], all_rows: bool, run: str, show_progress: bool
) -> tuple[Counts, int]:
    """In this process; what was found, and how many values of rows that are gone were removed."""
    sources, known = [f.planned.spec.source for f in filling], [f.known() for f in filling]
    with ExitStack() as stack:
        changes = stack.enter_context(find_changes(project.database, data, sources, known, all_rows=all_rows))
        get_ready(filling, changes)
        gone = sum(f.remove(hashes) for f, hashes in zip(filling, changes.gone, strict=True))
        advance = stack.enter_context(progress("featurising", changes.counts.waiting, shown=show_progress))
        for rows in changes.chunks(CHUNK_ROWS):
            for number, feature in enumerate(filling):
                feature.compute([row for row in rows if number in row.needed], run)
            advance(len(rows))
    return changes.counts, gone


def _check_table(project: Project, data: str) -> None:
    """Other steps take points of a table too, by a condition or a file; features are those of all rows."""
    if project.database.has_table(data):
        return
    table, where, _ = data.partition(" where ")
    if where or project.path(data).is_file():
        what = f"some rows of {table}" if where else "a file"
        raise FeatureError(
            f"features are computed for every row of a table, and {data!r} is {what}; expected the name of a "
            "table or view, whose new and changed rows alone are computed"
        )


def _parts(task: Task, options: dict[str, str | None]) -> Sequence[Featurize]:
    """What to read and fill: what was given, and the rest as the task says."""
    given = {name: value for name, value in options.items() if value is not None}
    if task.featurize and not given:
        return task.featurize
    meant = [part for part in task.featurize if part.text == given.get("text")] or task.featurize
    if len(meant) > 1 and "text" not in given:
        raise TaskError(
            f"task {task.name!r} featurises {listed([part.text for part in meant], 20)}, and "
            f"{listed(list(given))} was given for none of them; name the column (--text)"
        )
    said: dict[str, Any] = meant[0].model_dump() if len(meant) == 1 else {}
    said |= given
    if "text" not in said:
        raise TaskError(
            f"task {task.name!r} has no section featurize, so nothing says which column holds the text; "
            "add the section to its file, or name the column (--text)"
        )
    return [Featurize.model_validate(said)]


def _note_filled(project: Project, table: str, filling: Sequence[Filling]) -> None:
    """From now on names stand for the versions that were asked for: all rows have them."""
    here = project.points.catalogue.of_table(table)
    for feature in filling:
        made = feature.feature
        if made and feature.planned.version is None and _needs_note(here, made):
            project.points.catalogue.note_filled(made)


def _needs_note(here: Sequence[Feature], made: Feature) -> bool:
    """Whether a version is not yet the one that its name stands for."""
    now = newest(here, made.name)
    return now is None or now.version != made.version or now.filled_at is None

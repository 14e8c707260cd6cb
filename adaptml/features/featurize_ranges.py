"""`featurize` by ranges of ids, which workers read, compute and write by themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, fields
from typing import Any

import numpy as np
import sqlalchemy as sa

from adaptml.database import Database, Range
from adaptml.database.splitting import split
from adaptml.errors import FeatureError, listed
from adaptml.features.catalogue import Reference
from adaptml.features.changes import Counts, find_changes
from adaptml.features.filling import Filling
from adaptml.features.makers import Ready, can_make
from adaptml.features.plan import Planned
from adaptml.features.streaming import stream
from adaptml.features.values import Hashes, Known, among, id_hashes
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.scale.pool import Pool
from adaptml.scale.work import Chunk, ChunkFunction, runs_chunks
from adaptml.tasks import Task

RANGE_ROWS = 2_000  # half a minute of the default encoder: what a worker that ends, or is cancelled, can cost
CHUNK_ROWS = 500  # rows in memory, and in one transaction: what an interruption can cost


@runs_chunks
def features_of_ranges(project: Project, _task: Task, said: Mapping[str, Any]) -> ChunkFunction:
    """Fills features for the rows of a range: low and high as those of `Range` → the fields of `Counts`.

    Args:
        project: the worker's.
        said: `table`, `features` (name and version of each), `all_rows`, `run`.

    Raises:
        FeatureError: the features are not in the worker's database, or its encoders are others than theirs.
    """
    table, run, all_rows = said["table"], said["run"], said["all_rows"]
    known = {(f.name, f.version): f for f in project.points.catalogue.of_table(table)}
    wanted = [Reference(name, version) for name, version in said["features"]]
    absent = [str(reference) for reference in wanted if reference not in known]
    if absent:  # they were made just before
        raise FeatureError(
            f"{project.results.name} has no {listed(absent)} of table {table!r}; give it the database of "
            "whoever asks (ADAPTML_DATABASE_URL, ADAPTML_RESULTS_DATABASE_URL)"
        )
    features = [known[reference] for reference in wanted]
    lacking = next((feature for feature in features if not can_make(feature.spec)), None)
    if lacking is not None:
        raise FeatureError(
            f"{lacking.reference} cannot be computed there: its encoder {lacking.made_by!r} is another one; "
            "install the same version and the same files"
        )
    filling = [Filling(project, table, Planned(f.name, f.spec, f, f.version)) for f in features]
    ready: Ready = {}
    for feature in filling:
        feature.get_ready(ready)
    sources = [feature.source for feature in features]

    def fill(chunk: Chunk) -> list[int]:
        where = Range(*chunk)
        with find_changes(
            project.database, table, sources,
            lambda ids: [feature.known_of(ids) for feature in filling], all_rows=all_rows, within=where,
        ) as changes:  # fmt: skip
            for rows in changes.chunks(CHUNK_ROWS):
                for number, feature in enumerate(filling):
                    feature.compute([row for row in rows if number in row.needed], run)
            return list(astuple(changes.counts))

    return fill


def fill_by_workers(
    project: Project,
    task: Task,
    table: str,
    filling: Sequence[Filling],
    pool: Pool,
    *,
    all_rows: bool,
    run: str,
    show_progress: bool,
) -> tuple[Counts, int]:
    """Have workers fill features for all rows of a table.

    Args:
        project: holds the table.
        task: the task.
        table: name of a data table that has rows.
        filling: the features; versions that are not there yet are made.
        pool: who does it.
        all_rows: every row needs every feature.
        run: what is noted as the values' origin.
        show_progress: draw a progress bar.

    Returns:
        What was found, and how many values of rows that are gone were removed.

    Raises:
        AdaptmlError: as `featurize`, and what workers raise; ranges that are done are kept.
    """
    ranges = split(project.database, table, RANGE_ROWS)
    ready: Ready = {}
    for one in filling:
        if one.feature is None:
            one.get_ready(ready)
    known = [one.known() for one in filling]
    gone = _remove_gone(project.database, table, filling, known)
    made = [(one.feature.name, one.feature.version) for one in filling if one.feature]
    said = {"table": table, "features": made, "all_rows": all_rows, "run": run}
    total = Counts()
    with ExitStack() as stack:
        stack.enter_context(pool)
        advance = stack.enter_context(
            progress("featurising", project.database.count(table), shown=show_progress)
        )
        for counts in _counted(pool.run(features_of_ranges, task, said, map(list, ranges))):
            for field in fields(Counts):
                setattr(total, field.name, getattr(total, field.name) + getattr(counts, field.name))
            advance(counts.total)
    return total, gone


def _counted(results: Iterable[list[int]]) -> Iterator[Counts]:
    return (Counts(*result) for result in results)


def _remove_gone(database: Database, table: str, filling: Sequence[Filling], known: Sequence[Known]) -> int:
    """Remove the values of rows that are gone; the ids of all others are looked at."""
    if not any(len(one.ids) for one in known):
        return 0
    source = database.data_table(table)
    parts: list[Hashes] = [
        id_hashes(database.ids(source, rows))
        for rows in stream(database, source.fullname, sa.select(source.c.id), source.c.id)
    ]
    seen = np.sort(np.concatenate(parts)) if parts else np.empty(0, np.int64)
    return sum(
        one.remove(of_feature.ids[~among(of_feature.ids, seen)])
        for one, of_feature in zip(filling, known, strict=True)
    )

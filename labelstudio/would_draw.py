"""What a sampling would choose for annotation, before anything is written or sent."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from adaptml.data import Data
from adaptml.feedback import annotators_in
from adaptml.frames import KEYS, read_frame
from adaptml.gold_labels.home import GoldHome
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, SamplingOptions, draw_points
from adaptml.tasks import Task
from labelstudio.absent import nothing_in
from labelstudio.changed import AGAIN, CHANGED, changed_sample, named_points
from labelstudio.disputed import DISPUTED, disputed_points
from labelstudio.local_copy import asked_in
from labelstudio.suspicious import SUSPICIOUS, suspicious_points

SHOWN = 10
STRATA_SHOWN = 20
CHUNK_ROWS = 1_000  # texts can be long


@dataclass(frozen=True)
class WouldDraw:
    """What a sampling would choose.

    Attributes:
        sample: the points.
        kinds: how many points each sampler of a mixture gives, the first ones first.
        strata: how many points each value of the column has, the most first, at most `STRATA_SHOWN`; empty
            without one.
        rows: the first points: `table_name`, `id`, `kind` (which sampler), `inclusion_prob` and the columns
            that annotators see.
        asked: points that annotators were asked about already, as far as it is known here.
        gold: points that have a gold label.
        empty: points with nothing in any column that annotators see: they are left out.
    """

    sample: Sample
    kinds: Mapping[str, int]
    strata: Mapping[str, int]
    rows: pd.DataFrame
    asked: int
    gold: int
    empty: int


def would_draw(
    project: Project,
    task: Task | str,
    data: Data,
    n: int,
    *,
    sampling: str = RANDOM,
    run: str | None = None,
    by: str | None = None,
    vector: str | None = None,
    seed: int = 0,
    where: str | None = None,
) -> WouldDraw:
    """The points that `sample_tasks` or `push` would choose with the same arguments; nothing is written.

    Args:
        project: holds the table, the run and what annotators said.
        task, data, n, sampling, run, by, vector, seed, where: as for `labelstudio.annotate.push`.

    Raises:
        AnnotationError: the sampling cannot be done, or finds no point.
        FrameError: neither a table nor a file, or a file that cannot be used.
        DatabaseError: no such table or column, or a condition that the database refuses.
        TrackingError: no such run.
    """
    task = project.task(task)
    sample = _drawn(project, task, data, n, SamplingOptions(sampling, run, by, vector, seed, where))
    keys, columns = sample.frame[KEYS], [column.name for column in task.columns]
    strata: Counter[str] = Counter()
    empty = 0
    for start in range(0, len(keys), CHUNK_ROWS):
        part = keys.iloc[start : start + CHUNK_ROWS]
        if columns:
            empty += int(nothing_in(project.database.read(part, columns), task).all(axis=1).sum())
        if by is not None:
            cells = project.database.read(part, [by])[by]
            strata.update("(nothing)" if pd.isna(cell) else str(cell) for cell in cells)
    parts = sample.parts or {sampling: len(keys)}
    kinds = [name for name, count in parts.items() for _ in range(count)]
    rows = project.database.read(keys.head(SHOWN), columns).assign(
        kind=kinds[:SHOWN], inclusion_prob=sample.frame["inclusion_prob"].head(SHOWN)
    )
    return WouldDraw(
        sample,
        parts,
        dict(strata.most_common(STRATA_SHOWN)),
        rows,
        len(_asked(project, task, sample)),
        len(_with_gold(project, task, sample)),
        empty,
    )


def _drawn(project: Project, task: Task, data: Data, n: int, options: SamplingOptions) -> Sample:
    if options.sampling == DISPUTED:
        return disputed_points(project, task, data, n, options.where)
    if options.sampling == CHANGED:
        return changed_sample(project, task, data, n, options.where)[0]
    if options.sampling == SUSPICIOUS:
        return suspicious_points(project, task, data, n, options.run, options.where)
    if options.sampling == AGAIN:
        return named_points(project, data, n, options.where)
    with TemporaryDirectory(prefix="adaptml-") as folder:
        return draw_points(project, task, data, n, options, Path(folder))


def _asked(project: Project, task: Task, sample: Sample) -> set[str]:
    """Ids that have a task in Label Studio as it was last read, or that somebody labelled."""
    folder, ids = project.settings.annotations(task.name), sample.frame["id"].tolist()
    found: set[str] = set()
    for copy in folder.glob("label_studio*.sqlite3"):
        found |= asked_in(copy, sample.table, ids)
    path = folder / "ann_df.parquet"
    if path.is_file():
        frame = read_frame(path)
        labelled = frame[annotators_in(frame)].notna().any(axis=1) & (frame["table_name"] == sample.table)
        found |= set(frame.loc[labelled, "id"]) & set(ids)
    return found


def _with_gold(project: Project, task: Task, sample: Sample) -> set[str]:
    home = GoldHome(project, task.name)
    if not home.exists:
        return set()
    rows = home.rows()
    return set(rows.loc[rows["table_name"] == sample.table, "id"]) & set(sample.frame["id"])

"""Predict many data points at once, with the champion that the service would use."""

import json
import logging
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from itertools import chain, count, islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from mlflow.exceptions import MlflowException
from pandas.util import hash_pandas_object

from adaptml.data import Data, described, read_points, whole_table
from adaptml.database import WritebackKind, write_back
from adaptml.database.staging import take_place
from adaptml.database.unwritten import complete_already
from adaptml.errors import DatabaseError, FileError, ModelError, one_line
from adaptml.files import replacing
from adaptml.frames import KEYS, METADATA, read_frame
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.rules.stored_votes import votes_table
from adaptml.runs.class_lists import same_classes
from adaptml.runs.registry import CHAMPION
from adaptml.scale.pool import open_pool
from adaptml.tasks import Task
from modelling.champion import Champion, load_champion
from modelling.keyed import ANSWERED_FROM
from modelling.predicting import SCHEMA, Answers, store_votes
from modelling.registration import registered_name
from modelling.unfinished import Unfinished, Wanted, unfinished
from modelling.voting import COMPUTED

CHUNK_ROWS = 10_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predicted:
    """The result of a batch prediction.

    Attributes:
        path: the file of the predictions; None where workers wrote them to the database, and none was named.
        model_name: name of the model in the registry.
        version: its version.
        n_points: how many data points were predicted.
        counts: class → how many of them it was predicted for.
        new_rows: rows that `<task>_predictions` did not hold before; None where nothing was written back.
        n_gone: data points that were named and are gone from their table.
        run_id: the run that made the model; empty where it says none.
        answered_from: of a model that takes votes, where they came from → of how many data points.
        unfinished: what tells how far storing them came, while that goes on; else None.

    Example:
        >>> trained = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
        >>> deployed = project.deploy(trained.model_name)
        >>> project.predict("spam", "comments").n_points
        24
    """

    path: Path | None
    model_name: str
    version: str
    n_points: int
    counts: Mapping[str, int]
    new_rows: int | None
    n_gone: int = 0
    run_id: str = ""
    answered_from: Mapping[str, int] = field(default_factory=dict)
    unfinished: Unfinished | None = field(default=None, repr=False, compare=False)

    @property
    def predictions(self) -> pd.DataFrame:
        """table_name, id, label (list of class names), label_probs (k floats in class order).

        Of a model that takes votes, also `answered_from`, see `modelling.voting`.

        Raises:
            ModelError: they are in the database alone.
        """
        if self.path is None:
            raise ModelError(
                "workers wrote these predictions to the database alone, and no file was asked for; read the "
                "table, or name a file with to="
            )
        return read_frame(self.path)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{n}</td></tr>" for name, n in self.counts.items())
        model = escape(f"{self.model_name} version {self.version}")
        return f"<p>{self.n_points} data points predicted by {model}</p><table>{rows}</table>"


def predict(
    project: Project,
    task: str | Task,
    data: Data,
    *,
    where: str | None = None,
    new: bool = False,
    write: bool = False,
    to: Path | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    show_progress: bool = False,
) -> Predicted:
    """Predict data points with the task's champion, a chunk at a time.

    Where it is killed or fails, the same call goes on within a week after what was predicted and stored.

    Args:
        project: holds the data, the champion and the features.
        task: the task or its name; the model is `<setting>_<task>`.
        data: the points to predict: a table, `table where …`, a frame or a path of one.
        where: a condition on the rows of the table, in SQL.
        new: only points that `<task>_predictions` does not hold yet.
        write: also store the predictions in the table `<task>_predictions` of the database.
        to: Parquet file to write, replaced if it is there; default: a new file in `predictions/` in the home
            folder, or none where workers write the predictions to the database.
        workers: number of processes; several write to the database by themselves.
        scheduler: address of a scheduler whose workers do it, see `adaptml.scale`; likewise.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the task has no champion, it does not load, or it knows other classes. One that knows the
            same classes under names of before is told, and answered in the names of now.
        MissingDataPointsError, FeatureError, DatabaseError: as reading features raises them; where the
            predictions cannot be stored, their file is complete.

    Example:
        >>> trained = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
        >>> deployed = project.deploy(trained.model_name)
        >>> project.predict("spam", "comments where text like '%song%'").predictions[["id", "label"]].head(2)
            id  label
        0   h0  [ham]
        1  h10  [ham]
    """
    task = project.task(task)
    with predicted(
        project,
        task,
        data,
        where=where,
        new=new,
        write=write,
        to=to,
        workers=workers,
        scheduler=scheduler,
        show_progress=show_progress,
    ) as done:
        new_rows = write_predictions(project, task, done) if write else None
        return replace(done, new_rows=new_rows, unfinished=None)


@contextmanager
def predicted(
    project: Project,
    task: Task,
    data: Data,
    *,
    where: str | None = None,
    new: bool = False,
    write: bool = False,
    to: Path | str | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    show_progress: bool = False,
) -> Iterator[Predicted]:
    """The same, for a block in which `write_predictions` stores them: killed in it, it goes on there too.

    It does so where `write` is given. What workers wrote by then is staged, and read by nobody.
    """
    pool = open_pool(project, workers, scheduler)
    frame, table = None, None if new else whole_table(project, data, where)
    if table is None:
        frame = read_points(project, data, where=where, not_in=_results(task) if new else None)
    else:  # what is wrong with the data is said first
        project.database.check_ids(table)
    champion, then = _champion(project, task)
    said = {
        "task": task.name,
        "model": [champion.name, champion.version, champion.run_id, list(then.items())],
        "data": [described(data), where, new, "" if frame is None else _digest(frame)],
        "to": str(to),
        "by": "workers" if write and pool is not None else "",
    }
    with unfinished(project, said) as parts:
        if parts.completed() is None:
            points, answers = Wanted(project, str(data), frame), Answers(task, champion, then, CHUNK_ROWS)
            with pool or nullcontext():
                stage = parts.staged(project, task) if write and pool is not None else None
                wants_file = stage is None or to is not None
                done = (
                    answers.here(points, parts)
                    if pool is None
                    else answers.by_workers(pool, points, parts, stage=stage, wants_file=wants_file)
                )
                _follow(done, len(points), parts.rows(), show_progress=show_progress)
            _put_together(project, task, champion, parts, to, gone=points.gone)
        try:
            yield _result(task, champion, parts)
        except DatabaseError:
            if parts.stage is None:  # it names the command that writes them: nothing is left to go on with
                parts.begin_anew()
            raise


def _follow(done: Iterator[int], n_points: int, n_before: int, *, show_progress: bool) -> None:
    """Have all points predicted that are not yet."""
    if n_before:
        _log.warning("%d of %d data points are predicted already: it goes on after these", n_before, n_points)
    with progress("predicting", n_points, shown=show_progress) as advance:
        advance(n_before)
        for n in done:
            advance(n)


def _put_together(
    project: Project, task: Task, champion: Champion, parts: Unfinished, to: Path | str | None, *, gone: int
) -> None:
    """All parts in one file, where one is wanted."""
    noted = parts.noted()
    if noted is not None:
        facts = {"n_points": noted.rows, "n_gone": gone, "counts": noted.counts, "ways": noted.ways}
        parts.complete(None, facts)
        return
    counts: Counter[str] = Counter()
    ways: Counter[str] = Counter()
    n_points = parts.rows()
    with _target(project, champion, to) as path:
        _write(path, task, parts.tables(), counts, ways)
        facts = {"n_points": n_points, "n_gone": gone, "counts": counts, "ways": ways}
        parts.complete(path, facts)


def _result(task: Task, champion: Champion, parts: Unfinished) -> Predicted:
    said = parts.completed() or {}
    return Predicted(
        None if said["path"] is None else Path(said["path"]),
        champion.name,
        champion.version,
        said["n_points"],
        {name: said["counts"].get(name, 0) for name in task.class_names},
        None,
        said["n_gone"],
        champion.run_id or "",
        {way: said["ways"].get(way, 0) for way in champion.ways},
        parts,
    )


def _results(task: Task) -> str:
    return f"{task.name}_{WritebackKind.PREDICTIONS}"


def _digest(frame: pd.DataFrame) -> str:
    """What tells the points of a frame from those of another."""
    return sha256(hash_pandas_object(frame[KEYS].astype(str), index=False).to_numpy().tobytes()).hexdigest()


def write_predictions(project: Project, task: Task, done: Predicted) -> int:
    """Store predictions in the table `<task>_predictions`; those of the same points and model are replaced.

    What workers have staged takes its place there at once.

    Args:
        project: whose results.
        task: that of the predictions.
        done: the predictions.

    Returns:
        How many rows were new.

    Raises:
        DatabaseError: the database refuses; the file of predictions, or what is staged, is as it was.
    """
    if done.unfinished is not None and done.unfinished.stage is not None:
        return _take_place(project, task, done, done.unfinished, done.unfinished.stage)
    assert done.path is not None  # noqa: S101 - only what is staged may have no file
    kind, model = WritebackKind.PREDICTIONS, f"{done.model_name}/{done.version}"
    file = shlex.quote(str(done.path))
    again = f"adaptml predict {task.name} --setting {task.setting} --data {file} --to {file} --write"
    what = f"{done.path} (by {done.model_name} version {done.version})"
    with (
        complete_already(project.results, what, f"{task.name}_{kind}", again),
        pq.ParquetFile(done.path) as written,
    ):
        stored, new = (0, 0) if done.unfinished is None else done.unfinished.written
        seen = 0
        for batch in written.iter_batches(CHUNK_ROWS):
            seen += len(batch)
            if seen <= stored:  # before it was killed
                continue
            chunk = pd.DataFrame(batch.to_pylist()).assign(model=model)
            new += write_back(project.results, task, kind, chunk, done.run_id or model)
            if done.unfinished is not None:
                done.unfinished.note_written(seen, new)
    if done.answered_from.get(COMPUTED):
        with complete_already(project.results, what, votes_table(task.name), again):
            _write_votes(project, done)
    return new


def _take_place(project: Project, task: Task, done: Predicted, parts: Unfinished, stage: str) -> int:
    rows, new = parts.written
    if rows:  # it was killed after that
        return new
    what = f"what workers predicted ({done.n_points} points, by {done.model_name} version {done.version})"
    with complete_already(project.results, what, _results(task), None):
        new = take_place(project.results, task, stage)
    parts.note_written(done.n_points, new)
    return new


def _write_votes(project: Project, done: Predicted) -> None:
    """Store the votes that the model's rules cast on the points of a file."""
    champion = load_champion(project.runs.client, project.points, done.model_name, done.version)
    with pq.ParquetFile(done.path) as written:
        for batch in written.iter_batches(CHUNK_ROWS, columns=KEYS):
            keys = batch.to_pandas().drop_duplicates(KEYS).reset_index(drop=True)
            store_votes(project, champion, keys, done.run_id)


def _write(
    path: Path, task: Task, tables: Iterator[pa.Table], counts: Counter[str], ways: Counter[str]
) -> None:
    """Write tables as one Parquet file, whole or not at all, and count the classes in them, and the ways."""
    said = {"task": task.name, "setting": task.setting, "classes": task.class_names}
    first = list(islice(tables, 1))
    schema = (first[0].schema if first else SCHEMA).with_metadata(
        {METADATA: json.dumps(said, ensure_ascii=False)}
    )
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for table in chain(first, tables):
            writer.write_table(table.cast(schema))
            _count(pc.list_flatten(table.column("label")), counts)
            if ANSWERED_FROM in table.column_names:
                _count(table.column(ANSWERED_FROM), ways)


def _count(names: pa.ChunkedArray, counts: Counter[str]) -> None:
    for found in pc.value_counts(names).to_pylist():
        counts[found["values"]] += found["counts"]


@contextmanager
def _target(project: Project, champion: Champion, to: Path | str | None) -> Iterator[Path]:
    """The file to write: the one that was named, or a new one that nobody else has.

    The name of a new one is taken by making the file: of two predictions in the same second, one gets the
    next number.
    """
    if to is not None:
        yield Path(to)
        return
    path = _new_file(project.settings.home / "predictions", f"{champion.name}_v{champion.version}")
    try:
        yield path
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def _new_file(folder: Path, name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            path = folder / f"{name}_{stamp}{'' if number == 1 else f'_{number}'}.parquet"
            with suppress(FileExistsError):
                path.open("xb").close()
                return path
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{folder} cannot be written: {reason}; free space or name a file with --to"
        ) from error
    raise AssertionError  # there is always a next number


def _champion(project: Project, task: Task) -> tuple[Champion, dict[str, str]]:
    """The champion, and its name of each of the task's classes."""
    client, name = project.runs.client, registered_name(task)
    try:
        version = str(client.get_model_version_by_alias(name, CHAMPION).version)
    except MlflowException as error:
        raise ModelError(
            f"no champion {name!r} in the registry; train it, then `adaptml deploy {name}`"
        ) from error
    try:
        champion = load_champion(client, project.points, name, version)
    except MlflowException as error:
        raise ModelError(
            f"champion {name} version {version} does not load: {one_line(error)}; train it again"
        ) from error
    then, knows = same_classes(task, champion.classes), ", ".join(champion.classes)
    if then is None:
        raise ModelError(
            f"champion {name} knows the classes {knows} and the task file "
            f"{', '.join(task.class_names)}; train and deploy the model again"
        )
    if [*then] != [*then.values()]:
        _log.warning(
            "champion %s version %s knows the classes %s; its answers are told under their names of now, %s",
            name, version, knows, ", ".join(task.class_names),
        )  # fmt: skip
    return champion, then


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("predict")

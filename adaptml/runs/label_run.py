"""What a run left behind of each data point, read in chunks."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adaptml.errors import AnnotationError, FrameError, TrackingError
from adaptml.frames import KEYS, read_frame
from adaptml.project import Project
from adaptml.tasks import ABSTAIN, ProblemType, problem_type

CHUNK_ROWS = 50_000

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.object_]


class RunFiles:
    """The files of one complete `label` or end-model run, copied when they are first asked for."""

    def __init__(self, project: Project, run_id: str, folder: Path) -> None:
        """Name the run.

        Args:
            project: whose run it is.
            run_id: an MLflow run.
            folder: where its files may be copied to.
        """
        self._project, self.run_id, self._folder = project, run_id, folder

    @cached_property
    def labels(self) -> Path:
        """The frame with `label` and `label_probs`: an end model's predictions or a label model's labels.

        Raises:
            TrackingError: no such run, one that is not complete, or one of another step.
        """
        try:
            return self._project.runs.artifact(self.run_id, "predictions.parquet", self._folder)
        except TrackingError:
            return self._project.runs.artifact(self.run_id, "training_data.parquet", self._folder)

    @cached_property
    def params(self) -> dict[str, str]:
        """The run's parameters."""
        self.labels  # noqa: B018 - tells a run that does not exist
        return dict(self._project.runs.get(self.run_id).data.params)

    @property
    def problem(self) -> ProblemType:
        """What a point can be: one class or any number."""
        return problem_type(self.params.get("setting", ""))

    def probabilities(self, table: str) -> Iterator[tuple[Ids, Floats]]:
        """Ids of a table's points and their probabilities (n, k), in chunks.

        Raises:
            AnnotationError: the run has no point of that table.
        """
        empty = True
        for batch in _batches(self.labels, [*KEYS, "label_probs"]):
            rows = _of_table(batch, table)
            if rows.num_rows:
                empty = False
                flat = rows.column("label_probs").combine_chunks().flatten().to_numpy(zero_copy_only=False)
                yield _ids(rows), flat.reshape(rows.num_rows, -1).astype(np.float64)
        if empty:
            raise AnnotationError(
                f"run {self.run_id} holds no point of table {table!r}; name a run on that table"
            )

    def label_sets(self, table: str) -> Iterator[tuple[Ids, list[list[str]], Floats]]:
        """Ids of a table's points, the classes the run gave them, and their probabilities (n, k)."""
        for batch in _batches(self.labels, [*KEYS, "label", "label_probs"]):
            rows = _of_table(batch, table)
            probs = np.array(rows.column("label_probs").to_pylist(), dtype=np.float64)
            yield _ids(rows), rows.column("label").to_pylist(), probs

    def disputed(self, table: str) -> Iterator[tuple[Ids, Floats]]:
        """Ids of points with votes for different classes, in chunks, each with the score 1."""
        return self._voted(table, disputed=True)

    def uncovered(self, table: str) -> Iterator[tuple[Ids, Floats]]:
        """Ids of points without votes, in chunks, each with the score 1."""
        return self._voted(table, disputed=False)

    def _voted(self, table: str, *, disputed: bool) -> Iterator[tuple[Ids, Floats]]:
        L, points = self._votes
        for start in range(0, len(L), CHUNK_ROWS):
            votes = np.asarray(L[start : start + CHUNK_ROWS])
            cast = votes != ABSTAIN
            if disputed:
                lowest = np.where(cast, votes, np.iinfo(np.int8).max).min(axis=1)
                wanted = cast.any(axis=1) & (votes.max(axis=1) != lowest)
            else:
                wanted = ~cast.any(axis=1)
            rows = points.slice(start, len(votes)).filter(pa.array(wanted))
            ids = _ids(_of_table(rows, table))
            if len(ids):
                yield ids, np.ones(len(ids))

    @cached_property
    def _votes(self) -> tuple[npt.NDArray[np.int8], pa.Table]:
        """The label matrix, left on disk, and the keys of its rows.

        The run keeps the matrix of all its points and the keys of those with a vote; the others' keys
        stand in the frame that it was given, which must be as it was.
        """
        path = self._project.runs.artifact(self.run_id, "train_label_matrix.npy", self._folder)
        L = np.load(path, mmap_mode="r", allow_pickle=False)
        given = Path(self.params["train_data"])
        frame = given if given.is_absolute() else self._project.settings.root / given
        try:
            points = _keys(frame)
        except FrameError as error:
            raise AnnotationError(f"run {self.run_id} labelled a frame that is gone: {error}") from error
        covered = pa.array(np.asarray((L != ABSTAIN).any(axis=1)))
        if points.num_rows != len(L) or not points.filter(covered).equals(_keys(self.labels)):
            raise AnnotationError(
                f"{frame} has changed since run {self.run_id} labelled it; run `adaptml label` on it again"
            )
        return L, points


def _batches(path: Path, columns: list[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK_ROWS, columns=columns):
            yield pa.Table.from_batches([batch])


def _keys(path: Path) -> pa.Table:
    """table_name and id of a frame's rows, as text, a few bytes a row."""
    if path.suffix == ".parquet" and path.is_file():
        table = pq.read_table(path, columns=KEYS)
    else:
        table = pa.Table.from_pandas(read_frame(path, typed_by_user=True)[KEYS], preserve_index=False)
    columns = [table.column(key).cast(pa.large_string()).combine_chunks() for key in KEYS]
    return pa.Table.from_arrays(columns, names=KEYS)


def _of_table(rows: pa.Table, table: str) -> pa.Table:
    return rows.filter(pc.equal(rows.column("table_name").cast(pa.large_string()), table))


def _ids(rows: pa.Table) -> Ids:
    return np.array(rows.column("id").to_pylist(), dtype=object)

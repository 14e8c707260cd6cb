"""What a run left behind of each data point, read in chunks."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adaptml.errors import AnnotationError
from adaptml.frames import KEYS, read_metadata
from adaptml.project import Project
from adaptml.runs.artifacts import OLD_VOTES, PREDICTIONS, TRAINING_DATA, VOTES
from adaptml.runs.class_lists import classes_now, votes_now
from adaptml.runs.label_run_before import votes_of_before
from adaptml.tasks import ABSTAIN, ProblemType, Task, problem_type
from adaptml.tasks.vote_codes import VoteCodes, sets_in

CHUNK_ROWS = 50_000

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.object_]


class RunFiles:
    """The files of one complete `label` or end-model run, copied when they are first asked for.

    Where the task's classes have changed since, labels, probabilities and votes are of the classes of now.
    """

    def __init__(self, project: Project, run_id: str, folder: Path, task: Task | None = None) -> None:
        """Name the run.

        Args:
            project: whose run it is.
            run_id: an MLflow run.
            folder: where its files may be copied to.
            task: whose run it is; None reads it as it was made.
        """
        self._project, self.run_id, self._folder, self._task = project, run_id, folder, task

    @cached_property
    def labels(self) -> Path:
        """The frame with `label` and `label_probs`: an end model's predictions or a label model's labels.

        Raises:
            TrackingError: no such run, one that is not complete, or one of another step.
        """
        found = PREDICTIONS if PREDICTIONS in self._artifacts else TRAINING_DATA
        return self._project.runs.artifact(self.run_id, found, self._folder)

    @cached_property
    def _artifacts(self) -> set[str]:
        return self._project.runs.artifacts(self.run_id)

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
                yield _ids(rows), self._now(flat.reshape(rows.num_rows, -1).astype(np.float64))
        if empty:
            raise AnnotationError(
                f"run {self.run_id} holds no point of table {table!r}; name a run on that table"
            )

    def label_sets(self, table: str) -> Iterator[tuple[Ids, list[list[str]], Floats]]:
        """Ids of a table's points, the classes the run gave them, and their probabilities (n, k).

        Points whose classes no longer say which they are now are left out.
        """
        for batch in _batches(self.labels, [*KEYS, "label", "label_probs"]):
            rows = _of_table(batch, table)
            probs = np.array(rows.column("label_probs").to_pylist(), dtype=np.float64)
            labels = rows.column("label").to_pylist()
            if self._changed is None or not labels:
                yield _ids(rows), labels, probs
                continue
            now = [self._changed.now(label) for label in labels]
            kept = np.array([not found.undecided for found in now])
            yield _ids(rows)[kept], [[*f.labels] for f in now if not f.undecided], self._now(probs)[kept]

    def disputed(self, table: str) -> Iterator[tuple[Ids, Floats]]:
        """Ids of points with votes for different classes, in chunks, each with the score 1."""
        return self._voted(table, disputed=True)

    def uncovered(self, table: str) -> Iterator[tuple[Ids, Floats]]:
        """Ids of points without votes, in chunks, each with the score 1."""
        return self._voted(table, disputed=False)

    def _voted(self, table: str, *, disputed: bool) -> Iterator[tuple[Ids, Floats]]:
        for keys, cast_then in self._votes():
            votes = cast_then if self._changed is None else votes_now(self._changed, self._classes, cast_then)
            cast = votes != ABSTAIN
            if disputed:
                lowest = np.where(cast, votes, np.iinfo(votes.dtype).max).min(axis=1)
                # Of classes that became one, the votes agree now; two sets may have agreed from the first.
                wanted = cast.any(axis=1) & (votes.max(axis=1) != lowest) & self._codes.disagree(cast_then)
            else:
                wanted = ~cast.any(axis=1)
            ids = _ids(_of_table(keys.filter(pa.array(wanted)), table))
            if len(ids):
                yield ids, np.ones(len(ids))

    @cached_property
    def _changed(self) -> Task | None:
        """The task, where the run was made with other classes than it has now."""
        return self._task if self._task is not None and self._classes != self._task.class_names else None

    @cached_property
    def _classes(self) -> list[str]:
        """The classes that the run was made with; those of now where it does not say."""
        said = read_metadata(self.labels).get("classes")
        return [*said] if said else [] if self._task is None else self._task.class_names

    @cached_property
    def _codes(self) -> VoteCodes:
        """What the numbers of the run's votes stand for."""
        file = self._votes_file
        return VoteCodes(len(self._classes), () if file is None else sets_in(read_metadata(file)))

    def _now(self, probs: Floats) -> Floats:
        """Probabilities of the classes of now; 0 for a class of which the run says nothing."""
        if self._changed is None:
            return probs
        return np.minimum(probs @ classes_now(self._changed, self._classes), 1.0)

    def _votes(self) -> Iterator[tuple[pa.Table, npt.NDArray[np.int8]]]:
        """Keys of the points that the run was given, and their votes (n, m), in chunks."""
        file = self._votes_file
        if file is None:
            runs = self._project.runs
            yield from votes_of_before(
                self.run_id,
                runs.artifact(self.run_id, OLD_VOTES, self._folder),
                self._project.path(self.params["train_data"]),
                self.labels,
            )
            return
        names = [name for name in pq.read_schema(file).names if name not in KEYS]
        for batch in _batches(file, [*KEYS, *names]):
            yield batch.select(KEYS), np.stack([batch.column(name).to_numpy() for name in names], axis=1)

    @cached_property
    def _votes_file(self) -> Path | None:
        """The run's votes with their keys; None of a run before these were kept."""
        if VOTES not in self._artifacts:
            return None
        return self._project.runs.artifact(self.run_id, VOTES, self._folder)


def _batches(path: Path, columns: list[str]) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK_ROWS, columns=columns):
            yield pa.Table.from_batches([batch])


def _of_table(rows: pa.Table, table: str) -> pa.Table:
    return rows.filter(pc.equal(rows.column("table_name").cast(pa.large_string()), table))


def _ids(rows: pa.Table) -> Ids:
    return np.array(rows.column("id").to_pylist(), dtype=object)

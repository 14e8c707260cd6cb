"""Votes of runs that kept their label matrix without keys (until commit c936996)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from adaptml.errors import AnnotationError, FrameError
from adaptml.frames import KEYS, read_frame
from adaptml.tasks import ABSTAIN

CHUNK_ROWS = 50_000


def votes_of_before(
    run_id: str, matrix: Path, frame: Path, labels: Path
) -> Iterator[tuple[pa.Table, npt.NDArray[np.int8]]]:
    """Keys and votes (n, m) of a run's points, in chunks.

    Such a run kept the matrix of all its points and the keys of those with a vote; the others' keys stand in
    the frame that it was given, which must be as it was.

    Args:
        run_id: the MLflow run, for messages.
        matrix: its label matrix, .npy.
        frame: the frame that it was given.
        labels: its training data.

    Raises:
        AnnotationError: the frame is gone or has changed.
    """
    L = np.load(matrix, mmap_mode="r", allow_pickle=False)
    try:
        points = _keys(frame)
    except FrameError as error:
        raise AnnotationError(
            f"run {run_id} labelled a frame that is gone or cannot be read: {error}"
        ) from error
    covered = pa.array(np.asarray((L != ABSTAIN).any(axis=1)))
    if points.num_rows != len(L) or not points.filter(covered).equals(_keys(labels)):
        raise AnnotationError(
            f"{frame} has changed since run {run_id} labelled it; run `adaptml label` on it again"
        )
    for start in range(0, len(L), CHUNK_ROWS):
        votes = np.asarray(L[start : start + CHUNK_ROWS])
        yield points.slice(start, len(votes)), votes


def _keys(path: Path) -> pa.Table:
    """table_name and id of a frame's rows, as text, a few bytes a row."""
    if path.suffix == ".parquet" and path.is_file():
        table = pq.read_table(path, columns=KEYS)
    else:
        table = pa.Table.from_pandas(read_frame(path)[KEYS], preserve_index=False)
    columns = [table.column(key).cast(pa.large_string()).combine_chunks() for key in KEYS]
    return pa.Table.from_arrays(columns, names=KEYS)

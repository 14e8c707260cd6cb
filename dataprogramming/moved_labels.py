"""Which points two runs label differently, in a few bytes a point."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pandas.util import hash_array

from adaptml.frames import KEYS
from adaptml.tasks import Task

PART_ROWS = 1_000_000
CHUNK_ROWS = 100_000
_LABELS = ["label_before", "label_after"]
_ORDER = [(name, "ascending") for name in ("one_sided", *KEYS)]
_BETWEEN = "\x1f"  # in no class name: the unit separator


@dataclass(frozen=True)
class Moved:
    """Points that two runs label differently.

    Attributes:
        frame: of the first of them: table_name, id, label_before, label_after (class names, or None); those
            with another label first, then by key.
        n_moved: how many have another label.
        n_gained: how many have a label only after.
        n_lost: how many have a label only before.
    """

    frame: pd.DataFrame
    n_moved: int
    n_gained: int
    n_lost: int


def moved_labels(task: Task, before: Path, after: Path, n: int) -> Moved:
    """Compare the training data of two runs, a part of the points after the other.

    Args:
        task: labels are compared in the names of its classes of now; those that do not say which class it is
            now stay as they were.
        before, after: their `training_data.parquet`.
        n: at most so many points in the frame.
    """
    rows = max(pq.read_metadata(path).num_rows for path in (before, after))
    parts = rows // PART_ROWS + 1
    moved, gained, lost, first = 0, 0, 0, []
    for part in range(parts):
        found = _differing(*(_labels(task, path, part, parts) for path in (before, after)))
        one_sided = found["one_sided"]
        gained += pc.sum(pc.is_null(found["label_before"])).as_py() or 0
        lost += pc.sum(pc.is_null(found["label_after"])).as_py() or 0
        moved += len(found) - (pc.sum(one_sided).as_py() or 0)
        first.append(found.sort_by(_ORDER).slice(0, n))
    frame = pa.concat_tables(first).sort_by(_ORDER).slice(0, n).to_pandas()
    for name in _LABELS:
        frame[name] = pd.Series([_class_names(text) for text in frame[name]], dtype=object)
    return Moved(frame[[*KEYS, *_LABELS]], moved, gained, lost)


def _differing(old: pa.Table, new: pa.Table) -> pa.Table:
    """The points whose labels differ: their keys, both labels, and whether one of these is missing."""
    joined = old.join(new, KEYS, join_type="full outer", left_suffix="_before", right_suffix="_after")
    before, after = (joined[name] for name in _LABELS)
    joined = joined.append_column("one_sided", pc.or_(pc.is_null(before), pc.is_null(after)))
    return joined.filter(pc.invert(pc.fill_null(pc.equal(before, after), False)))


def _labels(task: Task, path: Path, part: int, parts: int) -> pa.Table:
    """table_name, id and label, the class names as one text, of the points whose ids fall into a part."""
    schema = pa.schema([(name, pa.string()) for name in (*KEYS, "label")])
    batches = []
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(CHUNK_ROWS, columns=[*KEYS, "label"]):
            texts = pc.binary_join(batch["label"].cast(pa.list_(pa.string())), _BETWEEN)
            texts = _now(task, texts) if task.class_changes else texts
            columns = [*(batch[key].cast(pa.string()) for key in KEYS), texts]
            made = pa.RecordBatch.from_arrays(columns, schema=schema)
            if parts > 1:
                ids = batch["id"].to_numpy(zero_copy_only=False)
                made = made.filter(pa.array(hash_array(ids, categorize=False) % parts == part))
            batches.append(made)
    return pa.Table.from_batches(batches, schema)


def _now(task: Task, texts: pa.StringArray) -> pa.StringArray:
    """Label sets in the names of now; few of them differ."""
    coded = texts.dictionary_encode()
    then = [_class_names(text) or [] for text in coded.dictionary.to_pylist()]
    found = [task.now(names) for names in then]
    now = [names if f.undecided else f.labels for names, f in zip(then, found, strict=True)]
    return pa.array([_BETWEEN.join(names) for names in now], pa.string()).take(coded.indices)


def _class_names(text: object) -> list[str] | None:
    if not isinstance(text, str):
        return None
    return text.split(_BETWEEN) if text else []

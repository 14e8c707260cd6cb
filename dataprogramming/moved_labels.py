"""Which points two runs label differently, in a few bytes a point."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adaptml.frames import KEYS

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


def moved_labels(before: Path, after: Path, n: int) -> Moved:
    """Compare the training data of two runs.

    Args:
        before, after: their `training_data.parquet`.
        n: at most so many points in the frame.
    """
    old, new = _labels(before), _labels(after)
    joined = old.join(new, KEYS, join_type="full outer", left_suffix="_before", right_suffix="_after")
    same = pc.fill_null(pc.equal(joined["label_before"], joined["label_after"]), False)
    differing = joined.filter(pc.invert(same))
    lost, gained = (pc.is_null(differing[name]) for name in ("label_after", "label_before"))
    one_sided = pc.or_(lost, gained)
    counts = [pc.sum(mask).as_py() or 0 for mask in (gained, lost)]
    ordered = differing.append_column("one_sided", one_sided).sort_by(
        [(name, "ascending") for name in ("one_sided", *KEYS)]
    )
    frame = ordered.drop_columns("one_sided").slice(0, n).to_pandas()
    for name in ("label_before", "label_after"):
        frame[name] = pd.Series([_class_names(text) for text in frame[name]], dtype=object)
    return Moved(frame[[*KEYS, "label_before", "label_after"]], len(differing) - sum(counts), *counts)


def _labels(path: Path) -> pa.Table:
    """table_name, id and label, the class names as one text, of which each different one is kept once."""
    table = pq.read_table(path, columns=[*KEYS, "label"])
    texts = pc.binary_join(table["label"].cast(pa.list_(pa.string())), _BETWEEN)
    keys = [table[key].cast(pa.large_string()) for key in KEYS]
    return pa.table([*keys, texts], names=[*KEYS, "label"])


def _class_names(text: object) -> list[str] | None:
    if not isinstance(text, str):
        return None
    return text.split(_BETWEEN) if text else []

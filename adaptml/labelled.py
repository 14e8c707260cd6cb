"""Labelled data points: gold labels, or what a label model says."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FrameError
from adaptml.frames import GONE, KEYS
from adaptml.tasks import Task, indicator

LABEL, GOLD_LABEL = "label", "gold_label"
_MADE_BY = {LABEL: "`adaptml label` writes them", GOLD_LABEL: "`adaptml process-annotations` writes them"}


@dataclass(frozen=True)
class Labelled:
    """Data points with labels.

    Attributes:
        keys: table_name, id (n rows).
        Y: int8 (n, k), values in {0, 1}: the classes of each point.
        P: float64 (n, k): the label model's probabilities; None where the frame has none.
        left_out: how many rows of the source are not here, because a multiclass task needs exactly one class.
        gone: how many more are not, because they are gone from their tables.
    """

    keys: pd.DataFrame
    Y: npt.NDArray[np.int8]
    P: npt.NDArray[np.float64] | None = None
    left_out: int = 0
    gone: int = 0

    def __len__(self) -> int:
        """Number of data points."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[Any]) -> "Labelled":
        """Some of the rows, by mask or position."""
        keys = self.keys.loc[chosen].reset_index(drop=True)
        return replace(self, keys=keys, Y=self.Y[chosen], P=None if self.P is None else self.P[chosen])

    def without(self, others: pd.DataFrame) -> "Labelled":
        """The rows whose key is not among the others'."""
        taken = pd.MultiIndex.from_frame(others[KEYS])
        return self.take(~pd.MultiIndex.from_frame(self.keys).isin(taken))


def labelled(frame: pd.DataFrame, task: Task, column: str, source: str) -> Labelled:
    """The labels in one column of a frame.

    Args:
        frame: table_name, id, the column (a list of class names, or one name) and maybe `label_probs`.
        task: what the classes are; in a multiclass task only rows with exactly one class are taken.
        column: `label` or `gold_label`.
        source: where the frame came from, for messages.

    Raises:
        FrameError: the column or labels are missing, or no row can be used.
        TaskError: names that are no classes of the task.
    """
    if column not in frame.columns:
        raise FrameError(
            f"{source} has no column {column}; expected lists of class names: {_MADE_BY[column]}"
        )
    values = [_as_list(value, column, source) for value in frame[column]]
    flags = indicator(values, task.class_names)
    usable = task.problem.usable(flags)
    if not usable.any():
        raise FrameError(
            f"none of the {len(frame)} points of {source} has exactly one class in {column}, which a "
            "multiclass run needs; run it as multilabel or name another frame"
        )
    probs = None
    if column == LABEL and "label_probs" in frame.columns:
        probs = _probabilities(frame, task, source)
    gone = int(frame.attrs.get(GONE, 0))
    everything = Labelled(frame[KEYS], flags, probs, int((~usable).sum()), gone)
    return everything.take(usable)


def _as_list(value: Any, column: str, source: str) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple | np.ndarray):
        return [str(name) for name in value]
    raise FrameError(f"{source} has the {column} {value!r}; expected a list of class names in every row")


def _probabilities(frame: pd.DataFrame, task: Task, source: str) -> npt.NDArray[np.float64]:
    k = len(task.class_names)
    rows = [np.asarray(value, dtype=np.float64) for value in frame["label_probs"]]
    if any(row.shape != (k,) for row in rows):
        raise FrameError(
            f"{source} has label_probs that are not {k} numbers; expected one for each class of the task"
        )
    probs = np.stack(rows)
    if not ((probs >= 0) & (probs <= 1)).all():
        raise FrameError(
            f"{source} has label_probs outside 0 … 1; expected probabilities: label the data again"
        )
    return probs

"""The probabilities beside labels, of the classes of now or of those of before."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FrameError, listed
from adaptml.frames import METADATA, some_cells
from adaptml.tasks import Task

_log = logging.getLogger(__name__)


def read_probabilities(
    frame: pd.DataFrame, task: Task, values: Sequence[Sequence[str]], source: str
) -> npt.NDArray[np.float64] | None:
    """The probabilities of a frame's points in the order of the classes of now.

    Args:
        frame: n rows, maybe with a column `label_probs` of lists of numbers, also as text.
        task: what the classes are, and were.
        values: the label sets of the rows, each that differs once, which tell of which classes the numbers
            are where the frame's metadata do not.
        source: where the frame came from, for messages.

    Returns:
        float64 (n, k), values in [0, 1]; None where there are none, or none of these classes.

    Raises:
        FrameError: not one probability for each class in each row.
    """
    if "label_probs" not in frame.columns:
        return None
    probs, size = _stacked(frame["label_probs"])
    classes = _classes_of(frame, task, values, size)
    k = len(classes)
    if probs is None or size != k:
        raise FrameError(
            f"{source} has label_probs that are not {k} numbers; expected one for each class of the task"
        )
    if not ((probs >= 0) & (probs <= 1)).all():
        raise FrameError(
            f"{source} has label_probs outside 0 … 1; expected probabilities: label the data again"
        )
    return probs if classes == task.class_names else _probs_of_now(probs, classes, task, source)


def _stacked(column: "pd.Series[Any]") -> tuple[npt.NDArray[np.float64] | None, int]:
    """Lists of numbers as float64 (n, s), and s of the first row.

    None in their place where some are no numbers, or differ in length.
    """
    probs = np.empty((0, 0))
    done = size = 0
    for cells in some_cells(column):
        try:
            rows = [np.asarray(_numbers(value), dtype=np.float64) for value in cells]
        except (ValueError, TypeError):
            return None, 0
        if not done:
            size = rows[0].size if rows else 0
            probs = np.empty((len(column), size))
        if any(row.shape != (size,) for row in rows):
            return None, size
        probs[done : done + len(rows)] = rows
        done += len(rows)
    return (probs, size) if done else (None, 0)


def _classes_of(frame: pd.DataFrame, task: Task, values: Sequence[Sequence[str]], k: int) -> list[str]:
    """The classes that a frame's probabilities are of: as it says, else those of now, else what fits."""
    said = frame.attrs.get(METADATA, {}).get("classes")
    if said:
        return [*said]
    used = {name for value in values for name in value}
    fitting = [classes for classes in task.class_lists if len(classes) == k and used <= set(classes)]
    return fitting[0] if fitting else task.class_names


def _probs_of_now(
    probs: npt.NDArray[np.float64], classes: Sequence[str], task: Task, source: str
) -> npt.NDArray[np.float64] | None:
    """Probabilities (n, j) of an earlier list of j classes as those of the k of now.

    Of classes that were merged it is the sum, at most 1. None where a class was split, dropped or added
    since, for nobody knows then what the probabilities of now are.
    """
    found = np.zeros((len(probs), len(task.class_names)))
    for name, column in zip(classes, probs.T, strict=True):
        possible = [*task.meanings.get(name, ())]
        if len(possible) != 1 or possible[0] is None:
            break
        found[:, task.class_names.index(possible[0])] += column
    else:
        if {next(iter(task.meanings[name])) for name in classes} == set(task.class_names):
            return np.minimum(found, 1.0)
    _log.warning(
        "the probabilities of %s are of the classes %s and left out, its labels are not; label again for "
        "soft labels",
        source, listed(classes, 20),
    )  # fmt: skip
    return None


def _numbers(value: Any) -> Any:
    """A list of numbers; as text where it comes from a CSV."""
    return value.strip("[]() ").replace(",", " ").split() if isinstance(value, str) else value

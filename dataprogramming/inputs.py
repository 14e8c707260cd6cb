"""What the `label` step reads: the points to label, gold, and the LF features of both."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FrameError
from adaptml.frames import KEYS, read_frame
from adaptml.settings import Settings
from adaptml.tasks import Setting, Task, indicator

NO_GOLD, TASK_GOLD = "0", "1"
GOLD_LABEL = "gold_label"


@dataclass(frozen=True)
class GoldPoints:
    """Data points whose classes are known.

    Attributes:
        keys: frame (g rows) with table_name and id.
        labels: the class names of each.
        Y: int8 (g, k), values in {0, 1}.
        n_left_out: points that a multiclass run cannot use: those without exactly one class.
    """

    keys: pd.DataFrame
    labels: list[list[str]]
    Y: npt.NDArray[np.int8]
    n_left_out: int


def resolve(path: Path, settings: Settings) -> Path:
    """A path as the user meant it: from here, else from the project's folder."""
    in_project = settings.root / path
    return in_project if not path.exists() and in_project.exists() else path


def gold_path(dev_data: str, task: Task, settings: Settings) -> Path | None:
    """The gold frame that `dev_data` names: `0` none, `1` the task's own, else a path.

    Raises:
        FrameError: `1`, and the task has no gold yet.
    """
    if dev_data == NO_GOLD:
        return None
    if dev_data != TASK_GOLD:
        return resolve(Path(dev_data), settings)
    path = settings.gold(task.name)
    if not path.is_file():
        raise FrameError(
            f"the task {task.name!r} has no gold labels: no file {path}; make them with "
            "`adaptml process-annotations`, or give dev_data = 0"
        )
    return path


def read_points(path: Path) -> pd.DataFrame:
    """The frame of points to label: n rows with table_name and id; other columns are left out.

    Raises:
        FrameError: the file cannot be used.
    """
    return read_frame(path, typed_by_user=True)[KEYS]


def read_gold(path: Path, task: Task) -> GoldPoints:
    """The points of a gold frame that a run of the task can use.

    Args:
        path: a frame with table_name, id and gold_label, a list of class names or one name.
        task: in its setting multiclass, points without exactly one class are left out and counted.

    Raises:
        FrameError: the file cannot be used, has no gold_label, or no point that can be used.
        TaskError: names that are no class of the task.
    """
    frame = read_frame(path, typed_by_user=True)
    if GOLD_LABEL not in frame:
        raise FrameError(
            f"{path} has no column {GOLD_LABEL}; expected the gold labels that process-annotations writes"
        )
    labels = [[value] if isinstance(value, str) else _names(value, path) for value in frame[GOLD_LABEL]]
    Y = indicator(labels, task.class_names)
    usable = Y.sum(axis=1) == 1 if task.setting is Setting.MULTICLASS else np.ones(len(Y), bool)
    if not usable.any():
        raise FrameError(
            f"none of the {len(frame)} points of {path} has exactly one class, which a multiclass run needs; "
            "run it as multilabel or give other gold labels"
        )
    keys = frame.loc[usable, KEYS].reset_index(drop=True)
    kept = [names for names, use in zip(labels, usable, strict=True) if use]
    return GoldPoints(keys, kept, Y[usable], int((~usable).sum()))


def _names(value: object, path: Path) -> list[str]:
    if not isinstance(value, list | tuple | np.ndarray):
        raise FrameError(
            f"{path} has the {GOLD_LABEL} {value!r}; expected a list of class names in every row"
        )
    return [str(name) for name in value]

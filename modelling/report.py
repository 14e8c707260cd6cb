"""What a run says of an end model's predictions: metrics, plots, frames."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.frames import KEYS, write_frame, write_preview
from adaptml.labelled import GOLD_LABEL, LABEL, Labelled
from adaptml.plots import det_plot, roc_plot, write_plot
from adaptml.tasks import Task, names
from adaptml.tasks.metrics import Outcome

Probs = npt.NDArray[np.float64]


def report(
    folder: Path, task: Task, truth: Labelled, said: Outcome, prefix: str, title: str
) -> dict[str, float]:
    """Compare predictions with labels: plots into a folder, metrics back.

    Args:
        folder: where the plots go: `<prefix>_confusion_matrix.png`, and for a binary task
            `<prefix>_roc_curve.png` and `<prefix>_det_curve.png`.
        task: the classes and the problem type.
        truth: n labelled data points.
        said: what the model says of them.
        prefix: `gold` or `lm`: whose labels they are.
        title: what the plots compare.

    Returns:
        `<prefix>_<metric>` → value; metrics that are not defined are left out.
    """
    flags, probs = said.predicted, said.probs
    matrix = task.problem.confusion_plot(task.class_names, truth.Y, flags, title)
    write_plot(matrix, folder / f"{prefix}_confusion_matrix.png")
    if task.positive is not None:
        place = task.class_names.index(task.positive)
        is_positive = truth.Y[:, place]
        if 0 < is_positive.sum() < len(is_positive):
            for name, draw in (("roc", roc_plot), ("det", det_plot)):
                curve = draw(is_positive, probs[:, place], task.positive, title)
                write_plot(curve, folder / f"{prefix}_{name}_curve.png")
    metrics = task.problem.evaluate(task.class_names, truth.Y, flags, probs, task.positive)
    return {f"{prefix}_{name}": value for name, value in metrics.items()} | {
        f"{prefix}_points": float(len(truth))
    }


def predictions(task: Task, keys: pd.DataFrame, probs: Probs) -> pd.DataFrame:
    """Predictions as a frame: table_name, id, label (class names), label_probs (k floats in class order)."""
    labels = pd.Series(names(task.problem.decide(probs), task.class_names), dtype=object)
    label_probs = pd.Series([row.tolist() for row in probs], dtype=object)
    return keys[KEYS].reset_index(drop=True).assign(label=labels, label_probs=label_probs)


def with_gold(frame: pd.DataFrame, task: Task, truth: Labelled) -> pd.DataFrame:
    """Predictions with the column `gold_label` (class names; missing where a point has no gold)."""
    known = truth.keys[KEYS].assign(
        gold_label=pd.Series(names(truth.Y, task.class_names), dtype=object, index=truth.keys.index)
    )
    return frame.merge(known, on=KEYS, how="left")


def errors(frame: pd.DataFrame) -> pd.DataFrame:
    """The predictions whose label differs from gold; none where nothing was compared with gold."""
    if GOLD_LABEL not in frame.columns:
        return frame.iloc[:0]
    known = frame[frame[GOLD_LABEL].notna()]
    pairs = zip(known[LABEL], known[GOLD_LABEL], strict=True)
    wrong = np.array([set(said) != set(gold) for said, gold in pairs], dtype=bool)
    return known[wrong].reset_index(drop=True)


def write_predictions(frame: pd.DataFrame, task: Task, path: Path) -> None:
    """Keep predictions as Parquet, and their first rows as an HTML page beside it."""
    said = {"task": task.name, "setting": task.setting, "classes": task.class_names}
    write_frame(frame, path, said)
    write_preview(frame, path.with_suffix(".html"))

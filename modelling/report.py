"""What a run says of an end model's predictions: figures, pictures, frames."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.frames import write_frame, write_preview
from adaptml.labelled import Labelled
from adaptml.plots import det_plot, roc_plot, write_plot
from adaptml.tasks import Task, names

Probs = npt.NDArray[np.float64]


def report(
    folder: Path, task: Task, truth: Labelled, probs: Probs, prefix: str, title: str
) -> dict[str, float]:
    """Compare predictions with labels: pictures into a folder, figures back.

    Args:
        folder: where the pictures go: `<prefix>_confusion_matrix.png`, and for a binary task
            `<prefix>_roc_curve.png` and `<prefix>_det_curve.png`.
        task: the classes and the setting.
        truth: n labelled data points.
        probs: float64 (n, k), the model's probabilities for them.
        prefix: `gold` or `lm`: whose labels they are.
        title: what the pictures compare.

    Returns:
        `<prefix>_<metric>` → figure; figures that are not defined are left out.
    """
    flags = task.problem.decide(probs)
    figure = task.problem.confusion_plot(task.class_names, truth.Y, flags, title)
    write_plot(figure, folder / f"{prefix}_confusion_matrix.png")
    if task.positive is not None:
        place = task.class_names.index(task.positive)
        is_positive = truth.Y[:, place]
        if 0 < is_positive.sum() < len(is_positive):
            for name, draw in (("roc", roc_plot), ("det", det_plot)):
                picture = draw(is_positive, probs[:, place], task.positive, title)
                write_plot(picture, folder / f"{prefix}_{name}_curve.png")
    figures = task.problem.evaluate(task.class_names, truth.Y, flags, probs, task.positive)
    return {f"{prefix}_{name}": value for name, value in figures.items()} | {
        f"{prefix}_points": float(len(truth))
    }


def predictions(task: Task, keys: pd.DataFrame, probs: Probs) -> pd.DataFrame:
    """Predictions as a frame: table_name, id, label (class names), label_probs (k floats in class order)."""
    labels = pd.Series(names(task.problem.decide(probs), task.class_names), dtype=object)
    label_probs = pd.Series([row.tolist() for row in probs], dtype=object)
    return keys.reset_index(drop=True).assign(label=labels, label_probs=label_probs)


def write_predictions(frame: pd.DataFrame, folder: Path) -> None:
    """Keep predictions as `predictions.parquet`, and their first rows as `predictions.html`."""
    write_frame(frame, folder / "predictions.parquet")
    write_preview(frame, folder / "predictions.html")

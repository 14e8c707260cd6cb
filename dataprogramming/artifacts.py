"""What a `label` run leaves behind: frames, label matrices, summaries, a picture, the model's arrays."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml.files import replacing, write_text
from adaptml.frames import KEYS, write_frame, write_preview
from adaptml.plots import write_plot
from adaptml.runs.models import ModelToLog
from adaptml.tasks import Task, names
from dataprogramming.analysis import lf_summary
from dataprogramming.label_models import scoring
from dataprogramming.label_models.core import Floats, Gold, Indicator, LabelMatrix, covered
from dataprogramming.selection import HeldOut, Selection


def labelled_frame(
    keys: pd.DataFrame, named: Indicator, probs: Floats, class_names: Sequence[str]
) -> pd.DataFrame:
    """table_name, id, label (class names) and label_probs (k floats, in the task's class order), n rows."""
    frame = keys[KEYS].reset_index(drop=True)
    frame["label"] = names(named, class_names)
    frame["label_probs"] = probs.tolist()
    return frame


def registered_name(task: Task) -> str:
    """Name of a task's label models in the registry."""
    return f"{task.setting}_{task.name}_label_model"


def write_labelled(frame: pd.DataFrame, name: str, folder: Path) -> None:
    """`<name>.parquet`, and its first rows as `<name>.html`."""
    write_frame(frame, folder / f"{name}.parquet")
    write_preview(frame, folder / f"{name}.html")


def write_matrix(L: LabelMatrix, path: Path) -> None:
    """A label matrix as .npy, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, L, allow_pickle=False)


def write_summaries(
    task: Task, L: LabelMatrix, gold: Gold | None, lf_names: Sequence[str], weights: Floats, folder: Path
) -> None:
    """`lf_summary_train` and, with gold, `lf_summary_dev`, each as .csv and .html."""
    parts = {"train": lf_summary(L, lf_names, task.class_names, weights)}
    if gold is not None:
        parts["dev"] = lf_summary(gold.L, lf_names, task.class_names, weights, gold.Y)
    for part, summary in parts.items():
        write_text(summary.to_csv(index=False), folder / f"lf_summary_{part}.csv")
        write_preview(summary, folder / f"lf_summary_{part}.html", rows=len(summary))


def write_confusion(task: Task, gold: Gold, chosen: str, held_out: HeldOut, folder: Path) -> None:
    """`confusion_matrix.png`: the chosen label model against gold that it was not fitted on."""
    title = f"Label model {chosen} against gold, {len(gold)} points"
    figure = task.problem.confusion_plot(task.class_names, gold.Y, held_out.predicted, title)
    write_plot(figure, folder / "confusion_matrix.png")


def dev_metrics(task: Task, gold: Gold, selection: Selection) -> dict[str, float]:
    """Figures of every label model on gold that it was not fitted on.

    `dev_<figure>` is the chosen model's over all gold points, where one without votes is predicted from the
    class balance; `dev_covered_<figure>` leaves such points out; `dev_coverage` is the share of the others.
    `dev_<model>/<figure>` are those of each model over all gold points.
    """
    figures = {"dev_points": float(len(gold)), "dev_coverage": float(covered(gold.L).mean())}
    for name, out in selection.held_out.items():
        figures |= {f"dev_{name}/{figure}": value for figure, value in _figures(task, gold.Y, out).items()}
    out, rows = selection.held_out[selection.chosen], covered(gold.L)
    figures |= {f"dev_{figure}": value for figure, value in _figures(task, gold.Y, out).items()}
    seen = HeldOut(out.probs[rows], out.predicted[rows])
    return figures | {
        f"dev_covered_{figure}": value for figure, value in _figures(task, gold.Y[rows], seen).items()
    }


def model_to_log(
    task: Task, selection: Selection, lf_names: Sequence[str], example: LabelMatrix, folder: Path
) -> ModelToLog:
    """The chosen model as MLflow stores it: code and arrays.

    Args:
        task: names the classes and the registered model, `<setting>_<task>_label_model`.
        selection: holds the chosen model.
        lf_names: m names, the model's input columns.
        example: label matrix (a few rows, m).
        folder: `label_model.npz` is written here.
    """
    path = folder / "label_model.npz"
    scoring.save_model(selection.model.fitted_, task.class_names, list(lf_names), path)
    flags = [ColSpec(DataType.long, name) for name in task.class_names]
    probs = [ColSpec(DataType.double, f"prob_{name}") for name in task.class_names]
    return ModelToLog(
        registered_name=registered_name(task),
        kind="label_model",
        code=Path(__file__).with_name("label_model_code.py"),
        files={"label_model": path, "scoring": Path(scoring.__file__)},
        signature=ModelSignature(
            Schema([ColSpec(DataType.long, name) for name in lf_names]), Schema([*flags, *probs])
        ),
        input_example=pd.DataFrame(example.astype(np.int64), columns=list(lf_names)),
        requirements=[f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")],
    )


def _figures(task: Task, Y: Indicator, out: HeldOut) -> dict[str, float]:
    return task.problem.evaluate(task.class_names, Y, out.predicted, out.probs, task.positive)

"""What a `label` run leaves behind: frames, votes, summaries, a report, a plot, the model's arrays."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema

from adaptml.files import write_text
from adaptml.frames import KEYS, METADATA, write_frame
from adaptml.plots import write_plot
from adaptml.runs.artifacts import DEVELOPMENT_DATA, GOLD_VOTES, REPORT, TRAINING_DATA, VOTES
from adaptml.runs.models import LABEL_MODEL, ModelToLog
from adaptml.tasks import Task, names
from dataprogramming.analysis import lf_summary
from dataprogramming.label_models import scoring
from dataprogramming.label_models.core import Floats, Gold, Indicator, covered
from dataprogramming.report import GoldPoints, LabelledPoints, label_report
from dataprogramming.selection import HeldOut, Selection
from dataprogramming.votes import Votes

if TYPE_CHECKING:
    from dataprogramming.labelling import Labelling


def labelled_frame(keys: pd.DataFrame, labels: Indicator, probs: Floats, task: Task) -> pd.DataFrame:
    """table_name, id, label (class names) and label_probs (k floats, in the task's class order), n rows.

    Its `attrs`, which `write_frame` keeps, say the task, its setting and its classes.
    """
    frame = keys[KEYS].reset_index(drop=True)
    frame["label"] = names(labels, task.class_names)
    frame["label_probs"] = probs.tolist()
    frame.attrs[METADATA] = {"task": task.name, "setting": task.setting, "classes": task.class_names}
    return frame


def registered_name(task: Task) -> str:
    """Name of a task's label models in the registry."""
    return f"{task.setting}_{task.name}_label_model"


def write_all(found: "Labelling", folder: Path, *, texts: bool, seed: int) -> None:
    """Everything but the model: votes, frames, summaries, the report, the confusion matrix."""
    votes, gold = found.votes, found.gold
    votes.save(folder / VOTES)
    write_frame(found.training_data, folder / TRAINING_DATA)
    if votes.gold is not None and found.development_data is not None:
        votes.gold.save(folder / GOLD_VOTES)
        write_frame(found.development_data, folder / DEVELOPMENT_DATA)
    write_summaries(found, folder)
    write_text(report(found, texts=texts, seed=seed), folder / REPORT)
    if gold is not None and found.held_out is not None:
        title = f"Label model {found.selection.chosen} against gold, {len(gold)} points"
        plot = found.task.problem.confusion_plot
        write_plot(
            plot(found.task.class_names, gold.Y, found.held_out.predicted, title),
            folder / "confusion_matrix.png",
        )


def write_summaries(found: "Labelling", folder: Path) -> None:
    """`lf_summary_train.csv` and, with gold, `lf_summary_dev.csv`."""
    lf_names, class_names, gold = found.votes.lf_names, found.task.class_names, found.gold
    parts = {"train": lf_summary(found.votes.L, lf_names, class_names, found.weights)}
    if gold is not None:
        parts["dev"] = lf_summary(gold.L, lf_names, class_names, found.weights, gold.Y)
    for part, summary in parts.items():
        write_text(summary.to_csv(index=False), folder / f"lf_summary_{part}.csv")


def report(found: "Labelling", *, texts: bool, seed: int) -> str:
    """The page on the run, as HTML."""
    votes, gold, held_out = found.votes, found.votes.gold, found.held_out
    probs = found.selection.model.predict_proba(votes.L)
    points = LabelledPoints(votes.keys, votes.L, probs, found.selection.model.decide(probs))
    judged = None
    if gold is not None and gold.Y is not None and held_out is not None:
        judged = GoldPoints(gold.keys, gold.L, gold.Y, held_out.probs, held_out.predicted)
    return label_report(
        f"Labels of task {found.task.name}",
        votes.lf_names,
        votes.class_names,
        points,
        judged,
        multilabel=not found.task.problem.exclusive,
        weights=found.weights,
        read_texts=votes.read_texts if texts else None,
        lines=found.lines(),
        warnings=found.warnings,
        seed=seed,
    )


def dev_metrics(task: Task, gold: Gold, selection: Selection) -> dict[str, float]:
    """Metrics of every label model on gold that it was not fitted on.

    `dev_<metric>` is the chosen model's over all gold points, where one without votes is predicted from the
    class balance; `dev_covered_<metric>` leaves such points out; `dev_coverage` is the share of the others.
    `dev_<model>/<metric>` are those of each model over all gold points.
    """
    found = {"dev_points": float(len(gold)), "dev_coverage": float(covered(gold.L).mean())}
    for name, out in selection.held_out.items():
        found |= {f"dev_{name}/{metric}": value for metric, value in _metrics(task, gold.Y, out).items()}
    out, rows = selection.held_out[selection.chosen], covered(gold.L)
    found |= {f"dev_{metric}": value for metric, value in _metrics(task, gold.Y, out).items()}
    seen = HeldOut(out.probs[rows], out.predicted[rows])
    return found | {
        f"dev_covered_{metric}": value for metric, value in _metrics(task, gold.Y[rows], seen).items()
    }


def model_to_log(task: Task, selection: Selection, votes: Votes, folder: Path) -> ModelToLog:
    """The chosen model as MLflow stores it: code and arrays.

    Args:
        task: names the classes and the registered model, `<setting>_<task>_label_model`.
        selection: holds the chosen model.
        votes: of the m labelling functions that are the model's input columns.
        folder: `label_model.npz` is written here.
    """
    path, lf_names = folder / "label_model.npz", list(votes.lf_names)
    scoring.save_model(selection.model.fitted_, task.class_names, lf_names, path)
    flags = [ColSpec(DataType.long, name) for name in task.class_names]
    probs = [ColSpec(DataType.double, f"prob_{name}") for name in task.class_names]
    return ModelToLog(
        registered_name=registered_name(task),
        kind=LABEL_MODEL,
        code=Path(__file__).with_name("label_model_code.py"),
        files={"label_model": path, "scoring": Path(scoring.__file__)},
        signature=ModelSignature(
            Schema([ColSpec(DataType.long, name) for name in lf_names]), Schema([*flags, *probs])
        ),
        input_example=pd.DataFrame(votes.L[:5].astype(np.int64), columns=lf_names),
        requirements=[f"{name}=={version(name)}" for name in ("mlflow-skinny", "numpy", "pandas")],
    )


def _metrics(task: Task, Y: Indicator, out: HeldOut) -> dict[str, float]:
    return task.problem.evaluate(task.class_names, Y, out.predicted, out.probs, task.positive)

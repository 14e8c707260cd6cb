"""Predict many data points at once, with the champion that the service would use."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from mlflow.exceptions import MlflowException

from adaptml.cli.support import output, run_command
from adaptml.data import Data, read_points
from adaptml.database import WritebackKind, write_back
from adaptml.errors import ModelError
from adaptml.frames import KEYS, write_frame
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.runs.registry import CHAMPION
from adaptml.tasks import Task
from modelling.champion import Champion, load_champion
from modelling.keyed import PROB

CHUNK_ROWS = 10_000


@dataclass(frozen=True)
class Predicted:
    """What was predicted.

    Attributes:
        frame: table_name, id, label (list of class names), label_probs (k floats in class order).
        path: where the frame was written.
        model: name and version of the model.
        new_rows: rows that `<task>_predictions` did not hold before; None where nothing was written back.
    """

    frame: pd.DataFrame
    path: Path
    model: str
    new_rows: int | None


def predict(
    project: Project,
    task: str | Task,
    data: Data,
    *,
    write: bool = False,
    path: Path | None = None,
    show_progress: bool = False,
) -> Predicted:
    """Predict data points with the task's champion.

    Args:
        project: holds the data, the champion and the features.
        task: the task or its name; the model is `<setting>_<task>`.
        data: the points to predict: a table, `table where …`, a frame or a path of one.
        write: also store the predictions in the table `<task>_predictions` of the database.
        path: file to write; default: `predictions/` in the home folder.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the task has no champion, or it does not load.
        MissingDataPointsError, FeatureError, DatabaseError: as reading features raises them.
    """
    task, frame = project.task(task), read_points(project, data)
    champion = _champion(project, f"{task.setting}_{task.name}")
    if list(champion.classes) != task.class_names:
        raise ModelError(
            f"champion {champion.name} knows the classes {', '.join(champion.classes)} and the task file "
            f"{', '.join(task.class_names)}; train and deploy the model again"
        )
    labels: list[list[str]] = []
    probs: list[list[float]] = []
    with progress("predicting", len(frame), shown=show_progress) as advance:
        for start in range(0, len(frame), CHUNK_ROWS):
            chunk = frame[start : start + CHUNK_ROWS]
            answer = champion.predict(chunk["table_name"].tolist(), chunk["id"].tolist())
            flags = np.array([answer[name] for name in champion.classes], dtype=bool).T
            labels += [[n for n, flag in zip(champion.classes, row, strict=True) if flag] for row in flags]
            probs += np.array([answer[PROB + name] for name in champion.classes]).T.tolist()
            advance(len(chunk))
    frame = frame[KEYS].reset_index(drop=True)
    frame = frame.assign(label=pd.Series(labels, dtype=object), label_probs=pd.Series(probs, dtype=object))
    if path is None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = project.settings.home / "predictions" / f"{champion.name}_v{champion.version}_{stamp}.parquet"
    write_frame(frame, path)
    new_rows = None
    if write:
        run_id = champion.run_id or f"{champion.name}/{champion.version}"
        new_rows = write_back(project.database, task.name, WritebackKind.PREDICTIONS, frame, run_id)
    return Predicted(frame, path, f"{champion.name} version {champion.version}", new_rows)


def _champion(project: Project, name: str) -> Champion:
    client = project.runs.client
    try:
        version = str(client.get_model_version_by_alias(name, CHAMPION).version)
    except MlflowException as error:
        raise ModelError(
            f"no champion {name!r} in the registry; train it, then `adaptml deploy {name}`"
        ) from error
    try:
        return load_champion(client, project.database, name, version)
    except MlflowException as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"champion {name} version {version} does not load: {reason}; train it again"
        ) from error


def command(
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    data: Annotated[str, typer.Option(help="Frame with table_name and id: .parquet, .csv, .jsonl or .pkl.")],
    setting: Annotated[
        str | None, typer.Option(help="multiclass or multilabel. Default: as the task file says.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Also store them in the database.")] = False,
    to: Annotated[
        Path | None, typer.Option(help="File to write. Default: predictions/ in the home folder.")
    ] = None,
) -> None:
    """Predict many data points with the task's champion.

    Example: `predict example --data workspace/unlabeled_data/multilabel.parquet --write`
    """
    with Project() as project:
        chosen = project.task(task, setting)
        done = predict(project, chosen, data, write=write, path=to, show_progress=True)
    console = output()
    console.print(f"{len(done.frame)} data points predicted by {done.model}")
    counts = pd.Series([name for names in done.frame["label"] for name in names]).value_counts()
    for name in chosen.class_names:
        console.print(f"  {name:20} {int(counts.get(name, 0)):8}")
    console.print(f"predictions  {done.path}")
    if done.new_rows is not None:
        console.print(f"database     {chosen.name}_predictions, {done.new_rows} new rows")


if __name__ == "__main__":
    run_command(command)

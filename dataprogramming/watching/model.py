"""The served model: asked itself where it is registered here, else what it wrote into its table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from adaptml.database import WritebackKind, read_back
from adaptml.errors import ModelError
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.watching.reference import Origin


@dataclass(frozen=True)
class Model:
    """What answers for data points.

    Attributes:
        name: which model it is, for the record.
        predict: gives `table_name`, `id`, `label` (class names) and `label_probs` (k floats) of those of n
            points that it knows.
    """

    name: str
    predict: Callable[[pd.DataFrame], pd.DataFrame]


def served_model(project: Project, task: Task, origin: Origin, folder: Path) -> Model:
    """The champion, or where the store has none, as in the Docker stack, the run that last wrote predictions.

    Args:
        project: holds the champion and the tables.
        task: whose model.
        origin: the runs that new rows are compared with.
        folder: for files on the way.

    Raises:
        ModelError: there is neither, or the champion learned from another run.
    """
    if not origin.champion:
        return _written(project, task)
    if not origin.is_champions:
        raise ModelError(
            f"the champion {origin.champion} did not learn from run {origin.label_run}; leave --run out"
        )
    path = folder / "predicted.parquet"
    return Model(origin.champion, lambda keys: project.predict(task, keys[KEYS].copy(), to=path).predictions)


def _written(project: Project, task: Task) -> Model:
    table = f"{task.name}_{WritebackKind.PREDICTIONS}"
    found = None
    if table in project.results.tables():
        found = read_back(project.results, task, WritebackKind.PREDICTIONS)
        known = found["label_probs"].map(lambda probs: bool((probs == probs).all())).astype(bool)
        found = found.loc[known]
    if found is None or found.empty:
        raise ModelError(
            f"no champion here, and no predictions in {table}: `adaptml predict {task.name} --data DATA "
            "--new --write` brings them"
        )
    last = found.sort_values("written_at", kind="stable").iloc[-1]
    ours = found.loc[found["run_id"] == last["run_id"], [*KEYS, "label", "label_probs"]]

    def predict(keys: pd.DataFrame) -> pd.DataFrame:
        return keys[KEYS].merge(ours, on=KEYS, how="inner", validate="one_to_one")

    return Model(str(last["model"] or last["run_id"]), predict)

"""One deployed model, loaded and ready to answer."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from adaptml.errors import ModelError
from adaptml.frames import KEYS

PROB = "prob_"


class Model(Protocol):
    """What a champion needs of an MLflow pyfunc."""

    def predict(self, data: pd.DataFrame) -> object:
        """Predict a frame of keys."""


@dataclass(frozen=True)
class Champion:
    """A registered end model.

    Attributes:
        name: its name in the registry.
        version: the version that is loaded.
        run_id: the MLflow run that trained it.
        classes: its class names, in the model's order.
        example: data points to try, from the model's input example; empty where it has none.
        model: takes a frame of `table_name`, `id`; gives a 0/1 column per class named by the class and
            a float column `prob_<class>`.
    """

    name: str
    version: str
    run_id: str | None
    classes: tuple[str, ...]
    example: dict[str, list[str]]
    model: Model

    def predict(
        self, table_name: list[str], ids: list[str]
    ) -> dict[str, list[str] | list[int] | list[float]]:
        """Predict data points, in the order in which they are given.

        Returns:
            The keys, then per class a list of 0 or 1, then per class a list of probabilities.

        Raises:
            MissingDataPointsError, DatabaseError, FeatureError: as the model raises them.
            ModelError: the model's answer is not of the form that its signature promises.
        """
        keys = pd.DataFrame({"table_name": table_name, "id": ids}, dtype=object)
        out = self.model.predict(keys)
        columns = [*self.classes, *(PROB + name for name in self.classes)]
        if not isinstance(out, pd.DataFrame) or len(out) != len(ids) or set(columns) - set(out.columns):
            raise ModelError(f"model {self.name} did not answer with a row per data point and {columns}")
        values = np.array([out[column].to_numpy(dtype=np.float64) for column in columns])
        flags, probs = np.split(values, 2)
        if not ((flags == 0) | (flags == 1)).all() or not ((probs >= 0) & (probs <= 1)).all():
            raise ModelError(
                f"model {self.name} answered with flags that are not 0 or 1, or no probabilities"
            )
        lists = [*flags.astype(np.int8).tolist(), *probs.tolist()]
        return {"table_name": table_name, "id": ids} | dict(zip(columns, lists, strict=True))


def load_champion(name: str, version: str) -> Champion:
    """Load one version of a registered model.

    Whatever the model's own code raises comes through.

    Raises:
        MlflowException: it cannot be fetched, or is a pickle and pickles are refused.
        ModelError: it is not an end model.
    """
    import mlflow.pyfunc

    model = mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    signature = model.metadata.signature
    inputs = signature.inputs.input_names() if signature and signature.inputs else []
    outputs = signature.outputs.input_names() if signature and signature.outputs else []
    classes = tuple(column for column in outputs if PROB + str(column) in outputs)
    if inputs != KEYS or len(classes) < 2:
        raise ModelError(
            f"model {name} version {version} takes {inputs} and gives {outputs}; expected an end model that "
            f"takes {KEYS} and gives a column per class and one {PROB}<class> per class"
        )
    # Requests run side by side, and a few rows are too little work for several cores to share: their
    # threads would wait for each other.
    threadpool_limits(1, user_api="blas")
    return Champion(name, version, model.metadata.run_id, classes, _example(model.input_example), model)


def _example(given: object) -> dict[str, list[str]]:
    if not isinstance(given, pd.DataFrame) or list(given.columns) != KEYS:
        return {}
    return {key: given[key].astype(str).tolist() for key in KEYS}

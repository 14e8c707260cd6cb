"""The end model as MLflow loads it ("models from code"): keys in, flags and probabilities out.

Input: a frame with table_name and id. Output: one 0/1 column per class, in the task's order, then one
`prob_<class>` column per class. The model knows the names of its feature columns; where the tables lie is
the setting of the process that serves it. MLflow runs this file; nothing imports it.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from adaptml.database import Database
from adaptml.errors import FeatureError, listed
from adaptml.settings import get_settings
from adaptml.tasks import Setting
from modelling.algorithms import load_end_model
from modelling.decisions import decide
from modelling.features import read_features

LOCK_TIMEOUT_S = 5.0  # somebody waits for the answer


@cache
def _database() -> Database:
    """One for the process: making one costs more than a prediction."""
    return Database(get_settings().database_url.get_secret_value(), LOCK_TIMEOUT_S)


class EndModelFromFiles(PythonModel):
    """A fitted classifier and the names of its features and classes."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the classifier (skops, against our own list of types) and the names."""
        names = json.loads(Path(context.artifacts["names"]).read_text(encoding="utf-8"))
        self.setting = Setting(names["setting"])
        self.class_names: list[str] = names["classes"]
        self.features: list[str] = names["features"]
        self.dimensions: int = names["dimensions"]
        self.classifier = load_end_model(Path(context.artifacts["classifier"]))

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Flags and probabilities of n data points, in the order of the keys."""
        matrix = read_features(_database(), model_input.reset_index(drop=True), self.features)
        if matrix.shape[1] != self.dimensions:
            raise FeatureError(
                f"the features {listed(self.features)} have {matrix.shape[1]} numbers and the model learned "
                f"from {self.dimensions}; featurise with the encoder of the training, or train again"
            )
        probs = self.classifier.predict_proba(matrix)
        flags = decide(self.setting, probs).astype(np.int64)
        columns = {name: pd.Series(flags[:, i]) for i, name in enumerate(self.class_names)}
        columns |= {f"prob_{name}": pd.Series(probs[:, i]) for i, name in enumerate(self.class_names)}
        return pd.DataFrame(columns).set_axis(model_input.index)


set_model(EndModelFromFiles())

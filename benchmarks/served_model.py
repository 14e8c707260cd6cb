"""The end model that `benchmarks/serving.py` serves: a logistic regression over one vector column."""

from functools import cache
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import skops.io
from mlflow.pyfunc.model import PythonModel

from adaptml.database import Database, open_database
from modelling.features import read_features

VECTOR = "txt_vec"


@cache
def database() -> Database:
    """One pool of connections for the process."""
    return open_database()


class ServedModel(PythonModel):
    """Reads the vectors by key and classifies them."""

    def load_context(self, context: Any) -> None:
        """Load the classifier; LogisticRegression needs no type beyond those that skops trusts."""
        self.classifier = skops.io.load(context.artifacts["classifier"])

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's form
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Flags and probabilities per class."""
        probs = self.classifier.predict_proba(read_features(database(), model_input, [VECTOR]))
        flags = (probs == probs.max(axis=1, keepdims=True)).astype(np.int64)
        names = [str(name) for name in self.classifier.classes_]
        return pd.DataFrame(np.hstack([flags, probs]), columns=[*names, *(f"prob_{name}" for name in names)])


mlflow.models.set_model(ServedModel())

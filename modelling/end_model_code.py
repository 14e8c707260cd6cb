"""The end model as MLflow loads it ("models from code"): keys in, flags and probabilities out.

Input: a frame with table_name and id. Output: the same two, one 0/1 column per class, in the task's order,
then one `prob_<class>` column per class. The model knows the names of its feature columns; where the tables
lie is what the settings of the process say that loads it. The prediction service and `predict` do not run
this file: they read the model's plain files themselves. MLflow runs it; nothing imports it.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from adaptml.project import Project
from modelling.keyed import load_keyed_model


class EndModelFromFiles(PythonModel):
    """A fitted classifier and the names of its features and classes."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the classifier (skops, against our own list of types) and the names."""
        files = context.artifacts
        points = Project().points
        self.model = load_keyed_model(Path(files["classifier"]), Path(files["names"]), points)

    def predict(
        self,
        context: Any,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Keys, flags and probabilities of n data points, in the order of the keys."""
        return self.model.predict(model_input)


set_model(EndModelFromFiles())

"""An end model as MLflow code, small enough to know its answers: prob_cat is the column `x`, prob_dog the rest.

Its settings file says what else it does: {"flip": true} swaps the classes, {"broken": true} does not load.
The id `boom` makes it fail as no model should.
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel

from adaptml.database import Database
from adaptml.errors import FeatureError
from adaptml.settings import get_settings


class ServedModel(PythonModel):
    """P(cat) = x."""

    def load_context(self, context: Any) -> None:
        """Read the settings file."""
        self.options = json.loads(Path(context.artifacts["options"]).read_text())
        if self.options.get("broken"):
            raise RuntimeError("this model was made to fail")
        self.database = Database(get_settings().database_url.get_secret_value(), lock_timeout_s=0.5)

    def predict(
        self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Flags and probabilities."""
        if "boom" in set(model_input["id"]):
            raise RuntimeError("secret inside")
        x = self.database.read(model_input, ["x"])["x"]
        if x.isna().any():
            raise FeatureError(f"{int(x.isna().sum())} data points have no x; featurise them")
        cat = x.to_numpy(dtype=np.float64)
        cat = 1 - cat if self.options.get("flip") else cat
        flag = (cat >= 0.5).astype(np.int64)
        return pd.DataFrame({"cat": flag, "dog": 1 - flag, "prob_cat": cat, "prob_dog": 1 - cat})


mlflow.models.set_model(ServedModel())

"""A model as MLflow code that nobody should run: each import of it leaves a file behind.

The test writes the file's path in place of MARK's and registers that copy.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel

MARK = Path("where the test says")
MARK.touch()


class RunsCode(PythonModel):
    """Leaves the file also when it is loaded and when it is asked."""

    def load_context(self, context: Any) -> None:
        """Leave the file."""
        MARK.touch()

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Leave the file."""
        MARK.touch()
        return model_input


mlflow.models.set_model(RunsCode())

"""The label model as MLflow loads it ("models from code"): votes in, probabilities and labels out.

It needs numpy, pandas and mlflow-skinny, neither torch nor Snorkel. Input: one column per labelling function
with its votes (-1, 0 … k-1, and from k on for sets of classes); output: one 0/1 column per class, and one
`prob_<class>` column per class.
MLflow runs this file; nothing imports it.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class LabelModelFromArrays(PythonModel):
    """A fitted label model, read from its arrays."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the arrays with the code that was stored beside them."""
        self.scoring = _load(Path(context.artifacts["scoring"]))
        arrays = Path(context.artifacts["label_model"])
        self.model, self.class_names, self.lf_names = self.scoring.load_model(arrays)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow's signature
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Labels and probabilities of n rows of votes."""
        votes = model_input[self.lf_names].to_numpy(np.int8)
        probs = self.model.predict_proba(votes)
        flags = self.model.decide(probs)
        columns = {name: flags[:, i].astype(np.int64) for i, name in enumerate(self.class_names)}
        return pd.DataFrame(
            columns | {f"prob_{name}": probs[:, i] for i, name in enumerate(self.class_names)},
            index=model_input.index,
        )


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("adaptml_label_scoring", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be read as a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look up the annotations of its classes
    spec.loader.exec_module(module)
    return module


set_model(LabelModelFromArrays())

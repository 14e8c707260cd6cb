"""An end model behind keys: data points in, class flags and probabilities out."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FeatureError, MissingDataPointsError, ModelError, listed
from adaptml.features.catalogue import Reference
from adaptml.features.points import Points
from adaptml.frames import KEYS
from adaptml.tasks import ProblemType, problem_type
from modelling.algorithms import EndModel
from modelling.columns import Columns

CHUNK_ROWS = 10_000  # data points that are read and predicted at once, at most
CHUNK_NUMBERS = (
    3_000_000  # the same in numbers of their features: 12 MB, and a few times that while they are read
)
CLASSIFIER, NAMES = "classifier.skops", "names.json"
PROB = "prob_"


@dataclass(frozen=True)
class KeyedModel:
    """A fitted classifier, the names of its features and classes, and what reads the features.

    Attributes:
        classifier: the end model.
        problem: one class a point, or any number.
        class_names: k names, in the classifier's order.
        features: the versions of features that it was trained on, concatenated in this order.
        dimensions: how many numbers a data point's features have.
        points: reads features.
        columns: what the model learned of columns with gaps and of categories.
    """

    classifier: EndModel
    problem: ProblemType
    class_names: tuple[str, ...]
    features: tuple[Reference, ...]
    dimensions: int
    points: Points
    columns: Columns = field(default_factory=Columns)

    def predict(self, keys: pd.DataFrame) -> pd.DataFrame:
        """Flags and probabilities of n data points, read and predicted a chunk at a time.

        Args:
            keys: frame with table_name and id (n rows); a point may be there more than once.

        Returns:
            Frame of n rows in the order of the keys: table_name and id, one 0/1 column per class, in the
            task's order, then one `prob_<class>` column per class.

        Raises:
            FeatureError: features that are not what the model learned from.
            MissingDataPointsError: says all of the points that are missing.
            DatabaseError: as reading raises it.
        """
        rows = max(1, min(CHUNK_ROWS, CHUNK_NUMBERS // self.dimensions))
        probs = np.empty((len(keys), len(self.class_names)))
        missing: list[tuple[str, str]] = []
        for start in range(0, len(keys), rows):
            some = slice(start, start + rows)
            try:
                probs[some] = self._probabilities(keys.iloc[some])
            except MissingDataPointsError as error:
                missing += error.missing
        if missing:
            raise MissingDataPointsError(list(dict.fromkeys(missing)), asked=len(keys))
        flags = self.problem.decide(probs).astype(np.int64)
        columns: dict[str, object] = {key: keys[key].to_numpy() for key in KEYS}
        columns |= {name: flags[:, i] for i, name in enumerate(self.class_names)}
        columns |= {PROB + name: probs[:, i] for i, name in enumerate(self.class_names)}
        return pd.DataFrame(columns, index=keys.index)

    def _probabilities(self, keys: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Probabilities of some data points, (n, k)."""
        matrix = self.columns.read(self.points, keys.reset_index(drop=True), self.features)
        if matrix.shape[1] != self.dimensions:
            raise FeatureError(
                f"the features {listed(self.features)} have {matrix.shape[1]} numbers and the model learned "
                f"from {self.dimensions}; featurise with the encoder of the training, or train again"
            )
        return self.classifier.predict_proba(matrix)


def load_keyed_model(classifier: Path, names: Path, points: Points) -> KeyedModel:
    """Read a model from its two files.

    Raises:
        ModelError: a file is absent, or is not of an end model.
    """
    try:
        said = json.loads(names.read_text(encoding="utf-8"))
        problem, class_names = problem_type(said["setting"]), tuple(said["classes"])
        features = tuple(Reference.recorded(name) for name in said["features"])
        dimensions, columns = int(said["dimensions"]), Columns.from_json(said.get("columns", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{names} is not the file of an end model ({error}); train the model again"
        ) from error
    return KeyedModel(EndModel.load(classifier), problem, class_names, features, dimensions, points, columns)

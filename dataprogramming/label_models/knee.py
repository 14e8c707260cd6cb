"""Several classes a point from one distribution over classes: those before its knee."""

import numpy as np

from adaptml.label_scoring import Decision, knee
from adaptml.tasks import MULTILABEL
from dataprogramming.label_models.core import Floats, Indicator
from dataprogramming.label_models.snorkel_model import SnorkelLabelModel


class Knee(SnorkelLabelModel):
    """Snorkel's label model, and the classes before the knee of its falling probabilities, at least one.

    What the original project did with points of several classes; see `knees` for how the knee is found.

    Example:
        >>> L = np.array([[0, 0, 0], [1, 1, -1], [0, 1, 0], [1, 1, 1]] * 5)
        >>> adaptml.Knee(cardinality=2, n_epochs=50).fit(L).predict(L[:2]).tolist()
        [[1, 0], [0, 1]]
    """

    name, problem, order, only_on_demand = "knee", MULTILABEL, 2, True

    def _decision(self) -> Decision:
        return knee

    def decide(self, probs: Floats) -> Indicator:
        """The classes before the knee of each row."""
        return knee(probs, np.empty(0), np.empty(0))


LABEL_MODEL = Knee

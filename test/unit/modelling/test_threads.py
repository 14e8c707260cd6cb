"""Two threads train at once: each is told of its own training only."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from warnings import warn

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning

from modelling.algorithms import EndModel

SHORT_S = 0.5  # how long one waits for the other, who may have to wait in turn
X, Y = np.array([[0.0], [1.0]], np.float32), np.eye(2)
BEGAN, JOINED, WARNED = Event(), Event(), Event()


class Meeting(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One stops early, and warns while the other is being fitted too, if they can be at once."""

    def __init__(self, stops_early: bool = False) -> None:
        self.stops_early = stops_early

    def fit(self, X: Any, y: Any) -> "Meeting":
        self.classes_ = np.unique(y)
        if self.stops_early:
            BEGAN.set()
            JOINED.wait(SHORT_S)
            warn("not yet", ConvergenceWarning, stacklevel=1)
            WARNED.set()
        else:
            JOINED.set()
            WARNED.wait(SHORT_S)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.full((len(X), 2), 0.5)


def test_a_training_that_does_not_converge_is_told_to_the_thread_that_runs_it() -> None:
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(EndModel(Meeting(stops_early=True)).fit, X, Y)
        BEGAN.wait()
        second = pool.submit(EndModel(Meeting()).fit, X, Y)
        assert "before it converged" in first.result().unconverged_
        assert second.result().unconverged_ == ""

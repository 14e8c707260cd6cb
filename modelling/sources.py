"""Feature matrices and targets of labelled data points."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database import Database
from adaptml.errors import ModelError
from adaptml.features.reading import Matrix, read_features
from adaptml.labelled import Labelled

TRAINING_DATA, DEVELOPMENT_DATA = "training_data.parquet", "development_data.parquet"


@dataclass(frozen=True)
class Reader:
    """Reads features: which database, which columns in which order, whether with a progress bar."""

    database: Database
    columns: Sequence[str]
    show_progress: bool

    def read(self, keys: pd.DataFrame) -> Matrix:
        """Features of n data points: float32 (n, d)."""
        return read_features(self.database, keys, self.columns, show_progress=self.show_progress)


def targets(training: Labelled, source: str, soft_labels: bool) -> npt.NDArray[np.float64]:
    """What the algorithm learns: float64 (n, k), hard or soft.

    Raises:
        ModelError: soft labels of data without probabilities.
    """
    if not soft_labels:
        return training.Y.astype(np.float64)
    if training.P is None:
        raise ModelError(f"{source} has no column label_probs, which soft labels are; train without them")
    return training.P


def warn_left_out(log: logging.Logger, data: Labelled, source: str) -> None:
    """Say how many points a multiclass run cannot use."""
    if data.left_out:
        log.warning(
            "%d points of %s are left out: a multiclass run needs exactly one class", data.left_out, source
        )

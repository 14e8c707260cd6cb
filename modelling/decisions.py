"""From probabilities to classes: the one rule that training, serving and predicting share."""

import numpy as np
import numpy.typing as npt

from adaptml.tasks import Setting

THRESHOLD = 0.5


def decide(setting: Setting, probs: npt.NDArray[np.float64]) -> npt.NDArray[np.int8]:
    """The classes that probabilities stand for.

    Args:
        setting: multiclass takes the most probable class (of equals the first), multilabel every class
            of probability 0.5 or more.
        probs: float64 (n, k), values in [0, 1].

    Returns:
        int8 (n, k), values in {0, 1}.

    >>> decide(Setting.MULTICLASS, np.array([[0.4, 0.3, 0.3]])).tolist()
    [[1, 0, 0]]
    >>> decide(Setting.MULTILABEL, np.array([[0.5, 0.2, 0.9]])).tolist()
    [[1, 0, 1]]
    """
    if setting is Setting.MULTICLASS:
        flags = np.zeros(probs.shape, dtype=np.int8)
        flags[np.arange(len(probs)), probs.argmax(axis=1)] = 1
        return flags
    return (probs >= THRESHOLD).astype(np.int8)

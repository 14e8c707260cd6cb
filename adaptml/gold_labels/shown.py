"""What gold shows of a model: whether it beats another, and which classes it passes over."""

import numpy as np
import numpy.typing as npt
from scipy.stats import binom

from adaptml.bootstrap import interval
from adaptml.tasks.metrics import Metric, Outcome

UNLIKELY = 0.001  # a class that is missed so one-sidedly by chance is not to be expected in any run

Indicator = npt.NDArray[np.int8]


def is_shown_better(metric: Metric, Y: Indicator, said: Outcome, other: Outcome) -> bool:
    """Whether the 95 % interval of the paired difference of two models' figures lies above 0.

    Args:
        metric: what is measured.
        Y: classes of g points, int8 (g, k).
        said, other: what each says of them.
    """
    ours, theirs = (metric.sign * metric.draws(Y, one, 0) for one in (said, other))
    return interval(ours - theirs)[0] > 0


def passed_over(Y: Indicator, predicted: Indicator) -> list[int]:
    """The classes that a model names far more rarely than gold, on the same points.

    So it does not matter whether gold was drawn at random. A class is missed where gold has it and the model
    does not name it, and wrongly given the other way round. A model that names it as often as gold errs both
    ways alike: the test is McNemar's (1947), https://doi.org/10.1007/BF02295996, exact and one-sided, below
    UNLIKELY, and the class must be named less than half as often.

    Args:
        Y: classes of g points, int8 (g, k).
        predicted: int8 (g, k), what a model that has not seen them names.
    """
    has, named = Y == 1, predicted == 1
    missed, given = (has & ~named).sum(axis=0), (named & ~has).sum(axis=0)
    chance = binom.sf(missed - 1, missed + given, 0.5)
    rarely = 2 * named.sum(axis=0) < has.sum(axis=0)
    return [int(c) for c in np.flatnonzero((chance < UNLIKELY) & rarely)]

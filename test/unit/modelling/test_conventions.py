"""Every algorithm follows scikit-learn's conventions: its own checks pass, with no failure that is expected."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from modelling.algorithms import algorithms, get_algorithm

NAMES = [name for name, made in algorithms().items() if not made.takes_texts]  # theirs are of numbers
# Few trees are enough to see conventions; a pass with the default hundred takes ten times as long.
QUICK = {"hist_gradient_boosting": {"max_iter": 3}, "mlp": {"max_iter": 60}}


@parametrize_with_checks([get_algorithm(name, QUICK.get(name)) for name in NAMES])  # type: ignore[untyped-decorator]
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scikit_learns_conventions(estimator: Any, check: Any) -> None:
    with threadpool_limits(1):
        check(estimator)

"""Labels that look wrong, on points few enough to see which they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.fixing.suspects import said_of, suspicious_labels
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType


def test_planted_labels_are_found_the_worst_first() -> None:
    """20 points of two classes, of which 3 (rather 1) and 15 (rather 0) are labelled as the other one."""
    truth = np.repeat([0, 1], 10)
    probs = np.where(truth[:, None] == np.arange(2), 0.9, 0.1)
    probs[15] = [0.15, 0.85]
    probs[7] = [0.45, 0.55]  # of which the model is not sure: no reason to doubt a label
    given_ = truth.copy()
    given_[[3, 15]] = [1, 0]
    found = suspicious_labels(MULTICLASS, np.eye(2, dtype=np.int8)[given_], probs)
    assert found.places.tolist() == [3, 15]
    assert found.suggested.tolist() == [[1, 0], [0, 1]]
    # The normalised margin: (p of the label - the highest other p + 1) / 2.
    assert found.scores == pytest.approx([(0.1 - 0.9 + 1) / 2, (0.15 - 0.85 + 1) / 2])


def test_each_class_of_a_label_set_is_a_question() -> None:
    """All points have class 0, the first five have class 1 too; point 7 has it in truth, and lacks it."""
    Y = np.zeros((10, 2), np.int8)
    Y[:, 0] = 1
    Y[:5, 1] = 1
    probs = np.where(Y == 1, 0.95, 0.05)
    probs[7, 1] = 0.95
    found = suspicious_labels(MULTILABEL, Y, probs)
    assert found.places.tolist() == [7]
    assert found.suggested.tolist() == [[1, 1]]
    assert found.scores == pytest.approx([0.05])


@pytest.mark.parametrize(
    ("Y", "probs"),
    [
        (np.empty((0, 2), np.int8), np.empty((0, 2))),
        (np.array([[1, 0]] * 5, np.int8), np.array([[0.1, 0.9]] + [[0.9, 0.1]] * 4)),  # one label alone
        (np.array([[1, 0], [0, 1]] * 5, np.int8), np.full((10, 2), 0.5)),  # a model that tells none apart
    ],
)
def test_where_nothing_can_be_said_nothing_is(Y: np.ndarray, probs: np.ndarray) -> None:
    found = suspicious_labels(MULTICLASS, Y, probs)
    assert (len(found.places), len(found.suggested), len(found.scores)) == (0, 0, 0)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(2, 4),
    st.sampled_from([MULTICLASS, MULTILABEL]),
)
def test_only_what_a_model_contradicts_is_named(seed: int, n: int, k: int, problem: ProblemType) -> None:
    rng = np.random.default_rng(seed)
    if problem.exclusive:
        Y, probs = np.eye(k, dtype=np.int8)[rng.integers(0, k, n)], rng.dirichlet(np.full(k, 0.3), n)
    else:
        Y, probs = (rng.random((n, k)) < 0.5).astype(np.int8), rng.random((n, k)).round(1)
    found = suspicious_labels(problem, Y, probs)
    assert (found.suggested == problem.decide(probs)[found.places]).all()
    assert (found.suggested != Y[found.places]).any(axis=1).all()
    assert ((found.scores >= 0) & (found.scores <= 1)).all()
    assert (np.diff(found.scores) >= 0).all()


def test_only_classes_that_differ_are_told() -> None:
    label, suggested = np.array([1, 0, 1], np.int8), np.array([1, 1, 0], np.int8)
    assert said_of(["a", "b", "c"], label, suggested, np.array([0.9, 0.2, 0.3])) == "c 0.30, b 0.20"

"""The weights of models that answer together."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from modelling.algorithms.log_odds import pooled
from modelling.weighing import PULL, pool_weights

Y = np.eye(2, dtype=np.int8)[[0, 1] * 20]


def sure(of: float, flags: np.ndarray = Y) -> np.ndarray:
    """The truth with this probability."""
    return np.where(flags == 1, of, 1 - of)


def test_of_two_models_it_is_what_a_line_search_finds() -> None:
    """With odds of 1.5 one is right and one wrong: together log-odds of the truth are (2 w - 1) log 1.5."""
    good, bad = sure(0.6), sure(0.4)
    grid = np.linspace(0, 1, 100_001)
    penalised = np.log1p(1.5 ** (1 - 2 * grid)) + PULL / len(Y) * 2 * (grid - 0.5) ** 2
    best = grid[penalised.argmin()]
    assert 0.6 < best < 0.9
    np.testing.assert_allclose(pool_weights(MULTICLASS, [good, bad], Y), [best, 1 - best], atol=1e-4)
    # Of two classes that do not exclude each other, the mean of two such losses is the same.
    np.testing.assert_allclose(pool_weights(MULTILABEL, [good, bad], Y), [best, 1 - best], atol=1e-4)


def test_more_gold_tells_more_and_none_tells_nothing() -> None:
    weights = [
        pool_weights(MULTICLASS, [sure(0.9, rows), sure(0.4, rows)], rows)[0]
        for rows in (Y[:0], Y[:4], Y, np.tile(Y, (50, 1)))
    ]
    assert weights[0] == 0.5
    assert weights == sorted(weights)
    assert weights[-1] == pytest.approx(1, abs=1e-6)
    assert pool_weights(MULTICLASS, [sure(0.9)], Y).tolist() == [1]


def test_models_that_say_the_same_count_alike() -> None:
    np.testing.assert_allclose(pool_weights(MULTICLASS, [sure(0.8)] * 3, Y), np.full(3, 1 / 3), atol=1e-9)


@given(seed=st.integers(0, 999), problem=st.sampled_from([MULTICLASS, MULTILABEL]))
def test_no_weights_of_a_grid_are_better(seed: int, problem: ProblemType) -> None:
    rng = np.random.default_rng(seed)
    truth = np.eye(3, dtype=np.int8)[rng.integers(0, 3, 30)]
    probs = [rng.dirichlet(np.ones(3), 30) for _ in range(3)]

    def penalised(weights: np.ndarray) -> float:
        apart = ((weights - 1 / 3) ** 2).sum()
        return problem.log_loss(truth, pooled(problem, probs, weights)) + PULL / 30 * apart

    found = pool_weights(problem, probs, truth)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1)
    grid = [(a, b, 10 - a - b) for a, b in product(range(11), range(11)) if a + b <= 10]
    assert penalised(found) <= min(penalised(np.array(one) / 10) for one in grid) + 1e-6

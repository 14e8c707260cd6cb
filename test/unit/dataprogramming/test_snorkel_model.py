"""Snorkel's label model: the same numbers as Snorkel's own code, in bounded memory."""

import random

import numpy as np
import numpy.typing as npt
import pytest
import torch
from snorkel.labeling.model import LabelModel
from tolerances import FLOAT32_ATOL

from adaptml.errors import LabellingError
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.scoring import FittedModel, argmax, softmax
from dataprogramming.label_models.snorkel_training import Trained, overlaps, train_snorkel


def planted(seed: int, n: int, m: int, k: int, density: float) -> npt.NDArray[np.int8]:
    """Votes of LFs that are right in 50 to 90 % of the rows on which they vote."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, (n, 1))
    right = rng.random((n, m)) < rng.uniform(0.5, 0.9, m)
    votes = np.where(right, truth, rng.integers(0, k, (n, m)))
    return np.where(rng.random((n, m)) < density, votes, -1).astype(np.int8)


def snorkels_own(
    L: npt.NDArray[np.int8], balance: list[float], n_epochs: int, **options: object
) -> LabelModel:
    model = LabelModel(cardinality=len(balance), verbose=False)
    model.fit(L.astype(int), class_balance=balance, n_epochs=n_epochs, progress_bar=False, **options)
    return model


def probabilities(trained: Trained, balance: list[float], L: npt.NDArray[np.int8]) -> npt.NDArray[np.float64]:
    p, m = np.array(balance), len(trained.weights)
    model = FittedModel("snorkel", softmax, argmax, p, trained.table, p, np.ones(m))
    return model.predict_proba(L)


@pytest.mark.parametrize(
    ("k", "m", "options"),
    [
        (2, 5, {"seed": 1}),
        (3, 12, {"seed": 2, "lr": 0.02, "prec_init": 0.6}),
        (3, 8, {"seed": 3, "l2": 0.05}),
        (2, 8, {"seed": 4, "optimizer": "adam", "lr": 0.001}),
        (4, 25, {"seed": 5, "optimizer": "adamax", "lr": 0.001}),
        (4, 4, {"seed": 6}),
    ],
)
def test_predictions_of_snorkels_own_code(k: int, m: int, options: dict[str, object]) -> None:
    L = planted(k, 600, m, k, 0.4)
    balance = (np.arange(1, k + 1) / np.arange(1, k + 1).sum()).tolist()
    config = SnorkelConfig.model_validate(options)
    models = train_snorkel(overlaps(L, k), np.array(balance), config, [20, 80])
    for n_epochs, model in models.items():
        own = snorkels_own(L, balance, n_epochs, **options)
        expected = own.predict_proba(L.astype(int))
        probs = probabilities(model, balance, L)
        np.testing.assert_allclose(probs, expected, atol=1e-4)
        np.testing.assert_array_equal(probs.argmax(axis=1), expected.argmax(axis=1))
        np.testing.assert_allclose(model.weights, own.get_weights(), atol=1e-4)


def test_equal_classes_are_put_in_snorkels_order() -> None:
    L = planted(7, 500, 6, 3, 0.6)
    model = train_snorkel(overlaps(L, 3), np.full(3, 1 / 3), SnorkelConfig(seed=7), [100])[100]
    expected = snorkels_own(L, [1 / 3] * 3, 100, seed=7).predict_proba(L.astype(int))
    np.testing.assert_allclose(probabilities(model, [1 / 3] * 3, L), expected, atol=1e-4)


def test_overlaps_by_hand() -> None:
    L = np.array([[0, 1], [0, -1], [-1, -1], [1, 1]], np.int8)
    seen = overlaps(L, 2)
    assert (seen.n, seen.m, seen.k) == (4, 2, 2)
    assert (seen.O * 4).tolist() == [[2, 0, 0, 1], [0, 1, 0, 1], [0, 0, 0, 0], [1, 1, 0, 2]]


def test_an_lf_that_never_votes_changes_nothing_and_has_no_weight() -> None:
    L = planted(8, 300, 4, 2, 0.7)
    L[:, 2] = -1
    model = train_snorkel(overlaps(L, 2), np.array([0.5, 0.5]), SnorkelConfig(), [50])[50]
    assert np.isnan(model.weights).tolist() == [False, False, True, False]
    assert np.isfinite(probabilities(model, [0.5, 0.5], L)).all()


def generators() -> list[object]:
    return [random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()]  # noqa: NPY002


def test_generators_of_the_caller_are_left_alone() -> None:
    before = str(generators())
    train_snorkel(overlaps(planted(9, 50, 3, 2, 0.9), 2), np.array([0.5, 0.5]), SnorkelConfig(), [5])
    assert str(generators()) == before


def test_the_seed_is_the_only_chance() -> None:
    seen = overlaps(planted(9, 50, 3, 2, 0.9), 2)
    fits = [train_snorkel(seen, np.array([0.5, 0.5]), SnorkelConfig(seed=s), [5])[5].table for s in (0, 0, 1)]
    np.testing.assert_allclose(fits[0], fits[1], rtol=0, atol=FLOAT32_ATOL)
    assert np.abs(fits[0] - fits[2]).max() > 100 * FLOAT32_ATOL


def test_a_learning_rate_that_is_too_high() -> None:
    seen = overlaps(planted(9, 50, 3, 2, 0.9), 2)
    with pytest.raises(LabellingError, match=r"does not converge with lr 100\.0; use a lower lr"):
        train_snorkel(seen, np.array([0.5, 0.5]), SnorkelConfig(lr=100), [200])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there() -> None:
    seen = overlaps(planted(9, 50, 3, 2, 0.9), 2)
    with pytest.raises(LabellingError, match="device is 'cuda', but no CUDA device is there; use device cpu"):
        train_snorkel(seen, np.array([0.5, 0.5]), SnorkelConfig(device="cuda"), [5])

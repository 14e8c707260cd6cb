"""Snorkel's label model: the same numbers as Snorkel's own code, for several class balances at once."""

import builtins
import random
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info
from tolerances import FLOAT32_ATOL

from adaptml.errors import LabellingError
from adaptml.label_scoring import FittedModel, argmax, softmax
from dataprogramming.label_models import snorkel_training
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold
from dataprogramming.label_models.devices import find_device, torch_device
from dataprogramming.label_models.overlaps import overlaps
from dataprogramming.label_models.snorkel_model import SnorkelLabelModel
from dataprogramming.label_models.snorkel_training import Trained, train_snorkel

Votes = npt.NDArray[np.int8]
LIKE_SNORKELS = 1e-5  # both compute in float32, in another order


def planted(seed: int, n: int, m: int, k: int, density: float, unipolar: float = 0.0) -> Votes:
    """Votes of LFs that are right in 50 to 90 % of the rows on which they vote; a share of LFs know one class."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, (n, 1))
    right = rng.random((n, m)) < rng.uniform(0.5, 0.9, m)
    votes = np.where(right, truth, rng.integers(0, k, (n, m)))
    votes[(votes != np.arange(m) % k) & (np.arange(m) < unipolar * m)] = -1
    return np.where(rng.random((n, m)) < density, votes, -1).astype(np.int8)


def snorkels_own(L: Votes, balance: npt.NDArray[np.float64], n_epochs: int, **options: object) -> Any:
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=len(balance), verbose=False)
    model.fit(L.astype(int), class_balance=balance.tolist(), n_epochs=n_epochs, progress_bar=False, **options)
    return model


def probabilities(trained: Trained, L: Votes) -> npt.NDArray[np.float64]:
    p, m = trained.balance, len(trained.weights)
    model = FittedModel("snorkel", softmax, argmax, p, trained.table, p, np.ones(m))
    return model.predict_proba(L)


def rising(k: int) -> npt.NDArray[np.float64]:
    return np.arange(1, k + 1) / np.arange(1, k + 1).sum()


@pytest.mark.torch
@pytest.mark.parametrize("unipolar", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("k", "m", "options"),
    [
        (2, 5, {"seed": 1}),
        (3, 12, {"seed": 2, "lr": 0.02, "prec_init": 0.6}),
        (3, 8, {"seed": 3, "l2": 0.05}),
        (2, 8, {"seed": 4, "optimizer": "adam", "lr": 0.001}),
        (4, 25, {"seed": 5, "optimizer": "adamax", "lr": 0.001}),
        (3, 10, {"seed": 7, "optimizer": "adam", "l2": 0.1}),
        (3, 10, {"seed": 7, "optimizer": "adamax", "l2": 0.1}),
        (9, 20, {"seed": 6}),
        (2, 6, {"seed": 8, "prec_init": 1.0}),
    ],
)
def test_predictions_of_snorkels_own_code(
    k: int, m: int, options: dict[str, object], unipolar: float
) -> None:
    L = planted(k, 600, m, k, 0.4, unipolar)
    # The last is of equally frequent classes: Snorkel then looks which column is which class.
    balances = [rising(k), rising(k)[::-1], np.full(k, 1 / k)]
    config = SnorkelConfig.model_validate(options)
    together = train_snorkel(overlaps(L, k), balances, config, [[20, 80], [80], [80]])
    assert [list(models) for models in together] == [[20, 80], [80], [80]]
    for balance, models in zip(balances, together, strict=True):
        for n_epochs, model in models.items():
            own = snorkels_own(L, balance, n_epochs, **options)
            expected = own.predict_proba(L.astype(int))
            np.testing.assert_allclose(probabilities(model, L), expected, rtol=0, atol=LIKE_SNORKELS)
            np.testing.assert_allclose(model.weights, own.get_weights(), rtol=0, atol=LIKE_SNORKELS)
            assert model.lr == config.lr


@pytest.mark.torch
def test_classes_that_came_out_swapped_are_put_in_snorkels_order() -> None:
    L = planted(7, 500, 6, 3, 0.6)
    swapped = np.where(L >= 0, (L + 1) % 3, L).astype(np.int8)
    balance = np.full(3, 1 / 3)
    for votes in (L, swapped):
        mu = train_snorkel(overlaps(votes, 3), [balance], SnorkelConfig(seed=7), [[100]])[0][100].mu
        undone = snorkel_training._finished(overlaps(votes, 3), balance, mu[:, [2, 0, 1]], 0.01).mu
        np.testing.assert_array_equal(undone, mu)
        expected = snorkels_own(votes, balance, 100, seed=7).predict_proba(votes.astype(int))
        found = probabilities(Trained(overlaps(votes, 3), balance, undone, 0.01), votes)
        np.testing.assert_allclose(found, expected, rtol=0, atol=LIKE_SNORKELS)


def test_overlaps_by_hand() -> None:
    L = np.array([[0, 1], [0, -1], [-1, -1], [1, 1]], np.int8)
    seen = overlaps(L, 2)
    assert (seen.n, seen.m, seen.k) == (4, 2, 2)
    assert (seen.pairs.tolist(), seen.lfs.tolist(), seen.classes.tolist()) == (
        [0, 1, 3],
        [0, 0, 1],
        [0, 1, 1],
    )
    assert (seen.O.toarray() * 4).tolist() == [[2, 0, 1], [0, 1, 1], [1, 1, 2]]
    assert (seen.coverage * 4).tolist() == [3, 2]


@given(seed=st.integers(0, 10**6), k=st.integers(2, 4), unipolar=st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=25)
def test_the_gradient_is_that_of_the_loss_over_all_pairs(seed: int, k: int, unipolar: float) -> None:
    """The loss as the paper writes it, on a dense matrix of all LFs and classes, and its differences."""
    L = planted(seed, 30, 4, k, 0.6, unipolar)
    seen, p, config = overlaps(L, k), rising(k), SnorkelConfig(l2=0.3)
    loss = snorkel_training._Loss(seen, p[None], config, find_device("cpu"))
    rng = np.random.default_rng(seed)
    mu = rng.random((len(seen.pairs), 1, k)).astype(np.float32)
    votes = (L[:, :, None] == np.arange(k)).reshape(len(L), -1).astype(float)
    O = votes.T @ votes / len(L)  # noqa: E741
    others = np.kron(1 - np.eye(4), np.ones((k, k)))

    def by_definition(active: npt.NDArray[np.float64]) -> float:
        full = np.zeros((4 * k, k))
        full[seen.pairs] = active
        R = others * (O - full @ np.diag(p) @ full.T)
        penalty = 0.3**2 * ((active - loss.start[:, 0]) ** 2).sum() + 0.3 / 2 * (active**2).sum()
        return float((R**2).sum() + ((full @ p - np.diag(O)) ** 2).sum() + penalty)

    at, direction = mu[:, 0].astype(float), rng.normal(size=mu[:, 0].shape)
    slope = (by_definition(at + 1e-4 * direction) - by_definition(at - 1e-4 * direction)) / 2e-4
    found = float((loss.gradient(mu)[:, 0] * direction).sum())
    assert found == pytest.approx(slope, rel=1e-4, abs=1e-4)


def test_fits_together_are_the_fits_one_by_one() -> None:
    L = planted(3, 200, 6, 3, 0.5, 0.5)
    truth = np.eye(3, dtype=np.int8)[np.random.default_rng(0).integers(0, 3, 200)]
    golds = [None, Gold(L[:60], truth[:60]), Gold(L[:5], truth[:5]), Gold(L[60:], truth[60:])]
    model = SnorkelLabelModel(3, lr=8.0)  # too high for some
    votes = model.summary(L)
    for together, gold in zip(model.fit_many(votes, golds), golds, strict=True):
        alone = SnorkelLabelModel(3, lr=8.0).fit_summary(votes, gold)
        assert (together.fitted_.params, together.fitted_.n_epochs) == (
            alone.fitted_.params,
            alone.fitted_.n_epochs,
        )
        np.testing.assert_allclose(
            together.predict_proba(L), alone.predict_proba(L), rtol=0, atol=FLOAT32_ATOL
        )


def test_an_lf_that_never_votes_changes_nothing_and_has_no_weight() -> None:
    L = planted(8, 300, 4, 2, 0.7)
    L[:, 2] = -1
    model = train_snorkel(overlaps(L, 2), [np.array([0.5, 0.5])], SnorkelConfig(), [[50]])[0][50]
    assert np.isnan(model.weights).tolist() == [False, False, True, False]
    assert np.isfinite(probabilities(model, L)).all()


def states() -> list[str]:
    threads = [(library["filepath"], library["num_threads"]) for library in threadpool_info()]
    return [str(random.getstate()), str(np.random.get_state(legacy=False)), str(threads)]  # noqa: NPY002


def test_generators_and_threads_of_the_caller_are_left_alone() -> None:
    before = states()
    train_snorkel(overlaps(planted(9, 50, 3, 2, 0.9), 2), [np.array([0.5, 0.5])], SnorkelConfig(), [[5]])
    assert states() == before


def test_the_seed_is_the_only_chance() -> None:
    seen, even = overlaps(planted(9, 50, 3, 2, 0.9), 2), np.array([0.5, 0.5])
    fits = [train_snorkel(seen, [even], SnorkelConfig(seed=s), [[5]])[0][5].table for s in (0, 0, 1)]
    np.testing.assert_allclose(fits[0], fits[1], rtol=0, atol=FLOAT32_ATOL)
    assert np.abs(fits[0] - fits[2]).max() > 100 * FLOAT32_ATOL


def test_a_learning_rate_that_is_too_high_is_halved_until_training_converges() -> None:
    seen, even = overlaps(planted(9, 50, 3, 2, 0.9), 2), np.array([0.5, 0.5])
    model = train_snorkel(seen, [even], SnorkelConfig(lr=100), [[50, 200]])[0][200]
    halvings = np.log2(100 / model.lr)
    assert halvings == round(halvings) > 0
    slower = train_snorkel(seen, [even], SnorkelConfig(lr=model.lr), [[50, 200]])[0][200]
    np.testing.assert_array_equal(slower.mu, model.mu)
    assert slower.lr == model.lr
    long, short = train_snorkel(seen, [even, even], SnorkelConfig(lr=100), [[200], [1]])
    assert (long[200].lr, short[1].lr) == (model.lr, 100)  # one step is no divergence


@pytest.mark.parametrize("l2", ["1e+30", "1e+200"])
def test_no_learning_rate_helps(l2: str) -> None:
    seen = overlaps(planted(9, 50, 3, 2, 0.9), 2)
    fact = rf"does not converge with lr 0\.01 and l2 {re.escape(l2)}, .*use a lower l2"
    with pytest.raises(LabellingError, match=fact):
        train_snorkel(seen, [np.array([0.5, 0.5])], SnorkelConfig(l2=float(l2)), [[20]])


def test_many_rules_of_many_classes_take_no_more_than_the_pairs_that_occur() -> None:
    """1200 LFs and 56 classes: all pairs of pairs would be 4.5 billion numbers."""
    rng = np.random.default_rng(0)
    L = np.full((2000, 1200), -1, np.int8)
    spoken = rng.integers(0, 1200, (2000, 4))
    np.put_along_axis(L, spoken, (spoken % 56).astype(np.int8), axis=1)
    seen = overlaps(L, 56)
    assert seen.O.shape == (len(seen.pairs),) * 2
    assert len(seen.pairs) <= 1200
    model = train_snorkel(seen, [np.full(56, 1 / 56)], SnorkelConfig(), [[2]])[0][2]
    assert np.isfinite(probabilities(model, L[:50])).all()


def test_many_votes_a_row_converge() -> None:
    """250 LFs, about 124 votes a row, with which Snorkel's own learning rate diverges."""
    rng = np.random.default_rng(0)
    truth, knows = rng.integers(0, 2, 300), np.arange(250) % 2
    fires = rng.random((300, 250)) < np.where(truth[:, None] == knows, 0.66, 0.33)
    L = np.where(fires, knows, -1).astype(np.int8)
    model = SnorkelLabelModel(2).fit(L)
    assert model.fitted_.params["lr"] < 0.01
    assert model.warnings == [
        f"the label model snorkel diverges with lr 0.01, so it was trained with lr {model.fitted_.params['lr']:g}"
    ]
    assert (model.predict(L).argmax(axis=1) == truth).all()


@pytest.mark.torch
@pytest.mark.parametrize("unipolar", [0.0, 0.5])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamax"])
def test_pytorch_computes_the_same(optimizer: str, unipolar: float, monkeypatch: pytest.MonkeyPatch) -> None:
    L, balances = planted(5, 200, 8, 3, 0.5, unipolar), [rising(3), np.full(3, 1 / 3)]
    config = SnorkelConfig.model_validate({"optimizer": optimizer, "l2": 0.1, "lr": 0.005})
    ours = train_snorkel(overlaps(L, 3), balances, config, [[10, 60]] * 2)
    monkeypatch.setattr(snorkel_training, "find_device", lambda name: torch_device("cpu"))
    theirs = train_snorkel(overlaps(L, 3), balances, config, [[10, 60]] * 2)
    for a, b in zip(ours, theirs, strict=True):
        for n_epochs in (10, 60):
            np.testing.assert_allclose(a[n_epochs].mu, b[n_epochs].mu, rtol=0, atol=FLOAT32_ATOL)


@pytest.mark.torch
def test_a_device_that_is_not_there() -> None:
    import torch

    if torch.cuda.is_available():
        n = torch.cuda.device_count()
        with pytest.raises(LabellingError, match=f"device is 'cuda:{n}', but there is only cuda:0"):
            find_device(f"cuda:{n}")
    else:
        with pytest.raises(
            LabellingError, match="device is 'cuda', but no CUDA device is there; use device cpu"
        ):
            find_device("cuda")


def test_a_device_of_pytorch_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    import_module = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return import_module(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    L = planted(1, 60, 3, 2, 0.9)
    with pytest.raises(
        LabellingError,
        match=r"device is 'cuda:0', .* not installed; `pip install -e '\.\[cuda\]'`, or use .*cpu",
    ):
        SnorkelLabelModel(2, device="cuda:0").fit(L)
    SnorkelLabelModel(2).fit(L)

"""A fitted model's predictions, worked out by hand or compared with the field's own code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from kneed import KneeLocator

from adaptml.label_scoring import (
    DECISIONS,
    LINKS,
    FittedModel,
    knees,
    leaky_or,
    load_model,
    save_model,
)
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import votes_table

BALANCE = np.array([0.75, 0.25])
L = np.array([[0, 1], [1, 1], [-1, 1], [-1, -1]], np.int8)


def model(link: str, decision: str = "argmax", table: npt.NDArray[np.float64] | None = None) -> FittedModel:
    table = votes_table(2, 2) if table is None else table
    return FittedModel(
        "m", LINKS[link], DECISIONS[decision], BALANCE, table, np.array([0.5, 0.5]), np.ones(2)
    )


def test_share() -> None:
    expected = [[1.75 / 3, 1.25 / 3], [0.25, 0.75], [0.375, 0.625], [0.75, 0.25]]
    np.testing.assert_allclose(model("share").predict_proba(L), expected)


def test_softmax() -> None:
    e = np.e
    expected = [
        [0.75, 0.25],
        [3 / (3 + e * e), e * e / (3 + e * e)],
        [3 / (3 + e), e / (3 + e)],
        [0.75, 0.25],
    ]
    np.testing.assert_allclose(model("softmax").predict_proba(L), expected)


def test_sigmoid_hears_silence() -> None:
    table = votes_table(2, 2)
    table[:, 0, 0] = -1.0  # silence speaks against the first class
    odds = np.array([[3.0, np.e / 3], [3.0, np.e**2 / 3], [3 / np.e, np.e / 3]])
    odds[0, 0] *= np.e
    np.testing.assert_allclose(model("sigmoid", table=table).predict_proba(L)[:3], odds / (1 + odds))
    np.testing.assert_allclose(model("sigmoid", table=table).predict_proba(L)[3], BALANCE)


def test_noisy_or_with_a_leak() -> None:
    """Two votes for class 0, each of which misses it with 0.4; silence leaves a tenth and a fifth."""
    scores = np.log(0.4) * np.array([[2.0, 0.0], [0.0, 1.0]])
    probs = leaky_or(scores, np.array([0.1, 0.2]))
    np.testing.assert_allclose(probs, [[1 - 0.9 * 0.16, 0.2], [0.1, 1 - 0.8 * 0.4]])


def test_noisy_or_and_thresholds() -> None:
    half = model("noisy_or", "thresholds", votes_table(2, 2) * np.log(0.4))
    probs = half.predict_proba(L)
    np.testing.assert_allclose(probs, [[0.6, 0.6], [0, 0.84], [0, 0.6], [0.75, 0.25]])
    assert half.decide(probs).tolist() == [[1, 1], [0, 1], [0, 1], [1, 0]]


def test_the_best_class_where_none_passes_and_there_are_votes() -> None:
    either = model("sigmoid", "thresholds_or_best")  # its balance is 0.75, 0.25
    probs = np.array([[0.2, 0.3], [0.6, 0.7], [0.75, 0.25]])
    assert either.decide(probs).tolist() == [[0, 1], [1, 1], [1, 0]]
    rare = replace(either, balance=np.array([0.2, 0.3]))
    assert rare.decide(probs).tolist() == [[0, 0], [1, 1], [1, 0]]


def test_argmax_takes_the_first_of_equals() -> None:
    assert model("share").decide(np.array([[0.5, 0.5], [0.2, 0.8]])).tolist() == [[1, 0], [0, 1]]


def test_hundreds_of_conflicting_votes_stay_numbers() -> None:
    table = np.full((200, 3, 2), np.log(0.001))
    many = FittedModel(
        "m", LINKS["softmax"], DECISIONS["argmax"], np.array([0.5, 0.5]), table, np.full(2, 0.5), np.ones(200)
    )
    votes = np.tile(np.array([0, 1], np.int8), (1, 100))
    np.testing.assert_allclose(many.predict_proba(votes), [[0.5, 0.5]])


@pytest.mark.parametrize("k", [2, 3, 5, 9])
def test_knees_are_those_of_kneed(k: int) -> None:
    probs = np.random.default_rng(k).dirichlet(np.full(k, 0.5), 200)
    places = range(k)
    expected = [
        KneeLocator(places, row[::-1], curve="convex", direction="decreasing").knee
        for row in np.sort(probs, axis=1)
    ]
    assert knees(probs).tolist() == [knee or 0 for knee in expected]


def test_knee_decides() -> None:
    probs = np.array([[0.45, 0.01, 0.44, 0.05, 0.05], [0.96, 0.01, 0.01, 0.01, 0.01], [0.2] * 5])
    three = FittedModel(
        "m",
        LINKS["softmax"],
        DECISIONS["knee"],
        np.full(5, 0.2),
        votes_table(1, 5),
        np.full(5, 0.5),
        np.ones(1),
    )
    assert three.decide(probs).sum(axis=1).tolist() == [2, 1, 1]


def test_saved_without_pickles_and_read_again(tmp_path: Path) -> None:
    before = model("softmax")
    save_model(before, ["ham", "spam"], ["a", "b"], tmp_path / "m.npz")
    after, class_names, lf_names = load_model(tmp_path / "m.npz")
    assert (class_names, lf_names) == (["ham", "spam"], ["a", "b"])
    assert vars(after).keys() == vars(before).keys()
    for key, value in vars(before).items():
        np.testing.assert_array_equal(vars(after)[key], value)
    assert (after.link, after.n_epochs) == (LINKS["softmax"], 0)


def test_a_file_of_before_is_read(tmp_path: Path) -> None:
    # as commit c936996 wrote them: names of link and decision, and no parameters
    arrays = {
        "name": "em", "link": "sigmoid", "decision": "thresholds_or_best", "balance": BALANCE,
        "table": votes_table(2, 2), "thresholds": np.array([0.5, 0.5]), "weights": np.ones(2), "n_epochs": 0,
        "class_names": np.array(["ham", "spam"]), "lf_names": np.array(["a", "b"]),
    }  # fmt: skip
    np.savez(tmp_path / "before.npz", allow_pickle=False, **{k: np.asarray(v) for k, v in arrays.items()})
    model, class_names, _ = load_model(tmp_path / "before.npz")
    assert (class_names, model.params) == (["ham", "spam"], {})
    np.testing.assert_allclose(model.predict_proba(L)[3], BALANCE)
    assert LabelModel.load(tmp_path / "before.npz").predict(L).shape == (4, 2)

"""A fitted label model as plain arrays, and its predictions. Needs numpy only: this file goes with the model.

Every label model here is additive: each LF's vote (or silence) adds to the score of each class.

    score_ic = base_c + sum_j table[j, L_ij + 1, c]

What differs is the table, and the link that turns scores into probabilities:

    share     P_c = (votes for c + balance_c) / (votes + 1); the balance counts as one vote and breaks ties
    softmax   P = softmax(score), base = log balance
    sigmoid   P_c = 1 / (1 + exp(-score_c)), base = log(balance / (1 - balance)); one question a class
    noisy_or  P_c = 1 - exp(score_c), where score_c is the sum of log(1 - accuracy) of the LFs that vote for c

A row without votes gets the class balance, whatever the link. `decision` makes labels of probabilities:
`argmax` (one class, the first of several equal ones), `thresholds` (each class on its own),
`thresholds_or_best` (the same, and the most probable class where none passes and there are votes) or `knee`
(the classes before the knee of the falling probabilities: Satopää et al. 2011,
https://doi.org/10.1109/ICDCSW.2011.20).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BATCH_ROWS = 50_000


@dataclass(frozen=True)
class FittedModel:
    """A fitted label model for m LFs and k classes.

    Attributes:
        name: the label model's name, such as `majority_vote`.
        link: share, softmax, sigmoid or noisy_or.
        decision: argmax, thresholds, thresholds_or_best or knee.
        balance: float64 (k,), the share of each class; sums to 1 where each row has one class.
        table: float64 (m, k + 1, k): what LF j adds to each class's score when it abstains (first line) or
            votes for class v (line v + 1).
        thresholds: float64 (k,); with thresholds, a class is named where its probability is above this.
        weights: float64 (m,): how far each LF is trusted, for people to read; nan where nothing is known.
        n_epochs: training epochs; 0 for models that are not trained in epochs.
    """

    name: str
    link: str
    decision: str
    balance: Floats
    table: Floats
    thresholds: Floats
    weights: Floats
    n_epochs: int = 0


def predict_proba(model: FittedModel, L: npt.NDArray[Any]) -> Floats:
    """Class probabilities of n rows.

    Args:
        model: a fitted label model.
        L: label matrix (n, m), integers in {-1, 0 … k-1}.

    Returns:
        float64 array (n, k), values in [0, 1]; a row without votes gets the class balance.
    """
    probs = np.empty((len(L), len(model.balance)))
    for start in range(0, len(L), BATCH_ROWS):
        batch = np.asarray(L[start : start + BATCH_ROWS])
        out = _LINKS[model.link](_votes_add(model.table, batch), model.balance)
        out[~(batch >= 0).any(axis=1)] = model.balance
        probs[start : start + BATCH_ROWS] = out
    return probs


def decide(model: FittedModel, probs: Floats) -> npt.NDArray[np.int8]:
    """The classes that probabilities (n, k) name: int8 (n, k), values in {0, 1}."""
    if model.decision.startswith("thresholds"):
        named = (probs > model.thresholds).astype(np.int8)
        if model.decision == "thresholds":
            return named
        bare = ~named.any(axis=1) & (probs != model.balance).any(axis=1)
        named[bare, probs[bare].argmax(axis=1)] = 1
        return named
    count = np.maximum(knees(probs), 1) if model.decision == "knee" else np.ones(len(probs), np.int64)
    order = np.argsort(-probs, axis=1, kind="stable")
    flags = np.zeros(probs.shape, np.int8)
    np.put_along_axis(flags, order, (np.arange(probs.shape[1]) < count[:, None]).astype(np.int8), axis=1)
    return flags


def knees(probs: Floats) -> npt.NDArray[np.int64]:
    """Place of the knee of each row's probabilities, sorted from high to low; 0 where there is none.

    Kneedle for a falling convex curve over the places 0 … k-1, sensitivity 1: scale both axes to [0, 1], take
    the distance of the flipped curve from the diagonal, and accept the first local maximum after which the
    distance falls by a step of the places before it reaches a local minimum.
    """
    n, k = probs.shape
    falling = -np.sort(-probs, axis=1)
    span = falling[:, :1] - falling[:, -1:]
    step = 1.0 / (k - 1)
    height = np.divide(falling[:, :1] - falling, span, out=np.zeros_like(falling), where=span > 0)
    distance = height - np.arange(k) * step
    before, after = distance[:, [0, *range(k - 1)]], distance[:, [*range(1, k), k - 1]]
    is_peak, is_dip = (distance >= before) & (distance >= after), (distance <= before) & (distance <= after)
    knee, peak = np.full(n, -1), np.full(n, -1)  # peak: the maximum being watched, -1 for none
    limit = np.zeros(n)
    for i in range(k - 1):
        peak = np.where(is_peak[:, i], i, peak)
        limit = np.where(is_peak[:, i], distance[:, i] - step, limit)
        peak = np.where(is_dip[:, i], -1, peak)
        found = (knee < 0) & (peak >= 0) & (distance[:, i + 1] < limit)
        knee[found] = peak[found]
    return np.where((knee < 0) | (span[:, 0] <= 0), 0, knee)


def save_model(model: FittedModel, class_names: list[str], lf_names: list[str], path: Path) -> None:
    """Write a model and the names of its classes (k) and LFs (m) as one .npz file without pickles."""
    arrays = {key: np.asarray(value) for key, value in vars(model).items()}
    names = {"class_names": np.array(class_names, np.str_), "lf_names": np.array(lf_names, np.str_)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays, **names)


def load_model(path: Path) -> tuple[FittedModel, list[str], list[str]]:
    """Read what `save_model` wrote: the model, its class names and its LF names."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    class_names, lf_names = arrays.pop("class_names").tolist(), arrays.pop("lf_names").tolist()
    values = {key: value.item() if value.ndim == 0 else value for key, value in arrays.items()}
    return FittedModel(**values), class_names, lf_names


def _votes_add(table: Floats, L: npt.NDArray[Any]) -> Floats:
    """Sum over LFs of what their votes add, (n, k); one LF at a time, so that memory stays at n * k."""
    scores = np.zeros((len(L), table.shape[2]))
    for j in range(table.shape[0]):
        if table[j, 0].any():
            scores += table[j][L[:, j].astype(np.int64) + 1]
        else:
            rows = np.flatnonzero(L[:, j] >= 0)
            scores[rows] += table[j][L[rows, j].astype(np.int64) + 1]
    return scores


def _share(votes: Floats, balance: Floats) -> Floats:
    return np.asarray((votes + balance) / (votes.sum(axis=1, keepdims=True) + 1.0))


def _softmax(scores: Floats, balance: Floats) -> Floats:
    scores = scores + np.log(balance)
    # Without taking off the highest score, many conflicting votes would make this 0 / 0.
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(scores: Floats, balance: Floats) -> Floats:
    scores = scores + np.log(balance) - np.log1p(-balance)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)))


def _noisy_or(scores: Floats, _balance: Floats) -> Floats:
    return np.asarray(0.0 - np.expm1(scores))  # 0.0 - 0.0, as -0.0 is written out with its sign


_LINKS: dict[str, Callable[[Floats, Floats], Floats]] = {
    "share": _share,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "noisy_or": _noisy_or,
}

"""A fitted label model as plain arrays, and its predictions. Needs numpy only: this file goes with the model.

Every label model here is additive: each LF's vote (or silence) adds to the score of each class.

    score_ic = base_c + sum_j table[j, L_ij + 1, c]

What differs is the table, the link that turns scores into probabilities, and the decision that makes labels
of probabilities. A row without votes gets the class balance, whatever the link. A new label model picks its
link and its decision from the functions of this file.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]
BATCH_ROWS = 50_000
LEAST = 1e-9  # probabilities are kept this far from 0 and 1 where evidence is made of them
NO_CALIBRATOR = np.empty((2, 0))

# Scores (n, k) and class balance (k,) → probabilities (n, k).
Link = Callable[[Floats, Floats], Floats]
# Probabilities (n, k), class balance (k,), thresholds (k,) → classes, int8 (n, k), values in {0, 1}.
Decision = Callable[[Floats, Floats, Floats], Flags]


def share(votes: Floats, balance: Floats) -> Floats:
    """P_c = (votes for c + balance_c) / (votes + 1): the balance counts as one vote and breaks ties."""
    return np.asarray((votes + balance) / (votes.sum(axis=1, keepdims=True) + 1.0))


def softmax(scores: Floats, balance: Floats) -> Floats:
    """P = softmax(log balance + score)."""
    scores = scores + np.log(balance)
    # Without taking off the highest score, many conflicting votes would make this 0 / 0.
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def sigmoid(scores: Floats, balance: Floats) -> Floats:
    """P_c = 1 / (1 + exp(-(score_c + log odds of balance_c))): each class is a question of its own."""
    scores = scores + np.log(balance) - np.log1p(-balance)
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * scores)))


def noisy_or(scores: Floats, _balance: Floats) -> Floats:
    """P_c = 1 - exp(score_c): noisy or without a leak, of models that earlier versions wrote."""
    return np.asarray(0.0 - np.expm1(scores))  # 0.0 - 0.0, as -0.0 is written out with its sign


def leaky_or(scores: Floats, balance: Floats) -> Floats:
    """P_c = 1 - (1 - balance_c) exp(score_c): noisy or with a leak, the share of c without votes for it."""
    return np.asarray(1.0 - (1.0 - balance) * np.exp(scores))


def argmax(probs: Floats, _balance: Floats, _thresholds: Floats) -> Flags:
    """The most probable class, the first of several equal ones."""
    return _top(probs, np.ones(len(probs), np.int64))


def thresholds(probs: Floats, _balance: Floats, limits: Floats) -> Flags:
    """Every class that is more probable than its threshold."""
    return (probs > limits).astype(np.int8)


def thresholds_or_best(probs: Floats, balance: Floats, limits: Floats) -> Flags:
    """The same, and the most probable class where none passes and there are votes."""
    return or_best(thresholds(probs, balance, limits), probs, balance)


def knee(probs: Floats, _balance: Floats, _thresholds: Floats) -> Flags:
    """The classes before the knee of the falling probabilities, at least one."""
    return _top(probs, np.maximum(knees(probs), 1))


def evidence(probs: Floats, *, exclusive: bool) -> Floats:
    """What a calibrator scales and shifts, (n, k): logarithms of probabilities, or of odds."""
    if exclusive:
        return np.asarray(np.log(np.maximum(probs, LEAST)))
    probs = np.clip(probs, LEAST, 1 - LEAST)
    return np.asarray(np.log(probs) - np.log1p(-probs))


def calibrated(probs: Floats, calibrator: Floats, *, exclusive: bool) -> Floats:
    """Probabilities (n, k) whose evidence is scaled, or mixed, and shifted.

    Args:
        probs: float64 (n, k), values in [0, 1].
        calibrator: float64 (2, k): a scale and a shift for each class. Or (k + 1, k), of three classes or
            more: how much the evidence of each class (column) counts for each (row); the last row shifts.
        exclusive: whether each row has one class.
    """
    *factors, shift = calibrator
    known = evidence(probs, exclusive=exclusive)
    scores = (known * factors[0] if len(factors) == 1 else known @ np.transpose(factors)) + shift
    return softmax(scores, np.ones(1)) if exclusive else sigmoid(scores, np.full(1, 0.5))


def is_calibrator(values: Floats, k: int) -> bool:
    """Whether an array is a calibrator of k classes: finite, with scales above 0; see `calibrated`."""
    if values.shape == (k + 1, k) and k > 2:
        return bool(np.isfinite(values).all())
    return values.shape == (2, k) and bool(np.isfinite(values).all() and (values[0] > 0).all())


LINKS: dict[str, Link] = {f.__name__: f for f in (share, softmax, sigmoid, noisy_or, leaky_or)}
DECISIONS: dict[str, Decision] = {f.__name__: f for f in (argmax, thresholds, thresholds_or_best, knee)}


@dataclass(frozen=True)
class FittedModel:
    """A fitted label model for m LFs and k classes.

    Attributes:
        name: the label model's name, such as `majority_vote`.
        link: one of LINKS.
        decision: one of DECISIONS.
        balance: float64 (k,), the probability of each class on rows without votes; sums to 1 where each row
            has one class. It is the share of the class, in multilabel its share where no LF votes for it.
        table: float64 (m, k + s + 1, k): what LF j adds to each class's score when it abstains (first line),
            votes for class v (line v + 1) or for one of the classes of set i (line k + i + 1).
        thresholds: float64 (k,); where a decision has thresholds, a class is named above this probability.
        weights: float64 (m,): how far each LF is trusted, for people to read; nan where nothing is known.
        n_epochs: training epochs; 0 for models that are not trained in epochs.
        params: how it was trained, plain values by name.
        sets: s sets of class numbers, for votes that name several classes of which one applies.
        calibrator: float64 (2, k) or (k + 1, k), see `calibrated`; without columns for none.
    """

    name: str
    link: Link
    decision: Decision
    balance: Floats
    table: Floats
    thresholds: Floats
    weights: Floats
    n_epochs: int = 0
    params: Mapping[str, Any] = field(default_factory=dict)
    sets: tuple[tuple[int, ...], ...] = ()
    calibrator: Floats = field(default_factory=NO_CALIBRATOR.copy)

    def predict_proba(self, L: npt.NDArray[Any]) -> Floats:
        """Class probabilities of n rows.

        Args:
            L: label matrix (n, m), integers in {-1, 0 … k + s - 1}; k + i stands for sets[i].

        Returns:
            float64 array (n, k), values in [0, 1]; a row without votes gets the class balance.
        """
        probs = np.empty((len(L), len(self.balance)))
        for start in range(0, len(L), BATCH_ROWS):
            batch = np.asarray(L[start : start + BATCH_ROWS])
            out = self.link(_votes_add(self.table, batch), self.balance)
            if self.calibrator.size:
                out = calibrated(out, self.calibrator, exclusive=self.decision is argmax)
            out[~(batch >= 0).any(axis=1)] = self.balance
            probs[start : start + BATCH_ROWS] = out
        return probs

    def decide(self, probs: Floats) -> Flags:
        """The classes that probabilities (n, k) name: int8 (n, k), values in {0, 1}."""
        return self.decision(probs, self.balance, self.thresholds)


def save_model(model: FittedModel, class_names: list[str], lf_names: list[str], path: Path) -> None:
    """Write a model and the names of its classes (k) and LFs (m) as one .npz file without pickles."""
    values = vars(model) | {
        "link": model.link.__name__,
        "decision": model.decision.__name__,
        "params": json.dumps(dict(model.params)),
        "sets": json.dumps(model.sets),
        "class_names": np.array(class_names, np.str_),
        "lf_names": np.array(lf_names, np.str_),
    }
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{key: np.asarray(value) for key, value in values.items()})


def load_model(path: Path) -> tuple[FittedModel, list[str], list[str]]:
    """Read what `save_model` wrote: the model, its class names and its LF names."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    class_names, lf_names = arrays.pop("class_names").tolist(), arrays.pop("lf_names").tolist()
    values = {key: value.item() if value.ndim == 0 else value for key, value in arrays.items()}
    values |= {
        "link": LINKS[values["link"]],
        "decision": DECISIONS[values["decision"]],
        "params": json.loads(values.get("params", "{}")),  # earlier files have neither of these two
        "sets": tuple(map(tuple, json.loads(values.get("sets", "[]")))),
    }
    return FittedModel(**values), class_names, lf_names


def or_best(flags: Flags, probs: Floats, balance: Floats) -> Flags:
    """The flags (n, k), with the most probable class where a row has none and has votes."""
    flags = flags.copy()
    bare = ~flags.any(axis=1) & (probs != balance).any(axis=1)
    flags[bare, probs[bare].argmax(axis=1)] = 1
    return flags


def knees(probs: Floats) -> npt.NDArray[np.int64]:
    """Place of the knee of each row's probabilities, sorted from high to low; 0 where there is none.

    Satopää et al. (2011), https://doi.org/10.1109/ICDCSW.2011.20.
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
    place, peak = np.full(n, -1), np.full(n, -1)  # peak: the maximum being watched, -1 for none
    limit = np.zeros(n)
    for i in range(k - 1):
        peak = np.where(is_peak[:, i], i, peak)
        limit = np.where(is_peak[:, i], distance[:, i] - step, limit)
        peak = np.where(is_dip[:, i], -1, peak)
        found = (place < 0) & (peak >= 0) & (distance[:, i + 1] < limit)
        place[found] = peak[found]
    return np.where((place < 0) | (span[:, 0] <= 0), 0, place)


def _top(probs: Floats, count: npt.NDArray[np.int64]) -> Flags:
    """The `count` (n,) most probable classes of each row."""
    order = np.argsort(-probs, axis=1, kind="stable")
    flags = np.zeros(probs.shape, np.int8)
    chosen = (np.arange(probs.shape[1]) < count[:, None]).astype(np.int8)
    np.put_along_axis(flags, order, chosen, axis=1)
    return flags


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

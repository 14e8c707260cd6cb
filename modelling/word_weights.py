"""Why a linear model answers as it does: what each word adds to the log-odds, exactly.

Only models whose log-odds are a sum over the numbers that they read have such an answer: logistic regression,
and the linear support vector machine, whose scores Platt's calibration maps to log-odds by a straight line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.features.hashing_encoder import DIMENSIONS
from adaptml.features.hashing_words import word_shares
from modelling.algorithms import EndModel
from modelling.reading_one import OnePoint

Floats = npt.NDArray[np.float64]
SPELLING_FIRST = ("hashing", "hybrid")  # encoders whose vectors begin with the numbers of `hashing`


@dataclass(frozen=True)
class Added:
    """What something adds to the log-odds: a word of a text, a feature, or what all points have."""

    name: str
    value: float


@dataclass(frozen=True)
class WordWeights:
    """The log-odds of a class as a sum.

    Attributes:
        column: the column of the text.
        words: the text's words in their order, each with what it adds.
        others: what all else adds: the constant, features that are no spelling.
        total: the log-odds, which is the sum of all of these.
    """

    column: str
    words: Sequence[Added]
    others: Sequence[Added]
    total: float


@dataclass(frozen=True, eq=False)
class LinearScore:
    """log-odds = weights · x + constant.

    Attributes:
        weights: float64 (d,).
        constant: what is added for every point.
        against: position of the class that it is weighed against; None for all others together.
        exact: whether the probabilities of the model have these very log-odds. Those of a support vector
            machine of three classes or more are scaled to sum to 1 afterwards.
    """

    weights: Floats
    constant: float
    against: int | None
    exact: bool = True


def linear_score(model: EndModel, c: int, probs: Floats) -> LinearScore | None:
    """The log-odds of class c as a linear function, or None where the model has none.

    In a multiclass logistic regression they are against the next probable class, otherwise against all else.

    Args:
        model: a fitted end model.
        c: position of a class.
        probs: what the model says of the point, float64 (k,). Votes are its last numbers, if it takes any.
    """
    if model.base_model is not None:  # it also reads what another model says
        return None
    if all(isinstance(part, float) for part in model.parts_):  # nothing was trained
        return None
    score = _before_calibrating(model, c, probs)
    if score is None or model.calibrator_ is None:
        return score
    if len(model.calibrator_) > 2:
        return _mixed(model, score, c)
    return _moved(score, c, model.calibrator_)


def _moved(score: LinearScore, c: int, calibrator: Floats) -> LinearScore:
    """The same after calibrating: log-odds are scaled, and shifted by what the classes are shifted apart."""
    scale, shift = calibrator
    apart = float(shift[c] - (0 if score.against is None else shift[score.against]))
    return replace(score, weights=scale[c] * score.weights, constant=float(scale[c]) * score.constant + apart)


def _mixed(model: EndModel, score: LinearScore, c: int) -> LinearScore | None:
    """The same where the evidence of all classes counts: a sum of the log-odds of each against one of them.

    How much they count sums to 0 over the classes (`adaptml.calibrating.fit_mixing`), so it does not matter
    which one that is. None where the model does not know all classes, or is no logistic regression.
    """
    if score.against is None or model.calibrator_ is None:
        return None
    part = model.parts_[0]
    if len(part.classes_) < model.k_ or not _is_logistic(part):
        return None
    *rows, shift = model.calibrator_
    counts, apart = rows[c] - rows[score.against], float(shift[c] - shift[score.against])
    each = [_pair(part, other, score.against) for other in range(model.k_)]
    return replace(
        score,
        weights=sum(count * one.weights for count, one in zip(counts, each, strict=True)),
        constant=apart + sum(float(count) * one.constant for count, one in zip(counts, each, strict=True)),
    )


def _before_calibrating(model: EndModel, c: int, probs: Floats) -> LinearScore | None:
    if not model.problem.exclusive:
        if len(model.parts_) < model.k_ or isinstance(model.parts_[c], float):
            return None
        return _binary(model.parts_[c])
    part = model.parts_[0]
    known = [int(name) for name in part.classes_]
    if c not in known:
        return None
    if len(known) == 2:
        found = _binary(part)
        other = known[1 - known.index(c)]
        if found is None:
            return None
        sign = 1 if known[1] == c else -1
        return LinearScore(sign * found.weights, sign * found.constant, other)
    return _of_many(part, known, c, probs)


def word_weights(score: LinearScore, point: OnePoint) -> WordWeights | None:
    """What each word of a point's text adds; None where no text of it is read by its spelling.

    Args:
        score: of the model and the class.
        point: what the model reads of the point. Of several texts, the words of the first are told singly.
    """
    words: list[Added] | None = None
    column, others = "", [Added("constant, the same for every point", score.constant)]
    start = 0
    for block in point.blocks:
        parts = score.weights[start : start + len(block.numbers)] * block.numbers.astype(np.float64)
        start += len(block.numbers)
        if words is None and block.text is not None and block.encoder.split(":")[0] in SPELLING_FIRST:
            column, words = block.column, _words(parts[:DIMENSIONS], block.text)
            if len(parts) > DIMENSIONS:
                others.append(Added(f"{block.feature}: meaning", float(parts[DIMENSIONS:].sum())))
        else:
            others.append(Added(str(block.feature), float(parts.sum())))
    if words is None:
        return None
    total = sum(one.value for one in (*words, *others))
    return WordWeights(column, words, others, total)


def _words(parts: Floats, text: str) -> list[Added]:
    found = word_shares(text)
    if not found.words:
        return []
    values = found.shares @ parts
    return [Added(word, float(value)) for word, value in zip(found.words, values, strict=True)]


def _binary(part: Any) -> LinearScore | None:
    """Log-odds of the second of two classes."""
    if _is_logistic(part):
        return LinearScore(np.asarray(part.coef_[0], np.float64), float(part.intercept_[0]), None)
    svm = _svm(part)
    return None if svm is None else _calibrated(*svm, 0)


def _of_many(part: Any, known: Sequence[int], c: int, probs: Floats) -> LinearScore | None:
    place = known.index(c)
    if _is_logistic(part):
        other = max((name for name in known if name != c), key=lambda name: probs[name])
        return replace(_pair(part, place, known.index(other)), against=other)
    svm = _svm(part)
    return None if svm is None else _calibrated(*svm, place, exact=False)


def _pair(part: Any, place: int, against: int) -> LinearScore:
    """Log-odds of one of three classes or more against another, by their places in a logistic regression."""
    coefficients, intercepts = np.asarray(part.coef_, np.float64), part.intercept_
    weights = coefficients[place] - coefficients[against]
    return LinearScore(weights, float(intercepts[place] - intercepts[against]), against)


def _calibrated(svm: Any, calibrators: Sequence[Any], place: int, *, exact: bool = True) -> LinearScore:
    """Platt's sigmoid, 1 / (1 + exp(a f + b)): log-odds = -a f - b, of f = w · x + i."""
    a, b = float(calibrators[place].a_), float(calibrators[place].b_)
    weights, intercept = np.asarray(svm.coef_[place], np.float64), float(svm.intercept_[place])
    return LinearScore(-a * weights, -a * intercept - b, None, exact)


def _is_logistic(part: Any) -> bool:
    from sklearn.linear_model import LogisticRegression

    return isinstance(part, LogisticRegression)


def _svm(part: Any) -> tuple[Any, Sequence[Any]] | None:
    """The support vector machine inside of a calibration by a sigmoid, and its calibrators."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import LinearSVC

    if not isinstance(part, CalibratedClassifierCV) or len(part.calibrated_classifiers_) != 1:
        return None
    inside = part.calibrated_classifiers_[0]
    if not isinstance(inside.estimator, LinearSVC) or inside.method != "sigmoid":
        return None
    return inside.estimator, inside.calibrators

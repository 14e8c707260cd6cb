"""Why a linear model answers as it does: what each word adds to the log-odds, exactly.

Only models whose log-odds are a sum over the numbers that they read have such an answer: logistic regression,
and the linear support vector machine, whose scores Platt's calibration maps to log-odds by a straight line.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.features.hashing_encoder import HASHED
from adaptml.features.hashing_words import word_shares
from modelling.algorithms import EndModel
from modelling.algorithms.core import LABEL_MODEL
from modelling.reading_one import OnePoint

Floats = npt.NDArray[np.float64]
_CONSTANT = "constant, the same for every point"
_SMALLEST, _ROUNDING = 1e-12, 1e-4  # probability; log-odds
_REST = "the rest of the answer, in which no word has a part"
# Encoders whose vectors begin with the hashed numbers of `hashing`, and what those behind them are about.
NOT_OF_WORDS = {"hashing": "form", "hybrid": "form and meaning"}


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
        has_rest: whether a part of it is no sum over words, as of several models that answer together.
    """

    column: str
    words: Sequence[Added]
    others: Sequence[Added]
    total: float
    has_rest: bool = False


@dataclass(frozen=True, eq=False)
class LinearScore:
    """log-odds = weights · x + constant.

    Attributes:
        weights: float64 (d,).
        constant: what is added for every point.
        against: position of the class that it is weighed against; None for all others together.
        exact: whether the probabilities of the model have these very log-odds. Those of a support vector
            machine of three classes or more are scaled to sum to 1 afterwards.
        of_row: whether the constant is that of one point.
    """

    weights: Floats
    constant: float
    against: int | None
    exact: bool = True
    of_row: bool = False


def linear_score(model: EndModel, c: int, probs: Floats, row: npt.NDArray[Any]) -> LinearScore | None:
    """The log-odds of class c as a linear function, or None where the model has none.

    In a multiclass logistic regression they are against the next probable class, otherwise against all else.
    That of an ensemble is the weighted mean of its members'. What a model reads of another one is a sum too,
    but for what makes the other's probabilities sum to 1, which goes into the constant of this row.

    Args:
        model: a fitted end model.
        c: position of a class.
        probs: what is said of the point, float64 (k,): the most probable other class is weighed against.
        row: what the model reads of the point, (d,); if it takes votes, their log-odds come last.
    """
    if model.members_:
        return _mean_score(model, c, probs, row)
    if model.algorithm == LABEL_MODEL:
        return _of_votes(model, c, probs, len(row))
    if all(isinstance(part, float) for part in model.parts_):  # nothing was trained
        return None
    score = _of_own_numbers(model, c, probs)
    if score is None:  # as of texts, too
        return None
    row = row.astype(np.float64)
    k, n_votes = model.k_, model.k_ if model.takes_votes else 0
    d = len(row) - n_votes
    weights, heard = score.weights[:d], model.vote_scale * score.weights[len(score.weights) - n_votes :]
    if model.base_model is None:
        return replace(score, weights=np.concatenate([weights, heard]))
    counts, base = model.scale * score.weights[d : d + k], _class_weights(model.base_model)
    if base is None or model.base_model.calibrator_ is not None:
        return None
    whole = np.concatenate([weights + counts @ base, heard])
    total = _answer(model, c, score.against, row)
    return replace(score, weights=whole, constant=total - float(whole @ row), of_row=True)


def _of_votes(model: EndModel, c: int, probs: Floats, d: int) -> LinearScore:
    """Of the label model itself: the log-odds of the votes, which come last of d numbers, are its own."""
    weights, heard = np.zeros(d), d - model.k_
    weights[heard + c] = 1
    if not model.problem.exclusive:
        limit = float(model.parts_[c])
        return LinearScore(weights, math.log(1 - limit) - math.log(limit), None)
    against = max((name for name in range(model.k_) if name != c), key=lambda name: probs[name])
    weights[heard + against] = -1
    return LinearScore(weights, 0.0, against)


def _answer(model: EndModel, c: int, against: int | None, row: Floats) -> float:
    """The log-odds of class c in what a model says of a row."""
    X, d = row[None].astype(np.float32), len(row) - (model.k_ if model.takes_votes else 0)
    probs = model.predict_proba(X[:, :d], X[:, d:] if model.takes_votes else None)[0]
    other = 1 - probs[c] if against is None else probs[against]
    return math.log(max(probs[c], _SMALLEST)) - math.log(max(other, _SMALLEST))


def _mean_score(model: EndModel, c: int, probs: Floats, row: npt.NDArray[Any]) -> LinearScore | None:
    n_votes = model.k_ if model.takes_votes else 0
    scores = []
    for one in model.members_:
        without = n_votes if not one.takes_votes else 0
        found = linear_score(one, c, probs, row[: len(row) - without])
        if found is None:
            return None
        scores.append(replace(found, weights=np.concatenate([found.weights, np.zeros(without)])))
    if len({one.against for one in scores}) > 1:
        return None
    weights = model.member_weights_ @ [one.weights for one in scores]
    constant = float(model.member_weights_ @ [one.constant for one in scores])
    exact, of_row = all(one.exact for one in scores), any(one.of_row for one in scores)
    mean = LinearScore(weights, constant, scores[0].against, exact, of_row)
    # What a member is very sure of counts no more than the ensemble lets it.
    added = float(weights @ row.astype(np.float64)) + constant
    cut = _answer(model, c, mean.against, row) - added if exact else 0.0
    return mean if abs(cut) < _ROUNDING else replace(mean, constant=constant + cut, of_row=True)


def _class_weights(model: EndModel) -> Floats | None:
    """The weights of each class in a logistic regression, (k, d), of which only differences count."""
    if model.base_model is not None or not all(map(_is_known, model.parts_)):
        return None
    fitted = [part for part in model.parts_ if not isinstance(part, float)]
    if not fitted or (len(model.parts_) < model.k_ and not model.problem.exclusive):
        return None
    weights = np.zeros((model.k_, fitted[0].coef_.shape[1]))
    if not model.problem.exclusive:
        for place, part in enumerate(model.parts_):
            weights[place] = 0 if isinstance(part, float) else part.coef_[0]
        return weights
    known = [int(name) for name in fitted[0].classes_]
    weights[known] = fitted[0].coef_ if len(known) > 2 else np.vstack([-fitted[0].coef_, fitted[0].coef_]) / 2
    weights[known] -= weights[known].mean(axis=0)
    return weights


def _is_known(part: Any) -> bool:
    return isinstance(part, float) or _is_logistic(part)


def _of_own_numbers(model: EndModel, c: int, probs: Floats) -> LinearScore | None:
    """The same of all numbers that its classifiers read, other models' and votes' as they are scaled."""
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
    column, others = "", [Added(_REST if score.of_row else _CONSTANT, score.constant)]
    start = 0
    for block in point.blocks:
        parts = score.weights[start : start + len(block.numbers)] * block.numbers.astype(np.float64)
        start += len(block.numbers)
        kind = block.encoder.split(":")[0]
        if words is None and block.text is not None and kind in NOT_OF_WORDS:
            column, words = block.column, _words(parts[:HASHED], block.text)
            if len(parts) > HASHED:
                others.append(Added(f"{block.feature}: {NOT_OF_WORDS[kind]}", float(parts[HASHED:].sum())))
        else:
            others.append(Added(str(block.feature), float(parts.sum())))
    if words is None:
        return None
    total = sum(one.value for one in (*words, *others))
    return WordWeights(column, words, others, total, score.of_row)


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

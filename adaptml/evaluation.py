"""Metrics that say how well predicted labels and probabilities fit the true labels.

One function for each problem type. What each metric means:

A metric that has no value for the data at hand (0/0) is left out of the result: no metric is ever NaN,
and none is 0 because nothing could be counted. In the averages over classes,

* `_macro` is the plain mean over the classes where the metric is defined, with one exception:
  a class that has true rows but was never predicted counts as precision 0 (the value that
  scikit-learn calls `zero_division=0`), so that never naming a class is not rewarded;
* `_weighted` is the mean over classes weighted by their true rows, with the same exception;
* `_micro` counts all decisions of all classes together (multilabel only);
* `_samples` (multilabel) is the mean over rows. A row with no true and no predicted label counts as 1.0;
  a row with only one of the two counts as 0.0.

`precision/<class>` and its like are the metrics of one class. In a two-class task with a positive class,
`specificity`, `fall_out`, `miss_rate`, `roc_auc` and `average_precision` (no suffix) are those of that class.

Formulas: Sokolova & Lapalme (2009), https://doi.org/10.1016/j.ipm.2009.03.002, for precision, recall, F1 and
specificity; fall-out = 1 - specificity, miss rate = 1 - recall. Matthews correlation: Gorodkin (2004),
https://doi.org/10.1016/j.compbiolchem.2004.09.006. DCG: see `_dcg`. ROC-AUC and average precision are
scikit-learn's, each class against the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


def evaluate_multiclass(
    class_names: Sequence[str],
    y_true: Indicator,
    y_pred: Indicator,
    probs: Floats | None = None,
    positive: str | None = None,
) -> dict[str, float]:
    """Compare predictions with the truth where each point has exactly one class.

    Where two metrics are the same number whatever the data, one is reported: accuracy (also the micro
    averages and the weighted recall), balanced_accuracy (also recall_macro), dcg (also ndcg).

    Args:
        class_names: the k class names, in column order.
        y_true: (n, k), values in {0, 1}, exactly one 1 a row.
        y_pred: as y_true.
        probs: (n, k), values in [0, 1], rows sum to 1. None leaves out the metrics that need it: ROC-AUC,
            average precision, log loss and DCG.
        positive: the positive class of two.

    Returns:
        Metrics by name. Names are valid MLflow metric names. Every value is finite. No rows, no metrics.

    Raises:
        ValueError: if shapes or values are not as above.

    Example:
        >>> truth = np.array([[1, 0], [0, 1]], dtype=np.int8)
        >>> evaluate_multiclass(["ham", "spam"], truth, truth)["accuracy"]
        1.0
    """
    _check(class_names, y_true, y_pred, probs, exclusive=True)
    if positive is not None and not (len(class_names) == 2 and positive in class_names):
        raise ValueError(f"positive class {positive!r} needs a multiclass task of two classes that has it")
    if len(y_true) == 0:
        return {}
    counts = Counts.of(y_true, y_pred)
    column = None if positive is None else list(class_names).index(positive)
    found = _multiclass(counts, y_true, y_pred, probs, column)
    per_class = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}
    return _named(found, per_class, class_names)


def evaluate_multilabel(
    class_names: Sequence[str], y_true: Indicator, y_pred: Indicator, probs: Floats | None = None
) -> dict[str, float]:
    """Compare predictions with the truth where a point has any number of classes.

    recall_weighted is not reported: it is recall_micro whatever the data.

    Args:
        class_names: the k class names, in column order.
        y_true: (n, k), values in {0, 1}.
        y_pred: as y_true.
        probs: (n, k), values in [0, 1]; None leaves out the metrics that need it.

    Returns:
        As `evaluate_multiclass`.

    Raises:
        ValueError: if shapes or values are not as above.
    """
    _check(class_names, y_true, y_pred, probs, exclusive=False)
    if len(y_true) == 0:
        return {}
    counts = Counts.of(y_true, y_pred)
    return _named(*_multilabel(counts, y_true, y_pred, probs), class_names)


def _named(
    found: dict[str, float], per_class: Mapping[str, Floats], class_names: Sequence[str]
) -> dict[str, float]:
    """All metrics that are defined, those of single classes as `precision/<class>`."""
    for metric, values in per_class.items():
        found |= {f"{metric}/{name}": v for name, v in zip(metric_names(class_names), values, strict=True)}
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _check(
    class_names: Sequence[str], y_true: Indicator, y_pred: Indicator, probs: Floats | None, *, exclusive: bool
) -> None:
    for name, matrix in (("y_true", y_true), ("y_pred", y_pred)):
        _check_indicator(name, matrix, len(class_names), one_per_row=exclusive)
    if len(y_true) != len(y_pred):
        raise ValueError(f"y_true has {len(y_true)} rows and y_pred {len(y_pred)}; expected as many")
    if probs is not None:
        _check_probs(probs, y_true.shape, sums_to_one=exclusive)


def metric_names(class_names: Sequence[str]) -> list[str]:
    """Class names as parts of MLflow metric names: other signs become `_`, doubles get their position."""
    cleaned = [re.sub(r"[^\w\- ]", "_", name)[:100] for name in class_names]
    return [f"{name}:{i}" if cleaned.count(name) > 1 else name for i, name in enumerate(cleaned)]


@dataclass(frozen=True)
class Counts:
    """Right and wrong decisions per class, each an int64 array (k,); metrics are NaN where they are 0/0."""

    tp: npt.NDArray[np.int64]
    fp: npt.NDArray[np.int64]
    fn: npt.NDArray[np.int64]
    tn: npt.NDArray[np.int64]

    @classmethod
    def of(cls, y_true: Indicator, y_pred: Indicator) -> "Counts":
        """Count the decisions of two indicator matrices (n, k)."""
        true, pred = y_true.astype(bool), y_pred.astype(bool)
        return cls(
            tp=(true & pred).sum(axis=0),
            fp=(~true & pred).sum(axis=0),
            fn=(true & ~pred).sum(axis=0),
            tn=(~true & ~pred).sum(axis=0),
        )

    @property
    def support(self) -> npt.NDArray[np.int64]:
        """True rows per class."""
        return self.tp + self.fn

    @property
    def precision(self) -> Floats:
        """Share of the rows predicted as the class that are of it."""
        return _ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> Floats:
        """Share of the class's true rows that were predicted as it."""
        return _ratio(self.tp, self.support)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall; 0 where the class occurs but is never right."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def specificity(self) -> Floats:
        """Share of the rows that are not of the class that were not predicted as it."""
        return _ratio(self.tn, self.tn + self.fp)

    @property
    def mcc(self) -> Floats:
        """Matthews correlation of each class against the rest."""
        tp, fp, fn, tn = (np.asarray(c, dtype=np.float64) for c in (self.tp, self.fp, self.fn, self.tn))
        return _ratio(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def _multiclass(
    counts: Counts, y_true: Indicator, y_pred: Indicator, probs: Floats | None, positive: int | None
) -> dict[str, float]:
    metrics = {
        "accuracy": counts.tp.sum() / len(y_true),
        "balanced_accuracy": _mean(counts.recall),
        "precision_macro": _mean(_precision_of_seen(counts)),
        "precision_weighted": _weighted(_precision_of_seen(counts), counts.support),
        "f1_macro": _mean(counts.f1),
        "f1_weighted": _weighted(counts.f1, counts.support),
        "mcc": _multiclass_mcc(y_true, y_pred),
    }
    if positive is not None:
        metrics |= {
            "specificity": counts.specificity[positive],
            "fall_out": 1 - counts.specificity[positive],
            "miss_rate": 1 - counts.recall[positive],
        }
    elif y_true.shape[1] > 2:  # with two classes these are balanced_accuracy and 1 - balanced_accuracy
        metrics |= _rates_macro(counts)
    if probs is not None:
        metrics |= _of_ranking(y_true, probs, positive)
        metrics["log_loss"] = _log_loss(y_true, probs / probs.sum(axis=1, keepdims=True)).sum() / len(y_true)
        metrics["dcg"] = _mean(_dcg(y_true, probs))
    return metrics


def _multilabel(
    counts: Counts, y_true: Indicator, y_pred: Indicator, probs: Floats | None
) -> tuple[dict[str, float], dict[str, Floats]]:
    pooled = Counts(*(c.sum(keepdims=True) for c in (counts.tp, counts.fp, counts.fn, counts.tn)))
    metrics = {
        "subset_accuracy": float((y_true == y_pred).all(axis=1).mean()),
        "hamming_loss": float((y_true != y_pred).mean()),
        "balanced_accuracy_macro": _mean((counts.recall + counts.specificity) / 2),
        "precision_micro": pooled.precision[0],
        "precision_macro": _mean(_precision_of_seen(counts)),
        "precision_weighted": _weighted(_precision_of_seen(counts), counts.support),
        "recall_micro": pooled.recall[0],
        "recall_macro": _mean(counts.recall),
        "f1_micro": pooled.f1[0],
        "f1_macro": _mean(counts.f1),
        "f1_weighted": _weighted(counts.f1, counts.support),
        "mcc_macro": _mean(counts.mcc),
    }
    metrics |= _samples(y_true, y_pred) | _rates_macro(counts)
    per_class = {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1, "mcc": counts.mcc}
    if probs is not None:
        metrics |= _of_ranking(y_true, probs, None)
        per_class |= {
            "roc_auc": _roc_auc(y_true, probs),
            "average_precision": _average_precision(y_true, probs),
        }
        both = _log_loss(y_true, probs) + _log_loss(1 - y_true, 1 - probs)
        metrics["log_loss"] = both.sum() / y_true.size
        if y_true.shape[1] > 1:  # one class has no order
            gain = _dcg(y_true, probs)
            metrics |= {"dcg": _mean(gain), "ndcg": _mean(gain / _dcg(y_true, y_true))}
    return metrics, per_class


def _samples(y_true: Indicator, y_pred: Indicator) -> dict[str, float]:
    rows = Counts.of(y_true.T, y_pred.T)
    empty = (rows.support == 0) & (rows.tp + rows.fp == 0)
    return {
        f"{name}_samples": float(np.where(empty, 1.0, np.nan_to_num(values, nan=0.0)).mean())
        for name, values in (("precision", rows.precision), ("recall", rows.recall), ("f1", rows.f1))
    }


def _rates_macro(counts: Counts) -> dict[str, float]:
    return {
        "specificity_macro": _mean(counts.specificity),
        "fall_out_macro": 1 - _mean(counts.specificity),
        "miss_rate_macro": 1 - _mean(counts.recall),
    }


def _of_ranking(y_true: Indicator, probs: Floats, positive: int | None) -> dict[str, float]:
    auc, precision = _roc_auc(y_true, probs), _average_precision(y_true, probs)
    if positive is not None:
        return {"roc_auc": auc[positive], "average_precision": precision[positive]}
    return {"roc_auc_macro": _mean(auc), "average_precision_macro": _mean(precision)}


def _precision_of_seen(counts: Counts) -> Floats:
    """Precision with 0 for a class that has true rows but was never predicted."""
    return np.where((counts.support > 0) & (counts.tp + counts.fp == 0), 0.0, counts.precision)


def _multiclass_mcc(y_true: Indicator, y_pred: Indicator) -> float:
    """Correlate two one-hot matrices (Gorodkin's R_K); NaN where either has one class only."""
    true = y_true - y_true.mean(axis=0)
    pred = y_pred - y_pred.mean(axis=0)
    if (y_true == y_true[0]).all() or (y_pred == y_pred[0]).all():
        return float("nan")
    return float((true * pred).sum() / np.sqrt((true * true).sum() * (pred * pred).sum()))


def _roc_auc(y_true: Indicator, probs: Floats) -> Floats:
    """ROC-AUC per class (k,), NaN where the truth has only one of the two sides."""
    from sklearn.metrics import roc_auc_score

    classes = zip(y_true.T, probs.T, strict=True)
    return np.array([roc_auc_score(t, p) if 0 < t.sum() < len(t) else np.nan for t, p in classes])


def _average_precision(y_true: Indicator, probs: Floats) -> Floats:
    """Average precision per class (k,), NaN for a class without true rows."""
    from sklearn.metrics import average_precision_score

    classes = zip(y_true.T, probs.T, strict=True)
    return np.array([average_precision_score(t, p) if t.any() else np.nan for t, p in classes])


def _log_loss(y_true: Indicator, probs: Floats) -> Floats:
    """-log of the probability where y_true is 1, else 0; (n, k). No probability counts less than 2.2e-16."""
    losses: Floats = -np.log(np.clip(probs, np.finfo(np.float64).eps, 1.0)) * y_true
    return losses


def _dcg(relevance: Indicator, scores: npt.NDArray[np.float64 | np.int8]) -> Floats:
    """Discounted cumulative gain of each row that has a relevant class, NaN for the others; (n,).

    Classes are ordered by falling score; a true class at place r adds 1 / log2(r + 1): Järvelin & Kekäläinen
    (2002), https://doi.org/10.1145/582415.582418. Classes with one score share the mean of their discounts:
    McSherry & Najork (2008), https://doi.org/10.1007/978-3-540-78646-7_38.
    """
    from scipy.stats import rankdata

    first = rankdata(-np.asarray(scores, dtype=np.float64), method="min", axis=1).astype(np.int64)
    last = rankdata(-np.asarray(scores, dtype=np.float64), method="max", axis=1).astype(np.int64)
    until = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, scores.shape[1] + 2)))])
    discount = (until[last] - until[first - 1]) / (last - first + 1)
    return np.where(relevance.any(axis=1), (relevance * discount).sum(axis=1), np.nan)


def _ratio(above: npt.NDArray[np.number], below: npt.NDArray[np.number]) -> Floats:
    out = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=out, where=below != 0)
    return out


def _mean(values: Floats) -> float:
    return float(values[~np.isnan(values)].mean()) if not np.isnan(values).all() else float("nan")


def _weighted(values: Floats, weights: npt.NDArray[np.int64]) -> float:
    used = weights > 0
    return float(np.average(values[used], weights=weights[used])) if used.any() else float("nan")


def _check_indicator(name: str, matrix: Indicator, k: int, *, one_per_row: bool) -> None:
    if matrix.ndim != 2 or matrix.shape[1] != k:
        raise ValueError(f"{name} has shape {matrix.shape}; expected (n, {k}): one column per class")
    if not np.isin(matrix, (0, 1)).all():
        raise ValueError(f"{name} has values other than 0 and 1")
    if one_per_row and (matrix.sum(axis=1) != 1).any():
        raise ValueError(f"{name} has rows without exactly one class, which a multiclass task needs")


def _check_probs(probs: Floats, shape: tuple[int, ...], *, sums_to_one: bool) -> None:
    if probs.shape != shape:
        raise ValueError(f"probs has shape {probs.shape}; expected {shape}")
    if not ((probs >= 0) & (probs <= 1)).all():
        raise ValueError("probs has values outside 0 to 1, or NaN")
    if sums_to_one and not np.allclose(probs.sum(axis=1), 1, atol=1e-3):
        raise ValueError("probs has rows that do not sum to 1, which a multiclass task needs")

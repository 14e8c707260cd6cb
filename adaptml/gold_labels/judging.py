"""The part of gold that judges: kept from the people who write rules, and named by itself in the figures."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adaptml.bootstrap import bootstrap_means, interval
from adaptml.labelled import Labelled
from adaptml.tasks import ProblemType

MIN_TUNE = 10  # gold points without which rules are judged on all of them
MIN_JUDGE = 30  # below, an interval says nothing


def tuning_part(gold: Labelled | None) -> Labelled | None:
    """The gold points that people look at while they write rules; the others judge, and are counted.

    All of them where the task's gold has fewer than `MIN_TUNE` points in either part, and where gold is a
    frame that somebody named.
    """
    if gold is None or gold.judges is None:
        return gold
    n_judge = int(gold.judges.sum())
    if min(n_judge, len(gold) - n_judge) < MIN_TUNE:
        return gold
    return replace(gold.take(~gold.judges), set_aside=n_judge)


def judge_metrics(
    problem: ProblemType,
    judges: npt.NDArray[np.bool_] | None,
    Y: npt.NDArray[np.int8],
    predicted: npt.NDArray[np.int8],
    prefix: str,
) -> dict[str, float]:
    """The problem's measure on the gold points that judge, which no rule was written on.

    Args:
        problem: multiclass or multilabel.
        judges: which points judge, bool (n,); None where gold has no parts.
        Y: their true classes, int8 (n, k).
        predicted: what a model that has not seen them says, int8 (n, k).
        prefix: what the metrics' names begin with.

    Returns:
        `<prefix>_judge_points`, `…_<measure>`, and `…_low`, `…_high`, the percentile bootstrap's 95 %
        interval over points (`adaptml.bootstrap`); nothing below `MIN_JUDGE` points.
    """
    if judges is None or judges.sum() < MIN_JUDGE:
        return {}
    scores = problem.scores(Y[judges], predicted[judges])
    low, high = interval(bootstrap_means(scores, seed=0))
    name = f"{prefix}_judge"
    return {
        f"{name}_points": float(len(scores)),
        f"{name}_{problem.measure}": float(scores.mean()),
        f"{name}_low": low,
        f"{name}_high": high,
    }


def judge_sentence(problem: ProblemType, metrics: dict[str, float], prefix: str) -> str:
    """Those metrics for people; empty where there are none."""
    name = f"{prefix}_judge"
    if f"{name}_{problem.measure}" not in metrics:
        return ""
    value, low, high = (metrics[f"{name}_{end}"] for end in (problem.measure, "low", "high"))
    points = metrics[f"{name}_points"]
    return f"; on the {points:.0f} points that only judge {value:.3f} ({low:.3f} to {high:.3f})"

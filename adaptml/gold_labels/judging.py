"""The part of gold that judges: kept from the people who write rules, and named by itself in the figures."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from adaptml.labelled import Labelled
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of

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
    metric: Metric,
    judges: npt.NDArray[np.bool_] | None,
    Y: npt.NDArray[np.int8],
    said: Outcome,
    prefix: str,
) -> dict[str, float]:
    """The task's metric, and the plain measure, on the gold points that judge, which no rule was written on.

    Args:
        metric: what the task's models are compared by.
        judges: which points judge, bool (n,); None where gold has no parts.
        Y: their true classes, int8 (n, k).
        said: what a model that has not seen them says of them.
        prefix: what the metrics' names begin with.

    Returns:
        `<prefix>_judge_points`, and of each metric `<prefix>_judge_<metric>`, `…_low` and `…_high`, the ends
        of its 95 % interval; nothing below `MIN_JUDGE` points.
    """
    if judges is None or judges.sum() < MIN_JUDGE:
        return {}
    name, truth, part = f"{prefix}_judge", Y[judges], said.rows(judges)
    found = {f"{name}_points": float(len(truth))}
    for one in (accuracy_of(metric.problem), metric):
        low, high = one.interval(truth, part)
        key = f"{name}_{one.logged}"
        found |= {key: one.value(truth, part), f"{key}_low": low, f"{key}_high": high}
    return found


def judge_sentence(metric: Metric, metrics: Mapping[str, float], prefix: str) -> str:
    """The metric on them for people; empty where there is none."""
    name = f"{prefix}_judge_{metric.logged}"
    if name not in metrics:
        return ""
    value, low, high = (metrics[f"{name}{end}"] for end in ("", "_low", "_high"))
    points = metrics[f"{prefix}_judge_points"]
    return (
        f"; on the {points:.0f} points that only judge {metric.title} {value:.3f} ({low:.3f} to {high:.3f})"
    )

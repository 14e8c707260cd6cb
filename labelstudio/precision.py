"""How many more points or people would make alpha's interval as narrow as is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from labelstudio.ability import models_of
from labelstudio.alpha import Alpha, alphas_of_draws
from labelstudio.dawid_skene import Estimate, estimate
from labelstudio.label_sets import Codes, Distance, Ratings

WIDTH = 0.1
MAX_PEOPLE = 10  # as many more annotators a point are looked at
_SIMULATIONS = 200
_SIMULATED_POINTS = 300
_CHUNK_LABELS = 2_000  # drawn at once: as many label sets may differ, and each pair of them has a distance


@dataclass(frozen=True)
class Precision:
    """What would make alpha's 95 % interval at most as wide as is wanted.

    Attributes:
        wanted: the width that was asked for.
        width: the interval's width now; None where it is not known.
        more_points: points to annotate in addition, by as many people each as now; None where the width now
            is not known.
        more_people: people to annotate the same points in addition; None where `MAX_PEOPLE` more do not do.
    """

    wanted: float
    width: float | None
    more_points: int | None
    more_people: int | None


def precision(
    alpha: Alpha, ratings: Ratings, distance: Distance, exclusive: bool, wanted: float, seed: int
) -> Precision:
    """How many more points or people bring alpha's interval within a width.

    Points: alpha is a ratio of means over n points, so that its variance goes as 1/n and its interval's width
    w as 1/√n (Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 6): n·(w / wanted)² points
    are enough.

    People: how the width goes with the number of people is simulated (parametric bootstrap, chapter 6.5
    there). Dawid and Skene's model of the annotators at hand draws labels of m people a point, for m from now
    on; w changes as the standard deviation of alpha over the draws does. People help less and less, for they
    do nothing about which points there are.

    Args:
        alpha: with its interval.
        ratings: n points with at least two annotators each.
        distance: the one of alpha.
        exclusive: whether each label set is one answer; else every class is decided by itself.
        wanted: the width that is asked for, above 0.
        seed: seed of the simulation.
    """
    if alpha.low is None or alpha.high is None or alpha.high == alpha.low:
        return Precision(wanted, None, None, None)
    width = alpha.high - alpha.low
    if width <= wanted:
        return Precision(wanted, width, 0, 0)
    n = len(ratings.codes)
    return Precision(
        wanted, width, ceil(n * (width / wanted) ** 2) - n,
        _more_people(ratings, distance, exclusive, wanted / width, seed),
    )  # fmt: skip


def _more_people(
    ratings: Ratings, distance: Distance, exclusive: bool, ratio: float, seed: int
) -> int | None:
    """The fewest more people with whom alpha's deviation is `ratio` of what it is with those at hand."""
    models = [estimate(codes, q) for codes, q in models_of(ratings, exclusive)]
    now = round(float(ratings.n_by_point.mean()))
    at_hand = _deviation(models, ratings, distance, exclusive, now, seed)
    for more in range(1, MAX_PEOPLE + 1):
        if _deviation(models, ratings, distance, exclusive, now + more, seed) <= ratio * at_hand:
            return more
    return None


def _deviation(
    models: Sequence[Estimate], ratings: Ratings, distance: Distance, exclusive: bool, m: int, seed: int
) -> float:
    """Standard deviation of alpha over draws of points with m labels each; NaN where it is not defined."""
    rng = np.random.default_rng(seed)
    n = min(len(ratings.codes), _SIMULATED_POINTS)
    chunk = max(1, _CHUNK_LABELS // (n * m))
    values = []
    for start in range(0, _SIMULATIONS, chunk):
        r = min(chunk, _SIMULATIONS - start)
        drawn = [_draw(model, r * n, m, rng) for model in models]
        simulated = Ratings(drawn[0], ratings.sets) if exclusive else _combined(drawn)
        values.append(alphas_of_draws(simulated, r, distance))
    found = np.concatenate(values)
    return float(np.std(found[~np.isnan(found)])) if not np.isnan(found).all() else float("nan")


def _draw(model: Estimate, n: int, m: int, rng: np.random.Generator) -> Codes:
    """Labels of n points by m annotators each, int (n, m); each is one of those at hand, drawn anew."""
    truth = rng.choice(len(model.shares), size=n, p=model.shares / model.shares.sum())
    who = rng.integers(len(model.confusion), size=(n, m))
    chances = model.confusion[who, truth[:, None]].cumsum(axis=2)
    codes: Codes = (rng.random((n, m, 1)) > chances).sum(axis=2).clip(0, len(model.shares) - 1)
    return codes


def _combined(drawn: Sequence[Codes]) -> Ratings:
    """Label sets from what was drawn for each class by itself, 0 or 1."""
    bits = np.stack(drawn, axis=2)
    sets, codes = np.unique(bits.reshape(-1, len(drawn)), axis=0, return_inverse=True)
    return Ratings(codes.reshape(bits.shape[:2]).astype(np.intp), sets.astype(np.int8))


def precision_lines(found: Precision) -> list[str]:
    """It as sentences; none where nothing is known."""
    if found.width is None:
        return []
    if found.more_points == 0:
        return [f"Alpha's interval is {found.width:.3f} wide, within the {found.wanted:g} that is wanted."]
    people = (
        f"{found.more_people} more people on the same points would do too"
        if found.more_people is not None
        else f"more people on the same points would not do, up to {MAX_PEOPLE}"
    )
    return [
        f"Alpha's interval is {found.width:.3f} wide; for {found.wanted:g}, annotate about "
        f"{found.more_points:,} more points alike ({people})."
    ]

"""Where annotators differ: by class, pair, annotator, pair of label sets, and point; worst first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from adaptml.frames import KEYS
from labelstudio.alpha import Alpha, alpha_of, distances_to_others, expected_disagreement, patterns
from labelstudio.annotations import annotator_order
from labelstudio.label_sets import MISSING, Distance, Ratings, nominal


@dataclass(frozen=True)
class ClassAgreement:
    """One class, chosen or not.

    Attributes:
        name: the class.
        alpha: over chosen or not chosen.
        chosen: points where anyone chose it.
        disputed: points where some chose it and some did not.
    """

    name: str
    alpha: Alpha
    chosen: int
    disputed: int


@dataclass(frozen=True)
class PairAgreement:
    """Two annotators on the points that both labelled; `agreement` is the share with equal label sets."""

    annotators: tuple[str, str]
    points: int
    agreement: float | None
    alpha: float | None


@dataclass(frozen=True)
class AnnotatorAgreement:
    """One annotator against the rest, on the points shared with anyone.

    Attributes:
        name: the annotator.
        points: points shared with at least one other.
        agreement: the share of the others who gave the same label set, averaged over the points.
        alpha: 1 - D_o / D_e with D_o over this annotator's labels only; the mean over annotators,
            weighted by points, is the alpha of all.
        alpha_without: alpha of the others when this annotator is left out; higher than that of all
            where this annotator is the one who differs.
    """

    name: str
    points: int
    agreement: float | None
    alpha: float | None
    alpha_without: float | None


@dataclass(frozen=True)
class Confusion:
    """Two label sets that different annotators gave to one point, on `points` points."""

    labels: tuple[list[str], list[str]]
    points: int


@dataclass(frozen=True)
class DisputedPoint:
    """A point on which annotators differ; `distance` is the mean over all pairs of its labels, in (0, 1]."""

    table_name: str
    id: str
    distance: float
    labels: dict[str, list[str]]


def by_class(ratings: Ratings, class_names: Sequence[str], seed: int) -> list[ClassAgreement]:
    """Alpha per class, as present or absent; undefined ones (chosen always or never) last."""
    found = []
    for place, name in enumerate(class_names):
        binary = ratings.of_class(place)
        votes = (binary.codes == 1).sum(axis=1)
        disputed = int(((votes > 0) & (votes < binary.n_by_point)).sum())
        found.append(ClassAgreement(name, alpha_of(binary, nominal, seed), int((votes > 0).sum()), disputed))
    return sorted(found, key=lambda c: (*_last_if_none(c.alpha.value), -c.disputed, c.name))


def by_pair(ratings: Ratings, people: Sequence[str], distance: Distance) -> list[PairAgreement]:
    """Each two annotators on the points that both labelled."""
    found = []
    for a, b in combinations(range(len(people)), 2):
        both = ratings.of((a, b))
        n = len(both.codes)
        same = float((both.codes[:, 0] == both.codes[:, 1]).mean()) if n else None
        found.append(PairAgreement((people[a], people[b]), n, same, alpha_of(both, distance).value))
    return sorted(found, key=lambda p: (*_last_if_none(p.agreement), *map(annotator_order, p.annotators)))


def by_annotator(ratings: Ratings, people: Sequence[str], distance: Distance) -> list[AnnotatorAgreement]:
    """Each annotator against the rest."""
    apart, unequal = (distances_to_others(ratings, d) for d in (distance, nominal))
    expected = expected_disagreement(ratings, distance)
    found = []
    for place, name in enumerate(people):
        mine = ratings.codes[:, place] != MISSING
        same = float(1 - unequal[mine, place].mean()) if mine.any() else None
        own = float(1 - apart[mine, place].mean() / expected) if mine.any() and expected else None
        rest = alpha_of(ratings.of([p for p in range(len(people)) if p != place]), distance).value
        found.append(AnnotatorAgreement(name, int(mine.sum()), same, own, rest))
    return sorted(found, key=lambda a: (*_last_if_none(a.agreement), annotator_order(a.name)))


def by_label_sets(ratings: Ratings, class_names: Sequence[str]) -> list[Confusion]:
    """Each two label sets that met on a point."""
    met: Counter[tuple[int, int]] = Counter()
    distinct, times = patterns(ratings)
    for row, n in zip(distinct.codes, times.tolist(), strict=True):
        for pair in combinations(np.unique(row[row != MISSING]).tolist(), 2):
            met[pair] += n
    sets = ratings.names(class_names)
    ranked = sorted(met.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion((sets[a], sets[b]), points) for (a, b), points in ranked]


def by_point(
    ratings: Ratings,
    keys: pd.DataFrame,
    people: Sequence[str],
    distance: Distance,
    class_names: Sequence[str],
) -> list[DisputedPoint]:
    """Each point on which annotators differ, with what everyone said.

    Args:
        ratings: n points.
        keys: `table_name` and `id` of the n points.
        people: the m annotators.
        distance: how far apart two label sets are.
        class_names: k names.
    """
    sets = ratings.names(class_names)
    mean = distances_to_others(ratings, distance).sum(axis=1) / ratings.n_by_point
    worst = np.argsort(-mean, kind="stable")[: np.count_nonzero(mean)]
    tables, ids = (keys[name].to_numpy()[worst] for name in KEYS)
    found = []
    for table_name, key, far, codes in zip(tables, ids, mean[worst], ratings.codes[worst], strict=True):
        given = zip(people, codes, strict=True)
        labels = {person: sets[code] for person, code in given if code != MISSING}
        found.append(DisputedPoint(table_name, key, float(far), labels))
    return found


def _last_if_none(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0

"""Looks for what to fix among gold points and weakly labelled ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.features.cosine import Matrix
from adaptml.fixing.duplicates import chosen_to_compare, near_duplicates
from adaptml.fixing.grouping import slices_of
from adaptml.fixing.result import GOLD, TRAINING, Duplicate, Duplicates, Suspect, ToFix, WeakSlice
from adaptml.fixing.slices import Slice, compare_slices
from adaptml.fixing.suspects import said_of, suspicious_labels
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import ProblemType, names
from adaptml.tasks.metrics import Metric, Outcome

MOST_SUSPECTS = 500  # of each source that are kept
MOST_PAIRS = 500
MOST_WRONG = 50  # of each slice
SAYS = {
    GOLD: "a model that had not seen this label gives",
    TRAINING: "a model that learned from gold alone gives",
}

Indicator = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Labelled points and what a model says of them.

    Attributes:
        keys: `table_name` and `id` (n rows).
        Y: their labels, int8 (n, k), values in {0, 1}.
        probs: of a model that had not seen these labels, float64 (n, k), in [0, 1].
        predicted: the classes that it names, int8 (n, k), values in {0, 1}.
        vectors: float32 (n, d); (n, 0) or None where there are none.
    """

    keys: pd.DataFrame
    Y: Indicator
    probs: Floats
    predicted: Indicator
    vectors: Matrix | None = None

    def __len__(self) -> int:
        """How many points."""
        return len(self.keys)


def find_what_to_fix(
    project: Project,
    gold: Points,
    training: Points | None = None,
    *,
    metric: Metric,
    class_names: Sequence[str],
    texts: Sequence[str],
    votes: pd.DataFrame | None = None,
    seed: int = 0,
) -> ToFix:
    """Look for labels that look wrong, near-duplicates and slices on which the model is weak.

    Args:
        project: holds the data tables.
        gold: gold points that are in their tables, at least one.
        training: weakly labelled points that are not gold; None for none.
        metric: what slices are compared by.
        class_names: the k classes.
        texts: columns of text that people see.
        votes: `table_name`, `id` and a column per rule, -1 where it abstains, of the gold points; None where
            they are not known.
        seed: of the sample of training points that gold is compared with, where they are very many.

    Raises:
        DatabaseError: the database refuses.
    """
    problem = metric.problem
    found = {GOLD: _suspects(problem, class_names, gold, GOLD)}
    if training is not None and len(training):
        found[TRAINING] = _suspects(problem, class_names, training, TRAINING)
    slices, n_slices = _weak_slices(metric, gold, slices_of(project, gold.keys, texts, votes))
    return ToFix(
        len(gold),
        0 if training is None else len(training),
        metric.title,
        tuple(suspect for of in found.values() for suspect in of[0]),
        {source: n for source, (_, n) in found.items()},
        _duplicates(class_names, gold, training, seed),
        slices,
        n_slices,
    )


def _suspects(
    problem: ProblemType, class_names: Sequence[str], points: Points, source: str
) -> tuple[list[Suspect], int]:
    """The most suspicious points, and how many are."""
    found = suspicious_labels(problem, points.Y, points.probs, points.predicted)
    kept = found.places[:MOST_SUSPECTS]
    keys = points.keys.iloc[kept][KEYS].itertuples(index=False, name=None)
    given, suggested = (names(Y, class_names) for Y in (points.Y[kept], found.suggested))
    suspects = []
    for i, (place, (table, key)) in enumerate(zip(kept, keys, strict=True)):
        said = said_of(class_names, points.Y[place], found.suggested[i], points.probs[place])
        suspects.append(
            Suspect(
                table, key, source, tuple(given[i]), tuple(suggested[i]),
                round(float(found.scores[i]), 6), f"{SAYS[source]} {said}",
            )
        )  # fmt: skip
    return suspects, len(found.places)


def _duplicates(
    class_names: Sequence[str], gold: Points, training: Points | None, seed: int
) -> Duplicates | None:
    if gold.vectors is None or gold.vectors.shape[1] == 0:
        return None
    keys, Y, others = gold.keys[KEYS], gold.Y, gold.vectors[:0]
    if training is not None and training.vectors is not None:
        chosen = chosen_to_compare(len(training), len(gold), gold.vectors.shape[1], seed)
        keys = pd.concat([keys, training.keys.iloc[chosen][KEYS]], ignore_index=True)
        Y, others = np.vstack([Y, training.Y[chosen]]), training.vectors[chosen]
    labels = np.unique(Y, axis=0, return_inverse=True)[1].ravel().astype(np.int64)
    pairs = near_duplicates(gold.vectors, others, labels)
    g, differs = len(gold), labels[pairs.gold] != labels[pairs.other]
    order = np.lexsort((-pairs.cosines, ~differs))[:MOST_PAIRS]

    def of(place: int) -> tuple[str, str, tuple[str, ...]]:
        table, key = keys.iloc[place]
        return table, key, tuple(names(Y[place : place + 1], class_names)[0])

    kept = [
        Duplicate(*of(a), *of(b), TRAINING if b >= g else GOLD, round(float(cosine), 6))
        for a, b, cosine in zip(pairs.gold[order], pairs.other[order], pairs.cosines[order], strict=True)
    ]
    in_training = pairs.other >= g
    twice = np.concatenate([pairs.gold, pairs.other[~in_training]])
    return Duplicates(
        tuple(kept),
        len(pairs.gold),
        len(np.unique(twice[np.concatenate([differs, differs[~in_training]])])),
        len(np.unique(pairs.gold[in_training])),
        pairs.distance,
        len(others),
    )


def _weak_slices(metric: Metric, gold: Points, slices: Sequence[Slice]) -> tuple[tuple[WeakSlice, ...], int]:
    predicted = gold.predicted
    found, n = compare_slices(metric, gold.Y, Outcome(gold.probs, predicted), slices)
    wrong = (predicted != gold.Y).any(axis=1)
    surest = np.argsort(-metric.problem.confidence(predicted, gold.probs), kind="stable")
    keys = list(gold.keys[KEYS].itertuples(index=False, name=None))
    weak = []
    for one in found:
        places = surest[(wrong & one.slice.mask)[surest]]
        weak.append(
            WeakSlice(
                one.slice.name, int(one.slice.mask.sum()), one.value, one.low, one.high, one.rest, one.q,
                one.slice.conditions, tuple(keys[place] for place in places[:MOST_WRONG]), len(places),
                one.metric.title,
            )
        )  # fmt: skip
    return tuple(weak), n

"""How far annotators agree, and what that allows one to do with their labels."""

from dataclasses import dataclass

import pandas as pd

from adaptml.errors import AnnotationError
from adaptml.feedback import annotators_in
from adaptml.frames import KEYS
from adaptml.tasks import Task
from labelstudio.ability import Ability, abilities
from labelstudio.alpha import RESAMPLES, Alpha, alpha_of
from labelstudio.annotations import annotator_order
from labelstudio.breakdown import (
    AnnotatorAgreement,
    ClassAgreement,
    Confusion,
    DisputedPoint,
    PairAgreement,
    by_annotator,
    by_class,
    by_label_sets,
    by_pair,
    by_point,
)
from labelstudio.label_sets import DISTANCES, Ratings, ratings_of
from labelstudio.precision import WIDTH, Precision, precision
from labelstudio.verdict import Verdict, judge


@dataclass(frozen=True)
class Agreement:
    """The result of `annotator_agreement`; the lists go from worst to best.

    Attributes:
        measure: the distance behind the verdict, a key of `alphas`: `nominal` in multiclass tasks, `masi`
            in multilabel tasks.
        points: points with at least one label.
        compared: points with at least two, on which all metrics rest.
        alphas: by distance; `nominal` takes two label sets as equal or not.
        abilities: how often each annotator is right, by Dawid and Skene's model, on all labelled points.
        precision: how many more points or people would make alpha's interval as narrow as is wanted.
        seed: seed of the bootstrap.
        resamples: how often points were drawn again.
        sample_warning: a sentence on points that are not a random sample of the table, or empty.

    Example:
        >>> agreement = project.annotator_agreement("spam")
        >>> agreement.measure, agreement.points
        ('nominal', 12)
    """

    task: str
    setting: str
    measure: str
    points: int
    compared: int
    alphas: dict[str, Alpha]
    verdict: Verdict
    reason: str
    classes: list[ClassAgreement]
    pairs: list[PairAgreement]
    annotators: list[AnnotatorAgreement]
    confusions: list[Confusion]
    disputed: list[DisputedPoint]
    abilities: list[Ability]
    precision: Precision
    seed: int
    resamples: int = RESAMPLES
    sample_warning: str = ""

    @property
    def alpha(self) -> Alpha:
        """The alpha behind the verdict."""
        return self.alphas[self.measure]


def measure_agreement(ann_df: pd.DataFrame, task: Task, seed: int, width: float = WIDTH) -> Agreement:
    """Measure agreement on all points with at least two annotators; missing labels are allowed.

    Args:
        ann_df: `table_name`, `id` and one column of label sets (or None) per annotator; what they said beside
            their labels counts for nothing here.
        task: names the classes and the setting.
        seed: seed of the bootstrap. The order of points and annotators changes nothing.
        width: how narrow alpha's interval is wanted, above 0.

    Raises:
        AnnotationError: no point has the labels of two annotators, or a width that is not above 0.
        TaskError: label sets with names that are not classes of the task.
    """
    if not width > 0:
        raise AnnotationError(f"a width of {width:g} was given; expected one above 0, such as {WIDTH}")
    frame = ann_df.sort_values(KEYS, ignore_index=True)
    people = sorted(annotators_in(frame), key=annotator_order)
    labelled = ratings_of(frame, people, task)
    shared = labelled.n_by_point >= 2
    if not shared.any():
        raise AnnotationError(
            f"none of {len(frame)} points of task {task.name!r} has labels of two annotators; "
            "agreement compares people: let a second person annotate the same points"
        )
    ratings = Ratings(labelled.codes[shared], labelled.sets)
    of_somebody = Ratings(labelled.codes[labelled.n_by_point > 0], labelled.sets)
    distances = {name: DISTANCES[name] for name in task.problem.distances}
    measure, distance = next(iter(distances.items()))
    alphas = {name: alpha_of(ratings, d, seed) for name, d in distances.items()}
    verdict, reason = judge(alphas[measure], len(ratings.codes))
    return Agreement(
        task=task.name,
        setting=task.setting,
        measure=measure,
        points=int((labelled.n_by_point > 0).sum()),
        compared=len(ratings.codes),
        alphas=alphas,
        verdict=verdict,
        reason=reason,
        classes=by_class(ratings, task.class_names, seed),
        pairs=by_pair(ratings, people, distance),
        annotators=by_annotator(ratings, people, distance),
        confusions=by_label_sets(ratings, task.class_names),
        disputed=by_point(ratings, frame.loc[shared, KEYS], people, distance, task.class_names),
        abilities=abilities(of_somebody, people, task.problem.exclusive, seed),
        precision=precision(alphas[measure], ratings, distance, task.problem.exclusive, width, seed),
        seed=seed,
    )

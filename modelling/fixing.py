"""What a training says should be fixed next: from its predictions, its features and the rules' votes.

Gold is judged by the predictions of cross-validation. Labels of the label model are judged by a model of the
same algorithm that learns from gold alone: it has seen none of them, nor what the label model got wrong in
the same way a hundred times, which a model that learned from the rest of them repeats. On two public sets of
1,500 comments and 4,800 questions, 100 % and 97 % of the labels that it named were wrong; by
cross-validation over weak labels and gold it was 82 % and 80 % of a third and a twentieth as many, and the
end model itself, which was trained on them, named next to none.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from adaptml.data import Data, is_run, read_labels
from adaptml.database import Vector
from adaptml.errors import FeatureError, FrameError, TrackingError
from adaptml.features.catalogue import Reference
from adaptml.features.reading import Matrix, read_features
from adaptml.features.required import check_featurized
from adaptml.fixing.find import Indicator, Points, find_what_to_fix
from adaptml.fixing.result import ToFix
from adaptml.fixing.what_to_fix import texts_of
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.artifacts import GOLD_VOTES, VOTES
from adaptml.tasks import Task
from adaptml.tasks.metrics import Outcome, metric_of
from modelling.algorithms import classifier, takes_texts
from modelling.choosing import MIN_GOLD
from modelling.learner import Gold, Learner, Weak
from modelling.sources import Reader, Split

FAST = "logistic_regression"  # in place of an algorithm that reads texts


def to_fix_of_training(
    project: Project,
    data: Data,
    labels: Split,
    reader: Reader,
    learner: Learner,
    weak: Weak | None,
    gold: Gold | None,
    compared: tuple[Labelled, Outcome] | None,
) -> ToFix | None:
    """Look for what to fix among the points of a training.

    Args:
        project: holds the data tables and the run of the labels.
        data: where the training labels come from; the rules' votes are known of a run.
        labels: which points were trained on.
        reader: reads what the model reads; near-duplicates are looked for by those features that are vectors.
        learner: what was trained.
        weak: the weakly labelled points with features, or None.
        gold: the gold points that were trained on with features, or None.
        compared: gold points, and what was said of them by models that had not seen their labels.

    Returns:
        None where nothing was compared with gold.

    Raises:
        DatabaseError: the database refuses.
    """
    if compared is None:
        return None
    truth, held_out = compared
    points = [truth]
    if weak is not None and len(labels.training):
        points.append(replace(labels.training, Y=weak.says.predicted))
    tables = pd.concat([one.keys["table_name"] for one in points]).unique().tolist()
    if takes_texts(learner.classifier):  # it takes minutes to learn, and has no vectors
        learner = replace(learner, classifier=classifier(FAST))
        features = vectors = _vectors_of_task(project, labels.task, tables)
        X = [_read(project, one, vectors) for one in points]
    else:
        features = list(reader.features)
        vectors = _vectors(project, tables, features)
        known = gold if truth is labels.gold else None
        X = [reader.read(truth.keys) if known is None else known.X]
        X += [] if weak is None else [weak.matrix]
    said = [held_out]
    if len(points) > 1:
        said.append(_by_gold_alone(learner, truth.Y, *X))
    found = [
        Points(
            one.keys[KEYS], one.Y, of.probs, of.predicted,
            matrix if vectors == features else _read(project, one, vectors),
        )
        for one, of, matrix in zip(points, said, X, strict=False)
    ]  # fmt: skip
    return find_what_to_fix(
        project, *found,
        metric=metric_of(labels.task, truth.Y), class_names=labels.task.class_names,
        texts=texts_of(labels.task), votes=_votes(project, data, truth.keys), seed=learner.seed,
    )  # fmt: skip


def _by_gold_alone(learner: Learner, Y: Indicator, X: Matrix, X_training: Matrix) -> Outcome:
    """What a model that learns from gold alone says of training points.

    Where there is too little to learn from it says nothing: all points get the same.
    """
    if len(Y) < MIN_GOLD or X.shape[1] == 0 or (Y[0] == Y).all():
        probs = np.full((len(X_training), Y.shape[1]), 1 / Y.shape[1])
    else:
        probs = learner.fit(X, Y).predict_proba(X_training)
    return Outcome(probs, learner.problem.decide(probs))


def _vectors(project: Project, tables: Sequence[str], features: Sequence[Reference]) -> list[Reference]:
    """Those of the features that are vectors in all tables: of single numbers, a cosine says nothing."""
    types = [project.points.columns(table) for table in tables]
    return [one for one in features if all(isinstance(of.get(one.name), Vector) for of in types)]


def _vectors_of_task(project: Project, task: Task, tables: Sequence[str]) -> list[Reference]:
    """The vectors that a task names, as far as they are computed."""
    try:
        check_featurized(project.points, task, list(tables), list(task.features))
        return _vectors(project, tables, project.points.exact(tables, task.features))
    except FeatureError:
        return []


def _read(project: Project, points: Labelled, vectors: Sequence[Reference]) -> Matrix:
    """The vectors of n points, float32 (n, d); (n, 0) where there are none."""
    if not vectors:
        return np.empty((len(points), 0), np.float32)
    return read_features(project.points, points.keys, vectors)


def _votes(project: Project, data: Data, gold: pd.DataFrame) -> pd.DataFrame | None:
    """The rules' votes on gold points, as far as the run of the labels has them."""
    if not is_run(data):
        return None
    for artifact in (GOLD_VOTES, VOTES):  # labelled without gold, gold points may be among the others
        try:
            found = read_labels(project, data, artifact)
        except (TrackingError, FrameError):
            continue
        found = found.merge(gold[KEYS], on=KEYS)
        if len(found):
            return found
    return None

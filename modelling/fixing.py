"""What a training says should be fixed next: from its predictions, its features and the rules' votes.

Gold is judged by the predictions of cross-validation. Labels of the label model are judged by a model of the
same algorithm that learns from gold alone: it has seen none of them, nor what the label model got wrong in
the same way a hundred times, which a model that learned from the rest of them repeats. On two public sets of
1,500 comments and 4,800 questions, 100 % and 97 % of the labels that it named were wrong; by
cross-validation over weak labels and gold it was 82 % and 80 % of a third and a twentieth as many, and the
end model itself, which was trained on them, named next to none.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from adaptml.data import Data, is_run, read_labels
from adaptml.database import Vector
from adaptml.errors import FrameError, TrackingError
from adaptml.features.catalogue import Reference
from adaptml.features.reading import Matrix, read_features
from adaptml.fixing.find import Points, find_what_to_fix
from adaptml.fixing.result import ToFix
from adaptml.fixing.what_to_fix import texts_of
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.artifacts import GOLD_VOTES, VOTES
from adaptml.tasks.metrics import Outcome
from modelling.algorithms import takes_texts
from modelling.choosing import MIN_GOLD
from modelling.sources import Reader, Split
from modelling.strategies import Gold, Learner, Weak


@dataclass(frozen=True, eq=False)
class Featurized:
    """Labelled points and their features as the model reads them, float32 (n, d)."""

    points: Labelled
    X: Matrix


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
    known = gold if truth is labels.gold else None
    sets = [Featurized(truth, reader.read(truth.keys) if known is None else known.X)]
    said = [held_out]
    # Of fine-tuning another model would take minutes, and learn from a fifth of gold.
    if weak is not None and len(labels.training) and not takes_texts(learner.classifier):
        sets.append(Featurized(replace(labels.training, Y=weak.says.predicted), weak.X))
        said.append(_by_gold_alone(learner, *sets))
    task, features = labels.task, list(reader.features)
    tables = pd.concat([one.points.keys["table_name"] for one in sets]).unique().tolist()
    vectors = _vectors(project, tables, features)
    found = [
        Points(
            one.points.keys[KEYS],
            one.points.Y,
            of.probs,
            of.predicted,
            _read(project, one, features, vectors),
        )
        for one, of in zip(sets, said, strict=True)
    ]
    return find_what_to_fix(
        project, *found,
        problem=task.problem, class_names=task.class_names, texts=texts_of(task),
        votes=_votes(project, data, truth.keys), seed=learner.seed,
    )  # fmt: skip


def _by_gold_alone(learner: Learner, gold: Featurized, training: Featurized) -> Outcome:
    """What a model that learns from gold alone says of training points.

    With too few gold points to learn from it says nothing: all points get the same.
    """
    Y = gold.points.Y
    if len(Y) < MIN_GOLD:
        probs = np.full((len(training.X), Y.shape[1]), 1 / Y.shape[1])
    else:
        probs = learner.fit(gold.X, Y).predict_proba(training.X)
    return Outcome(probs, learner.problem.decide(probs))


def _vectors(project: Project, tables: list[str], features: list[Reference]) -> list[Reference]:
    """Those of the features that are vectors in all tables: of single numbers, a cosine says nothing."""
    types = [project.points.columns(table) for table in tables]
    return [one for one in features if all(isinstance(of.get(one.name), Vector) for of in types)]


def _read(
    project: Project, given: Featurized, features: list[Reference], vectors: list[Reference]
) -> Matrix | None:
    """The vectors of points; None where there are none."""
    if not vectors:
        return None
    return given.X if vectors == features else read_features(project.points, given.points.keys, vectors)


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

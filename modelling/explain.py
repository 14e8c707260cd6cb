"""The step `explain`: what an end model says of a point or of any text, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape

import numpy as np
import numpy.typing as npt
from mlflow.exceptions import MlflowException

from adaptml.errors import AdaptmlError, TrackingError, one_line
from adaptml.features.catalogue import COLUMN, Reference
from adaptml.features.on_the_fly import OnTheFly
from adaptml.project import Project
from adaptml.tasks import Task, names
from modelling.algorithms import EndModel
from modelling.algorithms.core import CONSTANT, LABEL_MODEL
from modelling.champion import load_champion
from modelling.deploy import version_and_champion
from modelling.keyed import KeyedModel
from modelling.nearest import NEIGHBOURS, Nearest, nearest_training_points
from modelling.reading_one import Block, OnePoint, read_point, read_texts, votes_on_texts
from modelling.recipe import read_recipe
from modelling.registration import registered_name
from modelling.voting import NO_VOTES, Voted
from modelling.word_weights import WordWeights, linear_score, word_weights

MODELS_KEPT = 2  # of each process, loaded


@dataclass(frozen=True, eq=False, repr=False)
class Explained:
    """An answer of an end model, and what it rests on.

    Attributes:
        model: name in the registry.
        version: its version.
        algorithm: of its classifier.
        class_names: k names.
        probs: float64 (k,), in [0, 1].
        labels: names of the classes that it gives.
        of_class: the class that is explained: the most probable one.
        against: the class that `of_class` is weighed against; empty for all others together.
        weights: what each word adds to the log-odds of `of_class`, or None.
        why_no_weights: why there are none; or what to know of them; else empty.
        nearest: the nearest training points, or None.
        why_no_nearest: why there are none; else empty.
        answered_from: of a model that takes votes, where they came from, see `modelling.voting`; else empty.
        votes: what its rules say of the point: name → the class, or the classes of which it is one.

    Example:
        >>> trained = project.train("spam", project.label("spam", "comments", label_model="majority_vote"))
        >>> found = project.explain("spam", ("comments", "s0"), trained.version)
        >>> found.labels, found.nearest.neighbours[0].id
        (['spam'], 's0')
    """

    model: str
    version: str
    algorithm: str
    class_names: Sequence[str]
    probs: npt.NDArray[np.float64]
    labels: Sequence[str]
    of_class: str
    against: str
    weights: WordWeights | None
    why_no_weights: str
    nearest: Nearest | None
    why_no_nearest: str
    answered_from: str = ""
    votes: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        said = ", ".join(f"{name} {p:.3f}" for name, p in zip(self.class_names, self.probs, strict=True))
        return f"Explained by {self.model} version {self.version}: {said}"

    def _repr_html_(self) -> str:
        """What a notebook shows: the probabilities, the words, the neighbours."""
        rows = "".join(f"<li>{escape(line)}</li>" for line in self.lines())
        return f"<p>{escape(repr(self))}</p><ul>{rows}</ul>"

    def lines(self) -> list[str]:
        """The explanation in words, the strongest first."""
        found = [f"answered from {self.answered_from}"] if self.answered_from else []
        found += [f"rule {name} says {said}" for name, said in self.votes.items()]
        found += [self.why_no_weights] if self.why_no_weights else []
        if self.weights is not None:
            strongest = sorted(self.weights.words, key=lambda one: -abs(one.value))[:NEIGHBOURS]
            found += [f"{one.name} {one.value:+.3f}" for one in strongest]
        if self.nearest is not None:
            found += [
                f"{one.table_name}/{one.id} ({', '.join(one.labels)}), {one.distance:.3f} away"
                for one in self.nearest.neighbours
            ]
        return [*found, *([self.why_no_nearest] if self.why_no_nearest else [])]


def explain(
    project: Project,
    task: str | Task,
    of: Mapping[str, str] | tuple[str, str],
    version: str | None = None,
    *,
    neighbours: int = NEIGHBOURS,
) -> Explained:
    """Ask a task's end model about one point, and for what it rests its answer on.

    Each model has the explanations that are true for it: the nearest training points, of every algorithm;
    and what each word adds to the log-odds, of linear models (logistic regression, linear SVM) that read the
    spelling of a text (encoders `hashing` and `hybrid`). The sum of what is added is the log-odds.

    Args:
        project: holds the models, the features and the labels.
        task: the task or its name.
        of: a data point as (table_name, id); or texts that are no data point, as column → text, which are
            featurised as the model was trained and not stored.
        version: of the task's model; default: the champion, else the latest.
        neighbours: how many training points.

    Raises:
        ModelError: no such model or version, or one that texts alone are not enough for.
        MissingDataPointsError: the point is not in its table.
        FeatureError: features that cannot be read or made.
        TrackingError: the registry cannot be used.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled)
        >>> found = project.explain("spam", {"text": "subscribe to my channel"}, trained.version)
        >>> found.labels, max(found.weights.words, key=lambda word: word.value).name
        (['spam'], 'subscribe')
    """
    task = project.task(task)
    name = registered_name(task)
    found, champion = version_and_champion(project, name, version)
    chosen = found if version or champion is None else champion
    model = loaded_model(project, name, chosen)
    point, voted = _point(project, model, of)
    asked, point_read = _asked(model, point, voted)
    probs = _probabilities(model, point, voted)
    labels = names(model.problem.decide(probs[None, :]), model.class_names)[0]
    c = int(probs.argmax())
    weights, against, why_no_weights = _weights(model, asked, point_read, probs, c)
    nearest, why_no_nearest = _nearest(project, (name, chosen), model, point, neighbours)
    return Explained(
        model=name,
        version=chosen,
        algorithm=str(asked.algorithm),
        class_names=model.class_names,
        probs=probs,
        labels=labels,
        of_class=model.class_names[c],
        against=against,
        weights=weights,
        why_no_weights=why_no_weights,
        nearest=nearest,
        why_no_nearest=why_no_nearest,
        answered_from="" if voted is None else str(voted.ways[0]),
        votes={} if model.voting is None or voted is None else model.voting.rules.said(voted.votes[0]),
    )


def _point(
    project: Project, model: KeyedModel, of: Mapping[str, str] | tuple[str, str]
) -> tuple[OnePoint, Voted | None]:
    """What the model reads of the point, and the votes on it where it takes any."""
    if isinstance(of, tuple):
        point = read_point(model, *of)
        return point, None if model.voting is None else model.voting.of(of[:1], of[1:])
    encoders = _encoders(project)
    point = read_texts(model, of, encoders)
    return point, None if model.voting is None else votes_on_texts(model.voting, of, encoders)


def _probabilities(model: KeyedModel, point: OnePoint, voted: Voted | None) -> npt.NDArray[np.float64]:
    if model.voting is None or voted is None:
        probs = model.classifier.predict_proba(point.matrix)
    else:
        probs = model.voting.predict_proba(model.classifier, point.matrix, voted)
    return np.asarray(probs[0])


def _asked(model: KeyedModel, point: OnePoint, voted: Voted | None) -> tuple[EndModel, OnePoint]:
    """The classifier that answers, and all numbers that it reads: those of votes come last."""
    if model.voting is None or voted is None:
        return model.classifier, point
    if voted.ways[0] == NO_VOTES:
        return model.voting.without_votes, point
    numbers = model.voting.log_odds(model.problem, voted.votes)[0]
    return model.classifier, OnePoint(
        (*point.blocks, Block(Reference("what the rules say", COLUMN), numbers))
    )


def _weights(
    model: KeyedModel, asked: EndModel, point: OnePoint, probs: npt.NDArray[np.float64], c: int
) -> tuple[WordWeights | None, str, str]:
    """What each word adds, the class that it is weighed against, and what to know of it."""
    algorithms = [str(one.algorithm) for one in asked.members_ or (asked,)]
    algorithm = next((name for name in algorithms if name != LABEL_MODEL), LABEL_MODEL)
    if algorithm in (LABEL_MODEL, CONSTANT):
        return (
            None,
            "",
            "This model reads no words: its answer is that of the label model on the rules' votes.",
        )
    row = np.concatenate([block.numbers for block in point.blocks])
    score = linear_score(asked, c, probs, row)
    if score is None:
        why = "only of linear models is the answer a sum over words"
        return None, "", f"No weights of words for {algorithm}: {why}."
    against = "" if score.against is None else model.class_names[score.against]
    found = word_weights(score, point)
    if found is None:
        features = ", ".join(map(str, model.features))
        why = "are not made of the spelling of a text (encoders hashing and hybrid)"
        return None, against, f"No weights of words: the features of this model ({features}) {why}."
    scaled = "These are the log-odds of the class by itself; all classes are then scaled to sum to 1."
    return found, against, "" if score.exact else scaled


def _nearest(
    project: Project, version: tuple[str, str], model: KeyedModel, point: OnePoint, n: int
) -> tuple[Nearest | None, str]:
    """The neighbours, or why there are none: the answer stands without them."""
    try:
        recipe = read_recipe(project, *version)
        return nearest_training_points(project, model, recipe, point.matrix, n), ""
    except AdaptmlError as error:
        return None, f"The training points cannot be looked at: {error}"


def loaded_model(project: Project, name: str, version: str) -> KeyedModel:
    """A version of an end model, loaded from its plain files; the last ones are kept.

    Raises:
        ModelError: it does not load.
        TrackingError: the registry cannot be used.
    """
    try:
        made = int(project.runs.client.get_registered_model(name).creation_timestamp or 0)
        return _loaded(project, name, version, made)
    except MlflowException as error:
        raise TrackingError(f"{name} version {version} cannot be read: {one_line(error)}") from error


@lru_cache(maxsize=MODELS_KEPT)
def _loaded(project: Project, name: str, version: str, made: int) -> KeyedModel:  # noqa: ARG001
    """`made` tells a registered model from a later one of its name."""
    model = load_champion(project.runs.client, project.points, name, version).model
    assert isinstance(model, KeyedModel)  # noqa: S101 - `load_champion` loads no other
    return model


@lru_cache(maxsize=1)
def _encoders(project: Project) -> OnTheFly:
    return OnTheFly(project.settings.media)

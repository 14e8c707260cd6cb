"""A registered version trained again in cross-validation: it is judged on gold that it did not see."""

from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt
import pandas as pd

from adaptml.data import as_recorded, is_run, read_labels
from adaptml.errors import FrameError, ModelError, TrackingError
from adaptml.folds import folds_of_keys
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.artifacts import DEVELOPMENT_DATA
from adaptml.tasks import Task
from adaptml.tasks.metrics import Metric
from modelling.learner import Gold, Learner, Weak
from modelling.recipe import Recipe
from modelling.sources import Reader, split
from modelling.trials import Trials
from modelling.ways import HeldOut
from modelling.weak_labels import label_run, read_at_once, weak_labels


@dataclass(frozen=True)
class Retraining:
    """What a version was trained by and on, but for the gold points, and what it is judged on.

    Attributes:
        recipe: how it was trained.
        learner: the same, with the seed of the folds.
        weak: its weakly labelled points; None where there are none but gold points.
        gold: the gold points, with the features that it reads.
        seen: how many of them its label model was fitted or chosen on, where it cannot be kept from them.
    """

    recipe: Recipe
    learner: Learner
    weak: Weak | None
    gold: Gold
    seen: int

    def parts(self) -> list[str | npt.NDArray[Any]]:
        """All that `held_out` depends on, but for the seed, which the learner has."""
        parts: list[str | npt.NDArray[Any]] = [self.recipe.run_id, self.gold.Y, self.gold.X]
        return parts if self.weak is None else [*parts, self.weak.matrix, self.weak.says.probs]

    def held_out(self, metric: Metric) -> HeldOut:
        """What it says of the gold points, each by a model that did not see it.

        Raises:
            ModelError: it cannot be trained like this.
        """
        way = self.recipe.way
        trials = Trials(
            self.learner, {} if self.weak is None else {way.label_model: self.weak}, self.gold, metric
        )
        trials.run([way])
        if way in trials.failed:
            raise trials.failed[way]
        return trials.held_out[way]

    @property
    def note(self) -> str:
        """What to know of its figure; empty for nothing."""
        version = f"version {self.recipe.version}"
        known = [f"the label model of {version} saw {self.seen} of the {len(self.gold.Y)} gold points"]
        searched = [f"the parameters of {version} were searched for on gold"]
        said = " and ".join(known * bool(self.seen) + searched * self.recipe.searched)
        return f"{said[0].upper()}{said[1:]}, so its figure is slightly optimistic." if said else ""


def retraining(
    project: Project, task: Task, recipe: Recipe, truth: Labelled, seed: int, show_progress: bool
) -> Retraining:
    """Read what a version was trained on, and the features of gold points.

    Args:
        project: holds labels and features.
        task: the task.
        recipe: of the version.
        truth: the g gold points.
        seed: of the folds and of the training.
        show_progress: draw progress bars.

    Raises:
        ModelError: its labels are gone.
        AdaptmlError: features that cannot be read.
    """
    try:
        labels = split(project, task, as_recorded(recipe.train_data), recipe.share, None, recipe.seed)
    except (TrackingError, FrameError) as error:
        raise ModelError(
            f"{recipe.name} cannot be trained again to be compared: its labels are gone or not read "
            f"({error}); decide by hand: `adaptml deploy {recipe.model}`"
        ) from error
    labels = replace(labels, training=labels.training.without(truth.keys), gold=truth)
    way, made = recipe.way, recipe.classifier
    reader = Reader(project.points, recipe.features, show_progress)
    reader = reader.learned(made, labels.training.keys, truth.keys)
    with label_run(project, recipe.train_data, task) as run:
        rest = any(one.strategy.startswith("relabelled") for one in way.each)
        soft = any(one.soft for one in way.each)
        found = weak_labels(run, labels, reader, soft=soft, rest=rest, seed=recipe.seed)
        weak = found.get(way.label_model) or next(iter(found.values()), None)
        weak = weak if weak is None else read_at_once(weak)
    learner = Learner(made, task.problem, seed=seed)
    saw = weak is not None and weak.without is None and way.strategy != "gold"
    seen = _seen(project, recipe.train_data, truth) if saw else 0
    gold = Gold(reader.read(truth.keys), truth.Y, folds_of_keys(truth.keys))
    return Retraining(recipe, learner, weak, gold, seen)


def _seen(project: Project, data: str, truth: Labelled) -> int:
    """How many gold points the label model of a run of `label` was fitted or chosen on."""
    if not is_run(data):
        return 0
    try:
        known = read_labels(project, data, DEVELOPMENT_DATA)
    except TrackingError:  # labelled without gold
        return 0
    return int(pd.MultiIndex.from_frame(truth.keys[KEYS]).isin(pd.MultiIndex.from_frame(known[KEYS])).sum())

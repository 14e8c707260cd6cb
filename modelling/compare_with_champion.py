"""Is a version better than the champion? Both are trained again and judged on the same held-out gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.bootstrap import INTERVAL, interval
from adaptml.data import TASK_GOLD, Data, described, read_gold
from adaptml.errors import ModelError, listed
from adaptml.folds import FOLDS
from adaptml.frames import KEYS
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.recording import NOTE_TAG
from adaptml.runs.reuse import fingerprint, mark, run_with
from adaptml.tasks import Task
from adaptml.tasks.metrics import Metric, metric_of
from modelling.algorithms import algorithm_name
from modelling.deploy import version_and_champion
from modelling.recipe import Recipe, read_recipe
from modelling.registration import registered_name
from modelling.retraining import Retraining, retraining
from modelling.ways import HeldOut

MAX_LISTED = 20
NEW, CHAMPION = "new", "champion"


@dataclass(frozen=True)
class ChampionComparison:
    """A version of a model beside the champion.

    Attributes:
        model: name in the registry.
        version: the version in question.
        champion: the version that is the champion; None where there is none.
        better: whether the lower end of the interval of the gain lies above 0. Also of a version that there
            is nothing to compare with: no champion, or one of other classes.
        sentence: what was found, plainly.
        notes: what to know of the figures, one sentence each.
        measure: the task's metric, as metrics have it.
        metrics: `new_<measure>`, `champion_<measure>`, `gain`, `gain_low`, `gain_high`, `new_log_loss`,
            `champion_log_loss` and `gold_points`, and of both the accuracy, or F1 over samples; empty where
            nothing was compared.
        run_id: the MLflow run; empty likewise.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled)
        >>> done = project.compare_with_champion("spam", trained.version)
        >>> done.model, done.version == trained.version
        ('multiclass_spam', True)
    """

    model: str
    version: str
    champion: str | None
    better: bool
    sentence: str
    notes: Sequence[str]
    measure: str
    metrics: Mapping[str, float]
    run_id: str

    @property
    def frame(self) -> pd.DataFrame:
        """A row per version: version, the measure, log_loss; no row where nothing was compared."""
        rows = [
            [version, self.metrics[f"{who}_{self.measure}"], self.metrics[f"{who}_log_loss"]]
            for who, version in ((NEW, self.version), (CHAMPION, self.champion))
            if self.metrics
        ]
        return pd.DataFrame(rows, columns=["version", self.measure, "log_loss"])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        table = self.frame.to_html(index=False, border=0, float_format="{:.3f}".format)
        said = "".join(f"<p>{escape(text)}</p>" for text in (self.sentence, *self.notes))
        return f"{table if self.metrics else ''}{said}"


def compare_with_champion(
    project: Project,
    task: str | Task,
    version: str | None = None,
    gold: Data = TASK_GOLD,
    *,
    seed: int = 0,
    fresh: bool = False,
    show_progress: bool = False,
) -> ChampionComparison:
    """Say whether a version of a task's end model is better than the champion.

    Each of the two is trained again as it was (algorithm, parameters, strategy, features, soft labels, its
    own weak labels), in cross-validation on the same folds of the same gold, so that neither is judged on
    gold that it was trained on. Better means that the lower end of the paired bootstrap interval of the
    gain lies above 0; the task's metric is what is measured.

    Args:
        project: holds the models, the runs, the gold and the features.
        task: the task or its name.
        version: the version in question; default: the latest.
        gold: `task`, or a frame with gold_label or the path of one.
        seed: of the folds, the training and the bootstrap.
        fresh: compare anew, also where the same was compared before.
        show_progress: draw progress bars.

    Raises:
        ModelError: no such version, no gold or too little, or a version that cannot be trained again because
            its run or its labels are gone.
        AdaptmlError: data that cannot be read.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> _ = project.deploy("multiclass_spam", project.train("spam", labelled).version)
        >>> again = project.train("spam", labelled)
        >>> project.compare_with_champion("spam", again.version).better
        False
    """
    task = project.task(task)
    model = registered_name(task)
    version, champion = version_and_champion(project, model, version)
    if champion is None:
        said = f"Version {version} is the first version: there is no champion to compare it with."
        return _uncompared(task, version, None, said, better=True)
    if champion == version:
        return _uncompared(task, version, champion, f"Version {version} is the champion.", better=False)
    recipes = {NEW: read_recipe(project, model, version), CHAMPION: read_recipe(project, model, champion)}
    if not all(_in_classes_of_now(task, recipe) for recipe in recipes.values()):
        of_now = _in_classes_of_now(task, recipes[NEW])
        return _uncompared(task, version, champion, _other_classes(recipes, of_now), better=of_now)
    truth = _gold(project, task, gold)
    sides = {
        who: retraining(project, task, recipe, truth, seed, show_progress) for who, recipe in recipes.items()
    }
    parts = [part for side in sides.values() for part in side.parts()]
    metric = metric_of(task, truth.Y)
    inputs = fingerprint("compare with champion", str(seed), metric.name, truth.keys[KEYS], *parts)
    done = None if fresh else run_with(project, task.name, inputs)
    if done is None:
        run_id, metrics = _compared(project, task, metric, sides, described(gold))
        mark(project, run_id, inputs)
    else:
        run_id, metrics = done.info.run_id, dict(done.data.metrics)
    return ChampionComparison(
        model=model,
        version=version,
        champion=champion,
        better=metrics["gain_low"] > 0,
        sentence=_verdict(metric, sides, metrics),
        notes=_notes(sides),
        measure=metric.logged,
        metrics=metrics,
        run_id=run_id,
    )


def _uncompared(
    task: Task, version: str, champion: str | None, sentence: str, *, better: bool
) -> ChampionComparison:
    model = registered_name(task)
    return ChampionComparison(model, version, champion, better, sentence, (), metric_of(task).logged, {}, "")


def _in_classes_of_now(task: Task, recipe: Recipe) -> bool:
    """Whether what a version learned is known in the classes of now: they are the same, renamed or merged."""
    now = [task.meanings.get(name, frozenset()) for name in recipe.class_names]
    return all(len(possible) == 1 for possible in now) and {*task.class_names} == {*frozenset().union(*now)}


def _other_classes(recipes: Mapping[str, Recipe], of_now: bool) -> str:
    said = {
        who: f"version {recipe.version} ({listed(recipe.class_names, MAX_LISTED)})"
        for who, recipe in recipes.items()
    }
    counts = f", and version {recipes[NEW].version} counts as a first version" if of_now else ""
    both = f"The champion, {said[CHAMPION]}, tells other classes than {said[NEW]}"
    return f"{both}: they cannot be compared{counts}."


def _gold(project: Project, task: Task, gold: Data) -> Labelled:
    """The gold points that both are judged on."""
    truth = read_gold(project, gold, task)
    by_hand = f"or decide by hand: `adaptml deploy {registered_name(task)}`"
    if truth is None:
        raise ModelError(f"comparing with the champion needs gold labels; make some, {by_hand}")
    if len(truth) < 2 * FOLDS:
        raise ModelError(
            f"{len(truth)} gold points are too few to compare with the champion by; expected {2 * FOLDS} or "
            f"more: annotate more, {by_hand}"
        )
    return truth


def _compared(
    project: Project, task: Task, metric: Metric, sides: Mapping[str, Retraining], gold: str
) -> tuple[str, dict[str, float]]:
    """Judge both in one MLflow run: its id, and the metrics."""
    seed = sides[NEW].learner.seed
    shown: dict[str, object] = {"task": task.name, "setting": task.setting, "gold": gold, "seed": seed}
    for who, side in sides.items():
        shown |= {f"{who}_version": side.recipe.version, f"{who}_run": side.recipe.run_id}
        shown |= {f"{who}_algorithm": algorithm_name(side.recipe.classifier)}
        shown |= {f"{who}_strategy": side.recipe.way.strategy}
    with project.runs.run(task.name, f"compare with champion {task.setting}", shown) as recorder:
        new, champion = (sides[who].held_out(metric) for who in (NEW, CHAMPION))
        metrics = judged(metric, sides[NEW].gold.Y, new, champion, seed)
        recorder.metrics |= metrics
        found = [_verdict(metric, sides, metrics), *_notes(sides)]
        for sentence in found:
            recorder.log.info("%s", sentence)
        recorder.tags[NOTE_TAG] = " ".join(found)
    return recorder.run_id, metrics


def judged(
    metric: Metric, Y: npt.NDArray[np.int8], new: HeldOut, champion: HeldOut, seed: int
) -> dict[str, float]:
    """How well each of the two predicts gold, and the gain with its paired bootstrap interval.

    Args:
        metric: what is measured.
        Y: gold, int8 (g, k), values in {0, 1}.
        new, champion: what each says of these points, by models that did not see them.
        seed: of the bootstrap.

    Returns:
        The metrics of `ChampionComparison`.
    """
    ours, theirs = (metric.sign * metric.draws(Y, found.said, seed) for found in (new, champion))
    low, high = interval(ours - theirs)
    metrics: dict[str, float] = {}
    for who, found in ((NEW, new), (CHAMPION, champion)):
        metrics |= {f"{who}_{metric.problem.measure}": found.plain, f"{who}_{metric.logged}": found.metric}
        metrics |= {f"{who}_log_loss": found.log_loss}
    gain = metric.sign * (new.metric - champion.metric)
    return metrics | {"gain": gain, "gain_low": low, "gain_high": high, "gold_points": float(len(Y))}


def _verdict(metric: Metric, sides: Mapping[str, Retraining], metrics: Mapping[str, float]) -> str:
    """One plain sentence."""
    new, champion = (f"version {sides[who].recipe.version}" for who in (NEW, CHAMPION))
    ours, theirs = (metrics[f"{who}_{metric.logged}"] for who in (NEW, CHAMPION))
    span = f"{INTERVAL} {metrics['gain_low']:+.3f} to {metrics['gain_high']:+.3f}"
    found = f"{metric.title} {ours:.3f} against {theirs:.3f} on the same"
    what = f"({found} {metrics['gold_points']:.0f} gold points, {metrics['gain']:+.3f}, {span})"
    if metrics["gain_low"] > 0:
        return f"V{new[1:]} is better than the champion, {champion} {what}."
    if metrics["gain_high"] < 0:
        return f"V{new[1:]} is worse than the champion, {champion} {what}."
    return f"V{new[1:]} is not shown to be better than the champion, {champion} {what}."


def _notes(sides: Mapping[str, Retraining]) -> list[str]:
    return [side.note for side in sides.values() if side.note]

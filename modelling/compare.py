"""Is weak supervision worth it here? Gold alone, weak labels alone and both, judged on held-out gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.bootstrap import INTERVAL, Floats, interval
from adaptml.data import TASK_GOLD, Data, described, read_gold, read_labels
from adaptml.errors import ModelError
from adaptml.features.catalogue import Reference
from adaptml.folds import FOLDS, folds_of_keys
from adaptml.frames import write_preview
from adaptml.labelled import LABEL, Labelled, labelled
from adaptml.progress import progress
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.metric import METRIC
from adaptml.runs.recording import NOTE_TAG, Recorder
from adaptml.tasks import Task
from adaptml.tasks.defaults import BUILT_IN, SETTINGS_FROM
from adaptml.tasks.metrics import Metric, metric_of
from modelling.algorithms import Algorithm, Classifier, algorithm_name, takes_texts
from modelling.defaults import train_settings
from modelling.learner import Gold, Learner
from modelling.sources import (
    HasRun,
    Reader,
    Split,
    data_of,
    exact_features,
    few_points,
    notes_on_classes,
    settled,
    warn_left_out,
)
from modelling.strategies import AUTO
from modelling.trials import Trials
from modelling.ways import HeldOut
from modelling.weak_labels import label_run, weak_labels

# strategy → what it is called here; in this order
STRATEGIES = {
    "constant": "nothing: always the most frequent class",
    "label_model": "nothing: the label model itself",
    "gold": "gold labels only",
    "weak": "label-model labels only",
    "union": "both, side by side",
    "stacked": "both, gold judges weak labels",
    "stacked_votes": "both, gold judges weak labels and votes",
    "relabelled": "both, the rest labelled anew",
    "relabelled_votes": "both, the rest labelled anew, votes heard",
    AUTO: "what auto takes",
}
WITHOUT_WEAK = ("constant", "gold")  # strategies that need no weak labels


@dataclass(frozen=True)
class Row:
    """One strategy.

    Attributes:
        strategy: its name in `train --strategy`.
        metric: the task's metric on held-out gold; where the strategy leaves something to choose, on gold
            that did not choose it.
        low: lower end of its interval.
        high: upper end.
        plain: the problem's plain measure on the same points: accuracy, or F1 over samples.
        log_loss: on the same points; lower is better.
    """

    strategy: str
    metric: float
    low: float
    high: float
    plain: float
    log_loss: float


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        run_id: the MLflow run.
        address: where the run can be looked at: its page, or the folder of its artifacts.
        measure: name of the task's metric.
        plain_measure: name of the problem's plain measure; a column of its own where it is another.
        rows: one per strategy that could be trained.
        sentence: what it means, plainly.
        n_gold: gold points.
        n_weak: weakly labelled points.
        lines: names and sentences: where settings came from.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> project.compare("spam", labelled).frame.columns.tolist()
        ['strategy', 'trained_on', 'f1_of_positive', 'low', 'high', 'accuracy', 'log_loss']
    """

    run_id: str
    address: str
    measure: str
    plain_measure: str
    rows: Sequence[Row]
    sentence: str
    n_gold: int
    n_weak: int
    lines: Sequence[tuple[str, str]] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame: strategy, trained_on, the measures, low and high of the first, log_loss."""
        named = [STRATEGIES[row.strategy] for row in self.rows]
        frame = pd.DataFrame(list(self.rows))
        if self.plain_measure == self.measure:
            del frame["plain"]
        frame = frame.rename(columns={"metric": self.measure, "plain": self.plain_measure})
        frame.insert(1, "trained_on", named)
        return frame

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        table = self.frame.to_html(index=False, border=0, float_format="{:.3f}".format)
        return f"{table}<p>{escape(self.sentence)}</p>"


def compare(
    project: Project,
    task: str | Task,
    data: Data | HasRun,
    gold: Data = TASK_GOLD,
    *,
    algorithm: str | Classifier | None = None,
    features: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
    soft_labels: bool | None = None,
    seed: int | None = None,
    show_progress: bool = False,
) -> Comparison:
    """Train by each strategy in cross-validation on gold and compare, in one MLflow run.

    What is not given is as the task file keeps it, else built in, as in `train`.

    Args:
        project: holds the features, the gold and the runs.
        task: the task or its name, as in `train`.
        data: a run of `label` (its id or result), or a frame with label (and label_probs).
        gold: `task`, or a frame with gold_label.
        algorithm: name of an algorithm, or any classifier that follows scikit-learn's conventions.
        features: columns to learn from; default: the task's.
        params: the algorithm's parameters, as values or text.
        soft_labels: train on the label model's probabilities; built in: whichever is better.
        seed: of the folds, the training and the bootstrap.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; a run that had begun is marked FAILED.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> project.compare("spam", labelled).frame["strategy"].tolist()
        ['constant', 'gold', 'weak', 'union', 'stacked', 'relabelled', 'auto']
    """
    settings = train_settings(
        project.task(task), algorithm, params, features=list(features), soft_labels=soft_labels, seed=seed
    )
    made, seed = settings.classifier, settings.seed
    if takes_texts(made):
        raise ModelError(
            f"comparing trains a model of each strategy in each of {FOLDS} folds, and {made.name} takes "
            "minutes for one; train it with --gold and each --strategy: their figures are of the same fold"
        )
    labels = _read(project, task, data_of(data), gold)
    task = labels.task
    columns = exact_features(project, task, made, settings.features, labels.gold.keys, labels.weak.keys)
    learner = Learner(made, task.problem, seed=seed)
    shown = _parameters(labels, learner, columns, gold) | {
        "soft_labels": "chosen" if settings.soft_labels is None else settings.soft_labels,
        SETTINGS_FROM: settings.came_from,
    }
    metric = metric_of(task, labels.gold.Y)
    with (
        project.runs.run(task.name, f"compare {shown['algorithm']} {task.setting}", shown) as recorder,
        label_run(project, data_of(data), task) as run,
    ):
        recorder.tags[CLASSES_TAG] = classes_text(task.class_names)
        split = Split(task, labels.source, labels.weak, 0, labels.gold, None)
        for note in (*labels.notes, *few_points(split)):
            recorder.log.warning("%s", note)
        warn_left_out(recorder.log, labels.gold, described(gold))
        warn_left_out(recorder.log, labels.weak, labels.source)
        reader = Reader(project.points, columns, show_progress)
        reader = reader.learned(made, labels.gold.keys, labels.weak.keys)
        for note in reader.columns.notes:
            recorder.log.info("%s", note)
        weak = weak_labels(run, split, reader, soft=settings.soft_labels, rest=True, seed=seed)
        truth = Gold(reader.read(labels.gold.keys), labels.gold.Y, folds_of_keys(labels.gold.keys))
        with progress("comparing", None, shown=show_progress, unit="ways") as advance:
            trials = Trials(
                learner, weak, truth, metric, soft=settings.soft_labels, advance=lambda _: advance(1)
            )
            held_out = _held_out(trials)
        rows, draws = _rows(metric, truth.Y, held_out, seed)
        sentence = verdict(rows, draws) if len(labels.weak) else gold_only(rows, metric)
        _record(recorder, held_out, rows, metric, sentence, made)
        recorder.metrics |= {
            "points_gone": labels.gold.gone + labels.weak.gone,
            "gold_points": len(labels.gold),
            "train_points": len(labels.weak),
        }
    lines = [("settings", settings.came_from)] if settings.came_from != BUILT_IN else []
    return Comparison(
        recorder.run_id,
        recorder.address,
        metric.name,
        task.problem.measure,
        rows,
        sentence,
        len(labels.gold),
        len(labels.weak),
        lines,
    )


def _record(
    recorder: Recorder,
    held_out: Mapping[str, HeldOut],
    rows: Sequence[Row],
    metric: Metric,
    sentence: str,
    made: Classifier,
) -> None:
    """What a run keeps of a comparison."""
    stopped = _stopped(held_out, made)
    if stopped:
        recorder.log.warning("%s", stopped)
    recorder.metrics |= {f"{name}_unconverged": found.unconverged for name, found in held_out.items()}
    for row in rows:
        name = f"{row.strategy}_{metric.logged}"
        recorder.metrics |= {name: row.metric, f"{name}_low": row.low, f"{name}_high": row.high}
        recorder.metrics |= {
            f"{row.strategy}_{metric.problem.measure}": row.plain,
            f"{row.strategy}_log_loss": row.log_loss,
        }
    recorder.params[METRIC] = metric.logged
    write_preview(pd.DataFrame(rows), recorder.folder / "comparison.html")
    recorder.log.info(sentence)
    recorder.tags[NOTE_TAG] = sentence


@dataclass(frozen=True)
class _Labels:
    """What is compared: gold points, and weakly labelled ones that are none of them."""

    task: Task
    source: str
    gold: Labelled
    weak: Labelled
    notes: tuple[str, ...]


def _read(project: Project, task: str | Task, data: Data, gold: Data) -> _Labels:
    source = described(data)
    frame = read_labels(project, data, TRAINING_DATA)
    task = settled(project, task, [(source, data, frame)])
    truth = read_gold(project, gold, task)
    if truth is None:
        raise ModelError("comparing needs gold labels; give --gold task or a frame")
    if len(truth) < 2 * FOLDS:
        raise ModelError(f"{len(truth)} gold points are too few to compare by; expected {2 * FOLDS} or more")
    weak = labelled(frame, task, LABEL, source).without(truth.keys)
    return _Labels(task, source, truth, weak, notes_on_classes(project, task, [(source, data, frame)]))


def _parameters(
    labels: _Labels, learner: Learner, columns: Sequence[Reference], gold: Data
) -> dict[str, object]:
    """What the run records of how it was called."""
    return {
        "task": labels.task.name,
        "setting": labels.task.setting,
        "algorithm": algorithm_name(learner.classifier),
        "train_data": labels.source,
        "gold": described(gold),
        "features": ",".join(map(str, columns)),
        "seed": learner.seed,
        **learner.classifier.get_params(deep=False),
    }


def _held_out(trials: Trials) -> dict[str, HeldOut]:
    """What each strategy says of gold unseen, and what `auto` does; of those that could be trained.

    Raises:
        ModelError: not even gold can be trained on.
    """
    names = [name for name in STRATEGIES if name != AUTO]
    if not any(len(weak.X) for weak in trials.weak.values()):
        names = [name for name in names if name in WITHOUT_WEAK]
    trials.explore(names)
    found = {name: trials.nested(ways, alone=True) for name in names if (ways := trials.of_strategy(name))}
    failed = [error for way, error in trials.failed.items() if way.strategy == "gold"]
    if len(found) < 2 and failed:
        raise failed[0]
    if len(found) > len(WITHOUT_WEAK):
        tried = [way for way in trials.held_out if way.strategy in found]
        found[AUTO] = trials.nested(tried, alone=False)
    return found


def _stopped(held_out: Mapping[str, HeldOut], made: Classifier) -> str:
    """Which strategies' models stopped before they converged, and in how many folds; empty for none."""
    found = [f"{name} {out.unconverged}" for name, out in held_out.items() if out.unconverged]
    if not found:
        return ""
    advice = made.advice() if isinstance(made, Algorithm) else "see its parameters"
    name = algorithm_name(made)
    return f"{name} stopped before it converged, in how many of {FOLDS} folds: {', '.join(found)}; {advice}"


def _rows(
    metric: Metric, Y: npt.NDArray[np.int8], held_out: Mapping[str, HeldOut], seed: int
) -> tuple[list[Row], dict[str, Floats]]:
    """A row per strategy, and its metric in each bootstrap draw: the same draws of points for all."""
    rows, draws = [], {}
    for name in (name for name in STRATEGIES if name in held_out):
        found = held_out[name]
        draws[name] = metric.sign * metric.draws(Y, found.said, seed)
        low, high = metric.interval(Y, found.said, seed)
        rows.append(Row(name, found.metric, low, high, found.plain, found.log_loss))
    return rows, draws


def verdict(rows: Sequence[Row], draws: Mapping[str, Floats]) -> str:
    """One plain sentence: the best strategy with weak labels against gold alone."""
    by_name = {row.strategy: row for row in rows}
    others = [row for row in rows if row.strategy not in ("constant", "gold", AUTO)]
    if "gold" not in by_name or not others:
        return "Not every strategy could be trained on this data, so weak supervision cannot be judged here."
    best, alone = max(others, key=lambda row: draws[row.strategy].mean()), by_name["gold"].metric
    gain = draws[best.strategy] - draws["gold"]
    low, high = interval(gain)
    span = f"{gain.mean():+.3f}, {INTERVAL} {low:+.3f} to {high:+.3f}"
    what = f"{STRATEGIES[best.strategy]} against gold labels only: {span}"
    if low > 0:
        return f"Weak supervision is worth it here ({what})."
    if high < 0:
        return f"Weak supervision does harm here: train on gold alone ({what})."
    if alone == 1:
        return f"Gold is enough here: trained on alone, it predicts every held-out gold point right ({what})."
    return f"This gold set cannot tell whether weak supervision is worth it ({what}); annotate more points."


def gold_only(rows: Sequence[Row], metric: Metric) -> str:
    """One plain sentence where every weakly labelled point is gold."""
    reached = {row.strategy: f"{row.metric:.3f}" for row in rows}
    return (
        "Every weakly labelled point is gold, so there is nothing to compare: gold alone reaches "
        f"{metric.title} {reached.get('gold', 'nothing')} by cross-validation; label more points to compare."
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("compare")

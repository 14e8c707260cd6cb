"""Is weak supervision worth it here? Gold alone, weak labels alone and both, judged on held-out gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.bootstrap import INTERVAL, Floats, bootstrap_means, interval
from adaptml.data import TASK_GOLD, Data, described, read_gold, read_labels
from adaptml.errors import ModelError
from adaptml.features.catalogue import Reference
from adaptml.frames import write_preview
from adaptml.labelled import LABEL, Labelled, labelled
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.recording import NOTE_TAG
from adaptml.tasks import ProblemType, Task
from adaptml.tasks.defaults import BUILT_IN, SETTINGS_FROM
from modelling.algorithms import Algorithm, Classifier, algorithm_name
from modelling.defaults import train_settings
from modelling.sources import (
    HasRun,
    Reader,
    data_of,
    exact_features,
    notes_on_classes,
    settled,
    targets,
    warn_left_out,
)
from modelling.strategies import FOLDS, Gold, HeldOut, Learner, Weak, cross_validate

# strategy → what it is called here; in this order
STRATEGIES = {
    "gold": "gold labels only",
    "weak": "label-model labels only",
    "union": "both, side by side",
    "stacked": "both, gold judges weak labels",
    "relabelled": "both, the rest labelled anew",
}


@dataclass(frozen=True)
class Row:
    """One strategy.

    Attributes:
        strategy: its name in `train --strategy`.
        metric: accuracy (multiclass) or F1 over samples (multilabel) on held-out gold.
        low: lower end of the bootstrap interval.
        high: upper end.
        log_loss: on held-out gold; lower is better.
    """

    strategy: str
    metric: float
    low: float
    high: float
    log_loss: float


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison.

    Attributes:
        run_id: the MLflow run.
        address: where the run can be looked at: its page, or the folder of its artifacts.
        measure: `accuracy` or `f1_samples`.
        rows: one per strategy that could be trained.
        sentence: what it means, plainly.
        n_gold: gold points.
        n_weak: weakly labelled points.
        lines: names and sentences: where settings came from.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> project.compare("spam", labelled).frame.columns.tolist()
        ['strategy', 'trained_on', 'accuracy', 'low', 'high', 'log_loss']
    """

    run_id: str
    address: str
    measure: str
    rows: Sequence[Row]
    sentence: str
    n_gold: int
    n_weak: int
    lines: Sequence[tuple[str, str]] = ()

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame: strategy, trained_on, the measure, low, high, log_loss."""
        named = [STRATEGIES[row.strategy] for row in self.rows]
        frame = pd.DataFrame(list(self.rows)).rename(columns={"metric": self.measure})
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
        soft_labels: train on the label model's probabilities.
        seed: of the folds, the training and the bootstrap.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; a run that had begun is marked FAILED.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> project.compare("spam", labelled).frame["strategy"].tolist()
        ['gold', 'weak', 'union', 'stacked', 'relabelled']
    """
    settings = train_settings(
        project.task(task), algorithm, params, features=list(features), soft_labels=soft_labels, seed=seed
    )
    made, seed = settings.classifier, settings.seed
    labels = _read(project, task, data_of(data), gold)
    task = labels.task
    columns = exact_features(project, task, settings.features, labels.gold.keys, labels.weak.keys)
    learner = Learner(made, task.problem, settings.soft_labels, seed)
    shown = _parameters(labels, learner, columns, gold) | {SETTINGS_FROM: settings.came_from}
    with project.runs.run(task.name, f"compare {shown['algorithm']} {task.setting}", shown) as recorder:
        recorder.tags[CLASSES_TAG] = classes_text(task.class_names)
        for note in labels.notes:
            recorder.log.warning("%s", note)
        warn_left_out(recorder.log, labels.gold, described(gold))
        warn_left_out(recorder.log, labels.weak, labels.source)
        reader = Reader(project.points, columns, show_progress)
        reader = reader.learned(made, labels.gold.keys, labels.weak.keys)
        for note in reader.columns.notes:
            recorder.log.info("%s", note)
        held_out = _held_out(labels, learner, reader)
        stopped = _stopped(held_out, made)
        if stopped:
            recorder.log.warning("%s", stopped)
        recorder.metrics |= {f"{name}_unconverged": found.unconverged for name, found in held_out.items()}
        rows, draws = _rows(task.problem, labels.gold.Y, held_out, seed)
        recorder.metrics["points_gone"] = labels.gold.gone + labels.weak.gone
        for row in rows:
            recorder.metrics[f"{row.strategy}_{task.problem.measure}"] = row.metric
            recorder.metrics[f"{row.strategy}_{task.problem.measure}_low"] = row.low
            recorder.metrics[f"{row.strategy}_{task.problem.measure}_high"] = row.high
            recorder.metrics[f"{row.strategy}_log_loss"] = row.log_loss
        write_preview(pd.DataFrame(rows), recorder.folder / "comparison.html")
        sentence = verdict(rows, draws) if len(labels.weak) else gold_only(rows[0], task.problem)
        recorder.log.info(sentence)
        recorder.tags[NOTE_TAG] = sentence
        recorder.metrics |= {"gold_points": len(labels.gold), "train_points": len(labels.weak)}
    n_gold, n_weak, measure = len(labels.gold), len(labels.weak), task.problem.measure
    lines = [("settings", settings.came_from)] if settings.came_from != BUILT_IN else []
    return Comparison(recorder.run_id, recorder.address, measure, rows, sentence, n_gold, n_weak, lines)


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
        "soft_labels": learner.soft_labels,
        "seed": learner.seed,
        **learner.classifier.get_params(deep=False),
    }


def _held_out(labels: _Labels, learner: Learner, reader: Reader) -> dict[str, HeldOut]:
    """What each strategy says of gold by cross-validation; gold alone where there is nothing else."""
    gold = Gold(reader.read(labels.gold.keys), labels.gold.Y)
    if len(labels.weak) == 0:
        return cross_validate(["gold"], learner, None, gold)
    P = targets(labels.weak, labels.source, learner.soft_labels)
    return cross_validate(list(STRATEGIES), learner, Weak(reader.read(labels.weak.keys), P), gold)


def _stopped(held_out: Mapping[str, HeldOut], made: Classifier) -> str:
    """Which strategies' models stopped before they converged, and in how many folds; empty for none."""
    found = [f"{name} {out.unconverged}" for name, out in held_out.items() if out.unconverged]
    if not found:
        return ""
    advice = made.advice() if isinstance(made, Algorithm) else "see its parameters"
    name = algorithm_name(made)
    return f"{name} stopped before it converged, in how many of {FOLDS} folds: {', '.join(found)}; {advice}"


def _rows(
    problem: ProblemType, Y: npt.NDArray[np.int8], held_out: Mapping[str, HeldOut], seed: int
) -> tuple[list[Row], dict[str, Floats]]:
    """A row per strategy, and its metric in each bootstrap draw: the same draws of points for all."""
    rows, draws = [], {}
    for name in (name for name in STRATEGIES if name in held_out):
        scores = problem.scores(Y, problem.decide(held_out[name].probs))
        draws[name] = bootstrap_means(scores, seed)
        low, high = interval(draws[name])
        rows.append(Row(name, float(scores.mean()), low, high, held_out[name].log_loss))
    return rows, draws


def verdict(rows: Sequence[Row], draws: Mapping[str, Floats]) -> str:
    """One plain sentence: the best strategy with weak labels against gold alone."""
    by_name = {row.strategy: row for row in rows}
    others = [row for row in rows if row.strategy != "gold"]
    if "gold" not in by_name or not others:
        return "Not every strategy could be trained on this data, so weak supervision cannot be judged here."
    best, alone = max(others, key=lambda row: row.metric), by_name["gold"].metric
    gain = draws[best.strategy] - draws["gold"]
    low, high = interval(gain)
    span = f"{best.metric - alone:+.3f}, {INTERVAL} {low:+.3f} to {high:+.3f}"
    what = f"{STRATEGIES[best.strategy]} against gold labels only: {span}"
    if low > 0:
        return f"Weak supervision is worth it here ({what})."
    if high < 0:
        return f"Weak supervision does harm here: train on gold alone ({what})."
    if alone == 1:
        return f"Gold is enough here: trained on alone, it predicts every held-out gold point right ({what})."
    return f"This gold set cannot tell whether weak supervision is worth it ({what}); annotate more points."


def gold_only(row: Row, problem: ProblemType) -> str:
    """One plain sentence where every weakly labelled point is gold."""
    return (
        "Every weakly labelled point is gold, so there is nothing to compare: gold alone reaches "
        f"{problem.measure_title} {row.metric:.3f} by cross-validation; label more points to compare."
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("compare")

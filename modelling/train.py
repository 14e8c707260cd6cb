"""Train an end model: features and labels in; an evaluated, registered classifier out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from adaptml.data import Data, described
from adaptml.errors import ModelError
from adaptml.features.catalogue import Reference
from adaptml.files import write_text
from adaptml.frames import KEYS, write_preview
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.runs.artifacts import REPORT
from adaptml.runs.tracking import Recorder
from adaptml.tasks import Task
from modelling.algorithms import (
    Classifier,
    EndModel,
    algorithm_name,
    check_savable,
    classifier,
    takes_weights,
)
from modelling.evaluate import Evaluation
from modelling.registration import model_to_log, registered_name
from modelling.report import errors
from modelling.report_page import train_report
from modelling.sources import HasRun, Reader, Split, data_of, exact_features, split, targets
from modelling.strategies import AUTO, STRATEGY_USED, Combined, Gold, Learner, Weak, combine

DEFAULT_ALGORITHM = "logistic_regression"


@dataclass(frozen=True, eq=False, repr=False)
class TrainResult:
    """The result of a training run.

    Attributes:
        run_id: the MLflow run.
        address: where the run can be looked at: its page, or the folder of its artifacts.
        artifact_uri: where its artifacts lie.
        task: the task, with the problem type that was trained.
        model: the fitted end model.
        model_name: name of the registered model.
        version: the version that the registry gave it.
        strategy: how gold and weak labels were combined, and why.
        n_train: weakly labelled data points that it was trained on.
        n_gold: gold data points that it was trained on too.
        n_held_out: points of the training frame that were left out because they are gold or tested on.
        metrics: `lm_…` against the label model's labels, `gold_…` against gold.
        predictions: table_name, id, label, label_probs, and gold_label where it is known, of the test points
            and of the gold points that were predicted by cross-validation.
        lines: names and sentences that say all of this to people.
        warnings: what looks wrong, one sentence each.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled, gold="task", strategy="union")
        >>> trained.n_gold, len(trained.predictions)
        (12, 12)
    """

    run_id: str
    address: str
    artifact_uri: str
    task: Task
    model: EndModel
    model_name: str
    version: str
    strategy: str
    n_train: int
    n_gold: int
    n_held_out: int
    metrics: Mapping[str, float]
    predictions: pd.DataFrame
    lines: Sequence[tuple[str, str]]
    warnings: Sequence[str]

    def errors(self) -> pd.DataFrame:
        """The predictions that differ from gold."""
        return errors(self.predictions)

    def __repr__(self) -> str:
        return "\n".join(["TrainResult", *(f"{name:<15}{text}" for name, text in self.lines)])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self.lines
        )
        return f"<table>{rows}</table>"


def train(
    project: Project,
    task: str | Task,
    data: Data | HasRun,
    *,
    algorithm: str | Classifier = DEFAULT_ALGORITHM,
    test: Data | HasRun | float | None = None,
    gold: Data | None = None,
    features: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
    soft_labels: bool = False,
    strategy: str = AUTO,
    seed: int = 0,
    texts: bool = True,
    show_progress: bool = False,
) -> TrainResult:
    """Train, evaluate and register an end model in one MLflow run.

    Args:
        project: holds the features, the gold and the runs.
        task: the task or its name; the model is registered as `<setting>_<task>`. A name takes the problem
            type that the labels were made for; a task whose problem type differs from it is refused.
        data: what to learn from: a run of `label` (its id or result), or a frame with `label` (and
            `label_probs`), or the path of one.
        algorithm: name of an algorithm, or any classifier that follows scikit-learn's conventions; a copy
            of it is trained.
        test: what to evaluate on, as data, or a share of the training points such as 0.2. Points that are
            here too are not trained on. `label` gives the `lm_…` metrics, `gold_label` the `gold_…` ones.
        gold: `task`, or a frame with `gold_label` or the path of one, to learn from too. The `gold_…`
            metrics then come from cross-validation: each point is predicted by a model that did not see it.
        features: columns and features to learn from, concatenated in this order; default: the task's. Of a
            feature, the model learns from the version that its name stands for now, and is asked with that.
        params: the algorithm's parameters, as values or, for an algorithm by name, as text.
        soft_labels: train on `label_probs` (noise-aware) in place of `label`.
        strategy: how gold and weak labels are combined: `auto` (weak alone where there is no gold) or one of
            `strategies.list_strategies()`.
        seed: the same inputs and seed give the same model on the same machine.
        texts: show the texts of data points in the run's report.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; a run that had begun is marked FAILED.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled, test=0.2)
        >>> trained.model_name, trained.n_train
        ('multiclass_spam', 19)
    """
    made = _checked(algorithm, params, soft_labels)
    labels = split(project, task, data, test, gold, seed)
    learner = Learner(made, labels.task.problem, soft_labels, seed)
    gold_keys = None if labels.gold is None else labels.gold.keys
    columns = exact_features(project, labels.task, features, labels.training.keys, gold_keys, labels.test)
    shown = _parameters(labels, learner, columns, strategy, test, gold)
    name = f"train {algorithm_name(made)} {labels.task.setting}"
    with project.runs.run(labels.task.name, name, shown) as recorder:
        labels.tell(recorder.log)
        reader = Reader(project.points, columns, show_progress)
        reader = reader.learned(made, labels.training.keys, gold_keys)
        for note in reader.columns.notes:
            recorder.log.info("%s", note)
        training = _Training(labels, learner, reader, recorder)
        done = training.run(strategy)
        lines = [
            *_lines(labels, done, training.evaluation),
            *(("column", note) for note in reader.columns.notes),
        ]
        _write_report(project, training, recorder, lines, seed, texts)
        example = (labels.gold if len(labels.training) == 0 and labels.gold else labels.training).keys
        recorder.model = model_to_log(
            labels.task, done.model, columns, training.width, example, recorder.folder, reader.columns
        )
    return _result(recorder, labels, done, training, lines)


def _checked(
    algorithm: str | Classifier, params: Mapping[str, object] | None, soft_labels: bool
) -> Classifier:
    """The unfitted classifier, if it can do what is asked."""
    made = classifier(algorithm, params)
    check_savable(made)
    if soft_labels and not takes_weights(made):
        raise ModelError(
            f"{algorithm_name(made)} takes no sample weights, which soft labels need; train it on hard labels"
        )
    return made


def _parameters(
    labels: Split,
    learner: Learner,
    columns: Sequence[Reference],
    strategy: str,
    test: Data | HasRun | float | None,
    gold: Data | None,
) -> dict[str, object]:
    """What the run records of how it was called."""
    tested = test if isinstance(test, float) else described(data_of(test))
    return {
        "task": labels.task.name,
        "setting": labels.task.setting,
        "algorithm": algorithm_name(learner.classifier),
        "features": ",".join(map(str, columns)),
        "train_data": labels.source,
        "test_data": tested,
        "gold": described(gold),
        "combine": strategy if labels.gold is not None else "weak",
        "soft_labels": learner.soft_labels,
        "seed": learner.seed,
        **learner.classifier.get_params(deep=False),
    }


class _Training:
    """One training: reads features, trains, evaluates.

    Attributes:
        labels: what is trained and tested on.
        evaluation: how good the model is.
        warnings: what looks wrong.
        width: how many numbers a data point's features have.
    """

    def __init__(self, labels: Split, learner: Learner, reader: Reader, recorder: Recorder) -> None:
        self.labels, self._learner, self._reader, self._recorder = labels, learner, reader, recorder
        self.evaluation = Evaluation(labels.task, recorder.folder)
        self.warnings = list(labels.notes)
        self.width = 0

    def run(self, strategy: str) -> Combined:
        """Train by a strategy, and evaluate."""
        weak, gold = self._weak(), self._gold()
        done = combine(strategy, self._learner, weak, gold)
        self._recorder.params[STRATEGY_USED] = done.strategy
        self._recorder.log.info("strategy %s: %s", done.strategy, done.reason)
        stopped = done.model.unconverged_ or getattr(done.model.base_model, "unconverged_", "")
        if stopped:
            self._recorder.log.warning("%s", stopped)
            self.warnings.append(stopped)
        self.width = (weak or gold).X.shape[1]  # type: ignore[union-attr] # combine has refused neither
        if gold is not None and self.labels.gold is not None:
            self.evaluation.on_gold(self._learner, weak, gold, done, self.labels.gold)
        if self.labels.test is not None:
            self.evaluation.on_test(done.model, self._reader, self.labels.test)
        self._record()
        return done

    def _weak(self) -> Weak | None:
        training = self.labels.training
        if len(training) == 0:
            return None
        P = targets(training, self.labels.source, self._learner.soft_labels)
        return Weak(self._reader.read(training.keys), P)

    def _gold(self) -> Gold | None:
        gold = self.labels.gold
        return None if gold is None else Gold(self._reader.read(gold.keys), gold.Y)

    def _record(self) -> None:
        counts = {"train_points": len(self.labels.training), "train_points_held_out": self.labels.n_held_out}
        self._recorder.metrics |= self.evaluation.metrics | counts | {"points_gone": self.labels.n_gone}
        if len(self.labels.training):
            write_preview(self.labels.training.keys, self._recorder.folder / "training_data.html")


def _write_report(
    project: Project,
    training: _Training,
    recorder: Recorder,
    lines: Sequence[tuple[str, str]],
    seed: int,
    texts: bool,
) -> None:
    task, found = training.labels.task, training.evaluation
    truth, probs = found.gold or (None, None)
    weak, gold = training.labels.training.Y, training.labels.gold
    page = train_report(
        f"End model of task {task.name}",
        task.class_names,
        weak if gold is None else np.vstack([weak, gold.Y]),
        None if truth is None else truth.keys[KEYS],
        None if truth is None else truth.Y,
        None if probs is None else task.problem.decide(probs),
        probs,
        multilabel=not task.problem.exclusive,
        policy=f"Predicted {found.policy}." if found.policy else "",
        metrics=recorder.metrics,
        read_texts=texts_of_task(project.database, task) if texts else None,
        lines=lines,
        warnings=training.warnings,
        seed=seed,
    )
    write_text(page, recorder.folder / REPORT)


def _lines(labels: Split, done: Combined, found: Evaluation) -> list[tuple[str, str]]:
    """A training as names and sentences, for people to read."""
    weak = len(labels.training) > 0 and done.strategy != "gold"
    gold = labels.gold is not None and done.strategy != "weak"
    parts = [f"{len(labels.training)} weakly labelled points"] if weak else []
    parts += [f"{len(labels.gold or ())} gold points"] if gold else []
    others = "gold or tested on" if labels.gold is not None else "tested on"
    kept = f" ({labels.n_held_out} points of the same data are {others} instead)" if labels.n_held_out else ""
    kept += f"; {labels.n_gone} points are gone from their table" if labels.n_gone else ""
    sentences = found.sentences()
    lines = [("trained on", " and ".join(parts) + kept), ("strategy", f"{done.strategy}: {done.reason}")]
    lines += [(f"on {whose}", text) for whose, text in sentences.items()]
    if "gold" not in sentences:
        lines.append(("on gold", "no metric: no gold was given to compare with; see --test and --gold"))
    return lines


def _result(
    recorder: Recorder, labels: Split, done: Combined, training: _Training, lines: list[tuple[str, str]]
) -> TrainResult:
    name, version = registered_name(labels.task), str(recorder.model_version)
    told = f"{name} version {version}; make it the champion: adaptml deploy {name}"
    frames = training.evaluation.predictions
    return TrainResult(
        run_id=recorder.run_id,
        address=recorder.address,
        artifact_uri=recorder.artifact_uri,
        task=labels.task,
        model=done.model,
        model_name=name,
        version=version,
        strategy=f"{done.strategy}: {done.reason}",
        n_train=len(labels.training),
        n_gold=0 if labels.gold is None else len(labels.gold),
        n_held_out=labels.n_held_out,
        metrics=dict(recorder.metrics),
        predictions=pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=KEYS),
        lines=[*lines, ("registered", told), ("run", recorder.run_id), ("artifacts", recorder.artifact_uri)],
        warnings=training.warnings,
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("train")

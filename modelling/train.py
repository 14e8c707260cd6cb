"""Train an end model: features and labels in; an evaluated, registered classifier out."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import pandas as pd

from adaptml.data import Data
from adaptml.fixing.result import ToFix, write_to_fix
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.rules.of_model import ModelRules
from adaptml.runs.artifacts import RULES, TO_FIX
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.recording import Recorder
from adaptml.tasks import Task
from adaptml.tasks.defaults import check_keeping
from adaptml.tasks.defaults import keep as keep_in_file
from modelling.algorithms import Classifier, EndModel, algorithm_name
from modelling.choosing import Combined
from modelling.defaults import TrainSettings, check_kept_by_name, to_keep, train_settings
from modelling.fixing import to_fix_of_training
from modelling.learner import Learner
from modelling.memory import Memory
from modelling.registration import model_to_log, registered_name
from modelling.report import errors
from modelling.search import drawn_settings
from modelling.sources import HasRun, Reader, Split, data_of, exact_features, split
from modelling.training import Training, fine_tuned
from modelling.training_report import run_parameters, training_lines, write_report
from modelling.weak_labels import LabelRun, label_run


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
        to_keep: what a task file keeps of it under `train`: all that is not built in.

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
    to_keep: Mapping[str, Any]

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
    algorithm: str | Classifier | None = None,
    test: Data | HasRun | float | None = None,
    gold: Data | None = None,
    features: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
    soft_labels: bool | None = None,
    strategy: str | None = None,
    seed: int | None = None,
    search: int | None = None,
    keep: bool = False,
    max_memory: str | int | None = None,
    texts: bool = True,
    show_progress: bool = False,
) -> TrainResult:
    """Train, evaluate and register an end model in one MLflow run.

    What `algorithm`, `params`, `features`, `soft_labels`, `strategy` and `seed` do not say is as the task
    file keeps it, else built in.

    Args:
        project: holds the features, the gold and the runs.
        task: the task or its name; the model is registered as `<setting>_<task>`. A name takes the problem
            type that the labels were made for; a task whose problem type differs from it is refused.
        data: what to learn from: a run of `label` (its id or result), or a frame with `label` (and
            `label_probs`), or the path of one.
        algorithm: name of an algorithm (built in: logistic regression), or any classifier that follows
            scikit-learn's conventions; a copy of it is trained.
        test: what to evaluate on, as data, or a share of the training points such as 0.2. Points that are
            here too are not trained on. `label` gives the `lm_…` metrics, `gold_label` the `gold_…` ones.
        gold: `task`, or a frame with `gold_label` or the path of one, to learn from too. The `gold_…`
            metrics then come from cross-validation: each point is predicted by a model that neither saw it
            nor was chosen by it.
        features: columns and features to learn from, concatenated in this order; default: the task's. Of a
            feature, the model learns from the version that its name stands for now, and is asked with that.
        params: the algorithm's parameters, as values or, for an algorithm by name, as text.
        soft_labels: train on `label_probs` (noise-aware) in place of `label`; built in: whichever is better
            on held-out gold, and `label` where there is too little of it.
        strategy: how gold and weak labels are combined: `auto`, which is built in (weak alone where there is
            no gold), or one of `strategies.list_strategies()`. What a strategy leaves open is chosen on
            held-out gold too: whose labels of the run's label models, hard or soft, and whether rare classes
            count more.
        seed: the same inputs and seed give the same model on the same machine; built in: 0.
        search: how many settings of the algorithm's parameters to try at random; those in `params` stay as
            they are. The best on gold is taken; the `gold_…` metrics then come from gold that did not choose.
        keep: write what was used and is not built in into the task file, as the task's defaults.
        max_memory: about how much memory it may take in all, such as `4GB`, or bytes; default: half of what
            is free. Points that do not fit are learned from a block at a time.
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
    known = project.task(task)
    given = {"strategy": strategy, "features": list(features), "soft_labels": soft_labels, "seed": seed}
    settings = train_settings(known, algorithm, params, **given)
    drawn = _checked(known, settings, params, search, keep=keep)
    memory = Memory.of(max_memory)
    labels = split(project, task, data, test, gold, settings.seed, memory)
    one = _Step(project, labels, data_of(data), settings, memory, show_progress)
    shown = run_parameters(labels, one.learner, one.columns, settings, test, gold)
    with one.recorded(shown) as (recorder, run):
        training, done, lines = one.trained(recorder, run, drawn, texts=texts)
    section = to_keep(known, settings, training.learner.classifier)
    if keep:
        lines.append(("kept", keep_in_file(known, "train", section, recorder.run_id)))
    return _result(recorder, labels, done, training, lines, section)


def _checked(
    task: Task,
    settings: TrainSettings,
    params: Mapping[str, object] | None,
    search: int | None,
    *,
    keep: bool,
) -> list[dict[str, Any]] | None:
    """What a search tries, or None; what cannot be is refused before anything is read."""
    if keep:
        check_kept_by_name(settings.classifier)
        check_keeping(task)
    if search is None:
        return None
    return drawn_settings(settings.classifier, list(params or {}), search, settings.seed)


class _Step:
    """One call of `train`, whose labels are read."""

    def __init__(
        self,
        project: Project,
        labels: Split,
        data: Data,
        settings: TrainSettings,
        memory: Memory,
        show_progress: bool,
    ) -> None:
        self._project, self._labels, self._data, self._settings = project, labels, data, settings
        self._memory = memory
        made, self._shown = settings.classifier, show_progress
        self.learner = Learner(made, labels.task.problem, seed=settings.seed, show_progress=show_progress)
        self._gold_keys = None if labels.gold is None else labels.gold.keys
        self.columns = exact_features(
            project, labels.task, made, settings.features, labels.training.keys, self._gold_keys, labels.test
        )

    @contextmanager
    def recorded(self, shown: Mapping[str, object]) -> Iterator[tuple[Recorder, LabelRun]]:
        """Its own run and that of its labels, while the block lasts."""
        task = self._labels.task
        name = f"train {algorithm_name(self.learner.classifier)} {task.setting}"
        with (
            self._project.runs.run(task.name, name, shown) as recorder,
            label_run(self._project, self._data, task) as run,
        ):
            recorder.tags[CLASSES_TAG] = classes_text(task.class_names)
            self._labels.tell(recorder.log)
            yield recorder, run

    def trained(
        self, recorder: Recorder, run: LabelRun, drawn: Sequence[Mapping[str, Any]] | None, *, texts: bool
    ) -> tuple[Training, Combined, list[tuple[str, str]]]:
        """Train, and have the run keep the model, its report and what is to be fixed; and the lines."""
        labels, settings = self._labels, self._settings
        reader = Reader(self._project.points, self.columns, self._shown, memory=self._memory)
        reader = reader.learned(self.learner.classifier, labels.training.keys, self._gold_keys)
        for note in reader.columns.notes:
            recorder.log.info("%s", note)
        training = Training(labels, self.learner, reader, recorder, run)
        done = training.run(settings.strategy, settings.soft_labels, drawn)
        lines = [
            *training_lines(labels, done, training.evaluation, training.ties(done)),
            *training.lines(settings.came_from),
            *(("fine-tuning", note) for note in fine_tuned(done.model)),
            *(("column", note) for note in reader.columns.notes),
        ]
        to_fix = self._to_fix(training, reader)
        if to_fix is not None:
            write_to_fix(to_fix, recorder.folder / TO_FIX)
            lines.append(("to fix next", "; ".join(to_fix.sentences)))
        write_report(self._project, training, done, recorder, lines, settings.seed, texts, to_fix)
        example = (labels.gold if len(labels.training) == 0 and labels.gold else labels.training).keys
        recorder.model = model_to_log(
            labels.task,
            done.model,
            self.columns,
            training.width,
            example,
            recorder.folder,
            reader.columns,
            **_voting(done, run),
        )
        return training, done, lines

    def _to_fix(self, training: Training, reader: Reader) -> ToFix | None:
        labels, weak = self._labels, training.weak
        if weak is not None and weak.rows is not None:  # it looks among the sample that chose
            labels = replace(labels, training=labels.training.take(weak.rows))
        return to_fix_of_training(
            self._project, self._data, labels, reader, training.learner, training.weak, training.gold,
            training.evaluation.gold,
        )  # fmt: skip


def _voting(done: Combined, run: LabelRun) -> dict[str, Any]:
    """What a model that takes votes is kept with; nothing of another."""
    if not done.model.takes_votes:
        return {}
    file = run.artifact(RULES)
    return {
        "without_votes": done.without_votes,
        "label_model": run.label_model(done.way.label_model),
        "rules": None if file is None else ModelRules.read(file),
    }


def _result(
    recorder: Recorder,
    labels: Split,
    done: Combined,
    training: Training,
    lines: list[tuple[str, str]],
    section: Mapping[str, Any],
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
        strategy=f"{done.way}: {done.reason}",
        n_train=len(labels.training),
        n_gold=0 if labels.gold is None else len(labels.gold),
        n_held_out=labels.n_held_out,
        metrics=dict(recorder.metrics),
        predictions=pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=KEYS),
        lines=[*lines, ("registered", told), ("run", recorder.run_id), ("artifacts", recorder.artifact_uri)],
        warnings=training.warnings,
        to_keep=section,
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("train")

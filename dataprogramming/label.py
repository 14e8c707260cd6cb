"""The step `label`: labelling functions' votes become labels and probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from adaptml.data import Data, described, read_gold, read_points, whole_table
from adaptml.errors import LabellingError
from adaptml.folds import folds_of_keys
from adaptml.frames import GONE
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.recording import Recorder
from adaptml.tasks import Task
from adaptml.tasks.defaults import SETTINGS_FROM, check_keeping
from adaptml.tasks.defaults import keep as keep_in_file
from adaptml.tasks.metrics import metric_of
from dataprogramming.apply import sampled
from dataprogramming.artifacts import registered_name
from dataprogramming.defaults import LabelSettings, label_settings, to_keep
from dataprogramming.keyword_counts import MOST_POINTS, keyword_hits_of
from dataprogramming.label_models.core import covered
from dataprogramming.labelling import Labelling, gold_of, run_params
from dataprogramming.lf_versions import lf_versions
from dataprogramming.model_rules import model_rules
from dataprogramming.recording import record
from dataprogramming.selection import Config, select_label_model
from dataprogramming.vote_elsewhere import voter_of
from dataprogramming.voter import Voter
from dataprogramming.votes import Votes
from dataprogramming.write_labels import labels_table, write_labels


@dataclass(frozen=True, eq=False, repr=False)
class LabelResult:
    """The result of `label`.

    Attributes:
        run_id: the MLflow run; empty where nothing was logged.
        artifact_uri: where its artifacts lie; empty likewise.
        address: where the run can be looked at: its page on the server, else the folder of its artifacts.
        model: name and version of the registered label model; empty likewise.
        chosen: the label model that was chosen.
        reason: why, in one sentence.
        n_points: points to label.
        n_covered: those with at least one vote; the others are not in the training data.
        n_gold: gold points used; 0 without gold.
        n_gold_left_out: gold points without exactly one class, in multiclass runs.
        metrics: all metrics of the run.
        warnings: what looks wrong, one sentence each.
        lines: the outcome as names and texts, for people to read.
        votes: what each labelling function says of each point.
        gold_votes: the same of the gold points; None without gold.
        training_data: the labelled points: table_name, id, label (class names), label_probs.
        development_data: the gold points as the label model labels them without having seen them, and
            gold_label; None without gold.
        lf_summary: a row per labelling function.
        new_rows: rows written to the database; None where that was not asked for.
        to_keep: what a task file keeps of it under `label`: all that is not built in; empty in a dry run.

    Example:
        >>> labelled = project.label("spam", "comments", gold="task", label_model="majority_vote")
        >>> labelled.training_data.columns.tolist()
        ['table_name', 'id', 'label', 'label_probs']
        >>> labelled.errors()[["id", "label", "gold_label"]]
            id   label gold_label
        0   h9  [spam]      [ham]
        1  s10   [ham]     [spam]
        2   s7   [ham]     [spam]
    """

    run_id: str
    artifact_uri: str
    address: str
    model: str
    chosen: str
    reason: str
    n_points: int
    n_covered: int
    n_gold: int
    n_gold_left_out: int
    metrics: Mapping[str, float]
    warnings: Sequence[str]
    lines: Sequence[tuple[str, str]]
    votes: Votes
    gold_votes: Votes | None
    training_data: pd.DataFrame
    development_data: pd.DataFrame | None
    lf_summary: pd.DataFrame
    new_rows: int | None = None
    to_keep: Mapping[str, Any] = field(default_factory=dict)

    def errors(self, lf: str | None = None) -> pd.DataFrame:
        """The gold points that the label model gets wrong, or that one labelling function votes wrongly on.

        Args:
            lf: name of a labelling function; None is the label model, which had not seen the point's gold.

        Returns:
            Frame: table_name, id, texts, label (of the label model), gold_label, and each LF's vote.

        Raises:
            LabellingError: no such labelling function, or a run without gold.
        """
        if lf is not None:
            return self.votes.rows(lf, wrong=True)
        if self.gold_votes is None or self.development_data is None:
            raise LabellingError("there is no gold in this run, so no error is known; label with gold")
        frame = self.development_data
        said, true = frame["label"].map(tuple), frame["gold_label"].map(tuple)
        wrong = np.asarray(said != true)
        return self.gold_votes.shown(wrong, {"label": frame["label"][wrong].tolist()})

    def __repr__(self) -> str:
        return "\n".join(["LabelResult", *(f"{name:<15}{text}" for name, text in self.all_lines())])

    def _repr_html_(self) -> str:
        """What a notebook shows: the outcome, and the table of labelling functions."""
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self.all_lines()
        )
        table = self.lf_summary.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        return f"<table>{cells}</table>{table}"

    def all_lines(self) -> list[tuple[str, str]]:
        """The outcome and where it lies, the run first."""
        reused = [] if self.votes.reuse is None else self.votes.reuse.lines()
        lines = [*self.lines, *(("votes", line) for line in reused)]
        if not self.run_id:
            return [*lines, ("run", "none: nothing was logged")]
        found = [("run", self.run_id), *lines, ("registered", self.model)]
        if self.new_rows is not None:
            found.append(("database", f"{labels_table(self.votes.task)}, {self.new_rows} new rows"))
        if self.address != self.artifact_uri:
            found.append(("page", self.address))
        return [*found, ("artifacts", self.artifact_uri)]


def label(
    project: Project,
    task: str | Task,
    data: Data,
    gold: Data | None = None,
    *,
    label_model: str | None = None,
    config: Config | None = None,
    lf_parameters: Mapping[str, Any] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    fault_tolerant: bool = False,
    fresh: bool = False,
    write: bool = False,
    dry_run: bool = False,
    where: str | None = None,
    new: bool = False,
    keep: bool = False,
    texts: bool = True,
    show_progress: bool = False,
) -> LabelResult:
    """Label data points with a task's labelling functions, in one MLflow run.

    What `label_model`, `config` and `lf_parameters` do not say is as the task file keeps it, else built in.

    Reads the LF features, applies the LFs, fits and compares the label models, labels, evaluates on gold by
    cross-validation, and logs. A point without votes is left out of the training data.

    Args:
        project: holds the data, the gold and the runs.
        task: the task, or its name; or a task made in Python, with its labelling functions.
        data: the points to label: a table, `table where …`, a frame or a path of one.
        gold: `task` for what `process-annotations` made, a frame with gold_label or a path of one; `none` or
            None for none.
        label_model: `auto`, which is built in, or the name of a label model of the setting.
        config: parameters of label models by name, such as `{"seed": 1, "n_epochs": 100}`.
        lf_parameters: values, or text, of the parameters that the task's `get_lfs` declares.
        workers: number of processes that apply LFs.
        scheduler: address of a scheduler whose workers do so, see `adaptml.scale`.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the run.
        fresh: compute every vote anew, also those that were kept.
        write: also write labels to `<task>_labels` in the database.
        dry_run: log, register and write nothing.
        where: a person's own SQL condition on the rows of the table.
        new: only points that `<task>_labels` does not hold yet.
        keep: write what was used and is not built in into the task file, as the task's defaults.
        texts: show what annotators see of the points in the report.
        show_progress: draw progress bars.

    Raises:
        LabellingError: labelling functions or label models that cannot be used.
        NothingNewError: only new points were asked for, and there are none; no run is made.
        FrameError, TaskError, DatabaseError: data or gold that cannot be read, or labels that cannot be
            written; the run is then complete.
        TrackingError: the run cannot be logged.

    Example:
        >>> labelled = project.label("spam", "comments", gold="task")
        >>> labelled.n_points, labelled.n_gold, labelled.training_data.columns.tolist()
        (24, 12, ['table_name', 'id', 'label', 'label_probs'])
    """
    task = project.task(task)
    settings = label_settings(task, label_model, config, lf_parameters)
    if keep:
        _check_keeping(task, dry_run)
    voter = voter_of(
        project, task, settings.lfs.given, workers=workers, scheduler=scheduler,
        fault_tolerant=fault_tolerant, fresh=fresh, show_progress=show_progress,
    )  # fmt: skip
    unlabelled = read_points(project, data, where=where, not_in=labels_table(task.name)) if new else None

    def find() -> Labelling:
        """Read, apply, select; new points are read before a run is opened: without any, there is none."""
        voter.load()
        points: pd.DataFrame | str | None = unlabelled
        if points is None:
            points = whole_table(project, data, where) or read_points(project, data, where=where)
        return _labelled(voter, points, read_gold(project, gold, task), settings)

    if dry_run:
        return _result(find(), None)
    given = {
        "train_data": described(data) if where is None else f"{described(data)} where {where}",
        "dev_data": described(gold),
        "label_model": settings.label_model,
        **settings.config.used,
        "workers": workers,
        "fault_tolerant": fault_tolerant,
        **settings.lfs.used,
        SETTINGS_FROM: settings.came_from,
    }
    with project.runs.run(task.name, f"label {task.setting}", run_params(task, given)) as recorder:
        found = find()
        record(found, recorder, tolerant=fault_tolerant, texts=texts, seed=settings.seed)
    done = replace(_result(found, recorder), to_keep=to_keep(task, settings))
    if keep:
        done = replace(
            done,
            lines=[*done.lines, ("kept", keep_in_file(task, "label", done.to_keep, done.run_id))],
        )
    if not write:
        return done
    return replace(done, new_rows=write_labels(project, task, done.run_id, done.training_data))


def _check_keeping(task: Task, dry_run: bool) -> None:
    if dry_run:
        raise LabellingError("dry_run writes nothing and keep writes into the task file; give one of the two")
    check_keeping(task)


def _labelled(
    voter: Voter, points: pd.DataFrame | str, known: Labelled | None, settings: LabelSettings
) -> Labelling:
    """Apply the labelling functions, fit and compare the label models."""
    task = voter.task
    versions = lf_versions(voter.lfs, voter.kept.prints, task.folder)  # before a rule has kept anything
    votes = voter.all_votes(points, known)
    known_gold = gold_of(votes)
    selection = select_label_model(
        task.problem,
        votes.L,
        known_gold,
        len(task.classes),
        fold=None if votes.gold is None else folds_of_keys(votes.gold.keys),
        metric=metric_of(task, None if known_gold is None else known_gold.Y),
        sets=votes.sets,
        choice=settings.label_model,
        config=settings.config.used,
    )
    counted = sampled(votes.keys, MOST_POINTS, seed=0)
    return Labelling(
        task,
        votes,
        0 if known is None else known.left_out,
        selection,
        versions,
        keyword_hits=keyword_hits_of(voter.project.points, voter.lfs, counted),
        keyword_points=len(counted),
        points_gone=0 if isinstance(points, str) else int(points.attrs.get(GONE, 0)),
        gold_gone=0 if known is None else known.gone,
        came_from=settings.came_from,
        rules=model_rules(voter.lfs, versions, task, voter.project.points, votes.keys["table_name"].unique()),
    )


def _result(found: Labelling, recorder: Recorder | None) -> LabelResult:
    version = "" if recorder is None else f"{registered_name(found.task)} version {recorder.model_version}"
    return LabelResult(
        run_id="" if recorder is None else recorder.run_id,
        artifact_uri="" if recorder is None else recorder.artifact_uri,
        address="" if recorder is None else recorder.address,
        model=version,
        chosen=found.selection.chosen,
        reason=found.selection.reason,
        n_points=len(found.votes),
        n_covered=int(covered(found.votes.L).sum()),
        n_gold=0 if found.gold is None else len(found.gold),
        n_gold_left_out=found.gold_left_out,
        metrics=dict(found.metrics if recorder is None else recorder.metrics),
        warnings=found.warnings,
        lines=found.lines(),
        votes=found.votes,
        gold_votes=found.votes.gold,
        training_data=found.training_data,
        development_data=found.development_data,
        lf_summary=found.lf_summary,
    )


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("original_label")

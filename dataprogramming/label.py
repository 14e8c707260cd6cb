"""The step `label`: labelling functions' votes become labels and probabilities."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from adaptml.data import Data, described, read_gold, read_points, whole_table
from adaptml.errors import LabellingError
from adaptml.folds import folds_of_keys
from adaptml.frames import GONE
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.defaults import SETTINGS_FROM, check_keeping
from adaptml.tasks.defaults import keep as keep_in_file
from adaptml.tasks.metrics import metric_of
from dataprogramming.apply import sampled
from dataprogramming.defaults import LabelSettings, label_settings, to_keep
from dataprogramming.keyword_counts import MOST_POINTS, keyword_hits_of
from dataprogramming.label_result import LabelResult as LabelResult
from dataprogramming.label_result import result_of
from dataprogramming.labelling import Labelling, gold_of, run_params
from dataprogramming.lf_versions import lf_versions
from dataprogramming.model_rules import model_rules
from dataprogramming.recording import record
from dataprogramming.selection import Config, select_label_model
from dataprogramming.vote_elsewhere import voter_of
from dataprogramming.voter import Voter
from dataprogramming.write_labels import labels_table, write_labels


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

    Reads the LF features, applies the LFs, fits and compares the label models, labels, evaluates on gold by
    cross-validation, and logs. A point without votes is left out of the training data. What `label_model`,
    `config` and `lf_parameters` do not say is as the task file keeps it, else built in.

    Args:
        project: holds the data, the gold and the runs.
        task: the task, or its name; or a task made in Python, with its labelling functions.
        data: the points to label: a table, `table where …`, a frame or a path of one.
        gold: `task` for that of `process-annotations`, a frame with gold_label or its path; or `none`, None.
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
    find = partial(_find, voter, data, where, unlabelled, gold, settings)
    if dry_run:
        return result_of(find(), None)
    given = _given(voter, scheduler or workers, settings, described(data), where, described(gold))
    with project.runs.run(task.name, f"label {task.setting}", run_params(task, given)) as recorder:
        found = find()
        record(found, recorder, tolerant=fault_tolerant, texts=texts, seed=settings.seed)
    done = replace(result_of(found, recorder), to_keep=to_keep(task, settings))
    if keep:
        done = _kept(task, done)
    return replace(done, new_rows=write_labels(project, task, done.run_id)) if write else done


def _find(
    voter: Voter,
    data: Data,
    where: str | None,
    unlabelled: pd.DataFrame | None,
    gold: Data | None,
    settings: LabelSettings,
) -> Labelling:
    """Read, apply, select; new points were read before a run was opened: without any, there is none."""
    voter.load()
    points: pd.DataFrame | str | None = unlabelled
    if points is None:
        points = whole_table(voter.project, data, where) or read_points(voter.project, data, where=where)
    return _labelled(voter, points, read_gold(voter.project, gold, voter.task), settings)


def _given(
    voter: Voter, workers: int | str, settings: LabelSettings, data: str, where: str | None, gold: str
) -> dict[str, object]:
    """What the run was given, as its parameters."""
    return {
        "train_data": data if where is None else f"{data} where {where}",
        "dev_data": gold,
        "label_model": settings.label_model,
        **settings.config.used,
        "workers": workers,
        "fault_tolerant": voter.fault_tolerant,
        **settings.lfs.used,
        SETTINGS_FROM: settings.came_from,
    }


def _check_keeping(task: Task, dry_run: bool) -> None:
    if dry_run:
        raise LabellingError("dry_run writes nothing and keep writes into the task file; give one of the two")
    check_keeping(task)


def _kept(task: Task, done: LabelResult) -> LabelResult:
    kept = keep_in_file(task, "label", done.to_keep, done.run_id)
    return replace(done, lines=[*done.lines, ("kept", kept)])


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
        votes.patterns,
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


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("original_label")

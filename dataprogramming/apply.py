"""The step `apply_lfs`: what a task's labelling functions say of data points."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from adaptml.data import GOLD_IF_ANY, TASK_GOLD, Data, read_gold, read_points, whole_table
from adaptml.errors import AdaptmlError, LabellingError
from adaptml.gold_labels.judging import tuning_part
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.vote_elsewhere import voter_of
from dataprogramming.votes import Votes


def apply_lfs(
    project: Project,
    task: str | Task,
    data: Data,
    *,
    n: int | None = None,
    seed: int = 0,
    where: str | None = None,
    gold: Data | None = GOLD_IF_ANY,
    lf_parameters: Mapping[str, str] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    fault_tolerant: bool = False,
    fresh: bool = False,
    show_progress: bool = False,
) -> Votes:
    """Apply a task's labelling functions to data points; nothing is logged.

    Args:
        project: holds the data.
        task: the task, or its name; or a task made in Python, with its labelling functions.
        data: which points: a table, `table where …`, a frame or a path of one.
        n: how many of them, drawn at random; None for all.
        seed: the same seed draws the same points.
        where: a person's own SQL condition on the rows of the table.
        gold: the points that votes are judged on: `task` for the task's gold, by default where there is some,
            `none` or None, a frame with gold_label or a path of one. Of the task's gold, these are the points
            to tune on; those that judge only are set aside, unless either are fewer than 10.
        lf_parameters: values, as text, of the parameters that the task's `get_lfs` declares.
        workers: number of processes.
        scheduler: address of a scheduler whose workers do it, see `adaptml.scale`.
        fault_tolerant: an LF that raises abstains and is counted, instead of ending the step.
        fresh: compute every vote anew, also those that were kept.
        show_progress: draw progress bars.

    Returns:
        int8 votes (n, m) with their keys; see `Votes`.

    Raises:
        LabellingError: labelling functions that cannot be used, or one that fails.
        FrameError, TaskError, DatabaseError: data or gold that cannot be read.
        MissingDataPointsError: data points that are not in their table.

    Example:
        >>> task = adaptml.Task(
        ...     classes=["ham", "spam"],
        ...     lfs=[adaptml.keyword_lf("subscribe", ["subscribe"], "spam", "tokens")],
        ... )
        >>> votes = project.apply_lfs(task, "comments", n=10)
        >>> votes.L.shape
        (10, 1)
    """
    task = project.task(task)
    voter = voter_of(
        project, task, lf_parameters or {}, workers=workers, scheduler=scheduler,
        fault_tolerant=fault_tolerant, fresh=fresh, show_progress=show_progress,
    )  # fmt: skip
    voter.load()
    table = whole_table(project, data, where) if n is None else None
    points = table or sampled(read_points(project, data, where=where), n, seed)
    return voter.all_votes(points, gold_to_tune_on(project, gold, task))


def gold_to_tune_on(project: Project, gold: Data | None, task: Task) -> Labelled | None:
    """Gold points to write rules by; by default those of the task, where there are some that can be used.

    Of the task's gold, the part that judges is set aside: see `tuning_part`.
    """
    if not isinstance(gold, str) or gold != GOLD_IF_ANY:
        return tuning_part(read_gold(project, gold, task))
    try:
        return tuning_part(read_gold(project, TASK_GOLD, task))
    except AdaptmlError:  # none, or none that this task can use: nobody asked for it
        return None


def sampled(points: pd.DataFrame, n: int | None, seed: int) -> pd.DataFrame:
    """At most n rows, drawn at random, in their order.

    Raises:
        LabellingError: n below 1.
    """
    if n is not None and n < 1:
        raise LabellingError(f"{n} points were asked for; expected at least 1")
    if n is None or n >= len(points):
        return points
    chosen = np.random.default_rng(seed).choice(len(points), n, replace=False)
    return points.iloc[np.sort(chosen)].reset_index(drop=True)

"""What became of labelling functions and labels between two runs of `label`."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from adaptml.errors import TrackingError
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.runs.artifacts import TRAINING_DATA, VOTES
from adaptml.tasks import Task
from dataprogramming.lf_history import label_runs, versions_of
from dataprogramming.lf_versions import LFChange, LFVersion, changes_between
from dataprogramming.moved_labels import Moved, moved_labels

POINTS = 20
_SUMMARIES = {
    "lf_summary_train.csv": ["coverage", "conflicts"],
    "lf_summary_dev.csv": ["empirical_accuracy"],
}
_CELLS: dict[str, Any] = {"keep_default_na": False, "na_values": [""]}  # "NA" can be a name
_NUMBERS = ["coverage", "conflicts", "accuracy"]


@dataclass(frozen=True, eq=False, repr=False)
class LFDiff:
    """Two `label` runs of a task beside each other.

    Attributes:
        task: its name.
        before, after: the runs.
        changes: what became of each labelling function that was added, removed, changed or renamed; each has
            `name`, `kind`, `before` and `after`.
        sources_known: whether both runs say which versions they used; without, only names are compared.
        table: frame of a row per labelling function: `lf`, `change` (its kind, or empty), and `coverage`,
            `conflicts` (shares of the points) and `accuracy` (on gold), each `_before` and `_after`, in
            [0, 1]; NaN where a run has no such labelling function, or it no vote on gold.
        moved: frame of the first points whose label differs: `table_name`, `id`, texts, `label_before`,
            `label_after` (class names of now; None where the run gave the point no label).
        n_moved: how many points have another label.
        n_gained: how many have a label only after.
        n_lost: how many have a label only before.

    Example:
        >>> runs = [project.label("spam", "comments", label_model="majority_vote").run_id for _ in range(2)]
        >>> found = project.lf_diff("spam", *runs)
        >>> found.changes, found.n_moved
        ([], 0)
    """

    task: str
    before: str
    after: str
    changes: Sequence[LFChange]
    sources_known: bool
    table: pd.DataFrame
    moved: pd.DataFrame
    n_moved: int
    n_gained: int
    n_lost: int

    def source_diff(self, change: LFChange) -> list[str]:
        """The lines of a unified diff of one labelling function with all that it refers to.

        Args:
            change: one of `changes`.

        Returns:
            Lines without their ends; none where both texts are the same.
        """
        old, new = ("" if lf is None else lf.text() for lf in (change.before, change.after))
        before, after = (f"{run}/{change.name}" for run in (self.before, self.after))
        return list(unified_diff(old.splitlines(), new.splitlines(), before, after, lineterm=""))

    def lines(self) -> list[str]:
        """The numbers in words."""
        return [f"labels: {self.n_moved} differ, {self.n_gained} only after, {self.n_lost} only before"]

    def __repr__(self) -> str:
        heads = [f"LFDiff of {self.task}: {self.before} → {self.after}", self.table.to_string(index=False)]
        return "\n".join([*heads, *self.lines()])

    def _repr_html_(self) -> str:
        """What a notebook shows: the rules, the source diffs, the points."""
        diffs = ["\n".join(self.source_diff(change)) for change in self.changes]
        rules, moved = (
            frame.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
            for frame in (self.table, self.moved)
        )
        pre = (f"<pre>{escape(text)}</pre>" for text in diffs if text)
        return "".join([rules, *pre, *(f"<p>{escape(line)}</p>" for line in self.lines()), moved])


def lf_diff(project: Project, task: str | Task, before: str, after: str, *, n: int = POINTS) -> LFDiff:
    """What became of a task's labelling functions, and of its labels, between two runs of `label`.

    Args:
        project: whose runs.
        task: the task, or its name.
        before, after: ids of two `label` runs of the task.
        n: at most so many points whose label differs are in the frame `moved`.

    Raises:
        TaskError: no such task.
        TrackingError: no such run, one that is not complete, of another task or step, or one that keeps no
            votes; or the tracking server or store cannot be used.

    Example:
        >>> runs = [project.label("spam", "comments", label_model="majority_vote").run_id for _ in range(2)]
        >>> project.lf_diff("spam", *runs).table["lf"].tolist()
        ['subscribe', 'check_out', 'link', 'praise', 'song']
    """
    task = project.task(task)
    _check(project, task.name, before, after)
    with tempfile.TemporaryDirectory() as scratch:
        old, new = (_RunFiles(project, run_id, Path(scratch)) for run_id in (before, after))
        versions = old.versions(), new.versions()
        summaries = old.summary(), new.summary()
        moved = moved_labels(task, old.path(TRAINING_DATA), new.path(TRAINING_DATA), n)
    known = all(found is not None for found in versions)
    was, now = (_of(found, table, known) for found, table in zip(versions, summaries, strict=True))
    changes = changes_between(was, now)
    return LFDiff(
        task.name,
        before,
        after,
        changes,
        known,
        _side_by_side(summaries[0], summaries[1], changes),
        _with_texts(project, task, moved),
        moved.n_moved,
        moved.n_gained,
        moved.n_lost,
    )


@dataclass(frozen=True)
class _RunFiles:
    """The files of one run; `folder` is where they may be copied to."""

    project: Project
    run_id: str
    folder: Path

    def path(self, name: str) -> Path:
        """One of its files."""
        place = self.folder / self.run_id
        place.mkdir(exist_ok=True)
        return self.project.runs.artifact(self.run_id, name, place)

    def versions(self) -> list[LFVersion] | None:
        """Versions of its labelling functions, where it says them."""
        return versions_of(self.project, self.run_id, self.folder)

    def summary(self) -> pd.DataFrame:
        """A row per labelling function, under its name: coverage, conflicts, and accuracy on gold."""
        there = self.project.runs.artifacts(self.run_id)
        parts = [
            pd.read_csv(self.path(name), index_col="lf", dtype={"lf": str}, **_CELLS)[columns]
            for name, columns in _SUMMARIES.items()
            if name in there
        ]
        found: pd.DataFrame = pd.concat(parts, axis=1).rename(columns={"empirical_accuracy": "accuracy"})
        return found.reindex(columns=_NUMBERS)


def _check(project: Project, task: str, *run_ids: str) -> None:
    own = {row["run_id"] for row in label_runs(project, task)}
    for run_id in run_ids:
        if run_id not in own:
            said = project.runs.get(run_id).data.params  # tells one that does not exist or is not complete
            other = said.get("task", task)
            whose = "another step's" if other == task else f"of task {other}"
            raise TrackingError(
                f"run {run_id} is {whose}; expected a label run of task {task}: see them with "
                f"`adaptml lfs {task} --history`"
            )
        if VOTES not in project.runs.artifacts(run_id):
            raise TrackingError(
                f"run {run_id} keeps no {VOTES}, as runs of earlier versions; label again, or name one of "
                f"`adaptml lfs {task} --history`"
            )


def _of(versions: Sequence[LFVersion] | None, summary: pd.DataFrame, known: bool) -> Sequence[LFVersion]:
    """The versions of a run; where one of both does not say them, only names."""
    if known and versions is not None:
        return versions
    return [LFVersion(str(name), None, "the run does not say", "", None) for name in summary.index]


def _side_by_side(old: pd.DataFrame, new: pd.DataFrame, changes: Sequence[LFChange]) -> pd.DataFrame:
    """A row per labelling function, those of the newer run first; one that was renamed has one row."""
    by_name = {change.after.name: change for change in changes if change.after}
    gone = [change for change in changes if change.after is None]
    found = [by_name.get(str(name), str(name)) for name in new.index] + gone
    names = [
        (row, row) if isinstance(row, str) else tuple(lf.name if lf else "" for lf in (row.before, row.after))
        for row in found
    ]
    table = pd.DataFrame(
        {
            "lf": [row if isinstance(row, str) else row.name for row in found],
            "change": ["" if isinstance(row, str) else row.kind for row in found],
        }
    )
    before, after = old.reindex([pair[0] for pair in names]), new.reindex([pair[1] for pair in names])
    for number in _NUMBERS:
        table[f"{number}_before"] = before[number].to_numpy()
        table[f"{number}_after"] = after[number].to_numpy()
    return table


def _with_texts(project: Project, task: Task, moved: Moved) -> pd.DataFrame:
    """The points that moved, with what annotators see of them before their labels."""
    keys = moved.frame[["table_name", "id"]]
    labels: Mapping[str, pd.Series] = {name: moved.frame[name] for name in ("label_before", "label_after")}
    if keys.empty:
        return moved.frame
    texts = texts_of_task(project.database, task)(keys).drop_duplicates(["table_name", "id"])
    shown = keys.merge(texts, on=["table_name", "id"], how="left", validate="one_to_one")
    return shown.assign(**{name: values.to_numpy() for name, values in labels.items()})

"""Two runs of a step beside each other: settings, figures, and the gold points that they say otherwise of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.bootstrap import interval
from adaptml.errors import TrackingError
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.runs.details import RunDetails, run_details
from adaptml.runs.judged import Figure, Judged, judged
from adaptml.tasks import names

SEED = 0  # of the bootstrap


@dataclass(frozen=True)
class Setting:
    """A parameter of which two runs say different things; empty where one says nothing."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Two runs of one step.

    Attributes:
        before, after: the runs.
        settings: the parameters that differ, by name.
        figures: the metric of each on its own gold points; None where it was compared with none.
        gain: how much better `after` is on the gold points that both were judged on, with its paired
            bootstrap interval (`adaptml.bootstrap`); its ends are in [-1, 1]. None without common points.
        changed: frame of those of these points whose label differs: table_name, id, gold_label,
            label_before, label_after (lists of class names), became (`right`, `wrong` or empty where it was
            and is wrong); those that became wrong first.
    """

    before: RunDetails
    after: RunDetails
    settings: Sequence[Setting]
    figures: tuple[Figure | None, Figure | None]
    gain: Figure | None
    changed: pd.DataFrame

    @property
    def sentence(self) -> str:
        """Whether the later run is better, plainly; empty where that cannot be said."""
        if self.gain is None:
            return ""
        gain, low, high = self.gain.value, self.gain.low, self.gain.high
        verdict = "not shown to be better" if low <= 0 <= high else "better" if low > 0 else "worse"
        span = f"{gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
        return f"The later run is {verdict}: {span}, on the {self.gain.n:,} gold points of both."


def runs_side_by_side(project: Project, before: str, after: str) -> SideBySide:
    """Put two complete runs of one task's `label`, or `train`, beside each other.

    Args:
        project: whose runs they are.
        before, after: ids of two runs.

    Raises:
        TrackingError: no such run, one that is not complete, or two of different tasks or steps.
        TaskError: their task is gone.
    """
    old, new = (run_details(project, run_id) for run_id in (before, after))
    if (old.task, old.step) != (new.task, new.step):
        raise TrackingError(
            f"run {before} is of `{old.step}` of task {old.task} and run {after} of `{new.step}` of task "
            f"{new.task}; name two runs of one step and task"
        )
    task = project.task(old.task)
    sides = judged(project, before, task), judged(project, after, task)
    gain, changed = None, _changed(None)
    if sides[0] is not None and sides[1] is not None:
        common = _common(sides[0], sides[1])
        if common is not None:
            gain, changed = _gain(*common), _changed(common)
    figures = tuple(None if side is None else side.figure() for side in sides)
    return SideBySide(old, new, _settings(old.params, new.params), figures, gain, changed)  # type: ignore[arg-type]


def _settings(old: Mapping[str, str], new: Mapping[str, str]) -> list[Setting]:
    differing = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    return [Setting(name, old.get(name, ""), new.get(name, "")) for name in differing]


def _common(old: Judged, new: Judged) -> tuple[Judged, Judged] | None:
    """The same points of both with the same gold, in one order; None without any, or in other classes."""
    if (old.class_names, old.problem) != (new.class_names, new.problem):
        return None
    place = pd.MultiIndex.from_frame(old.keys[KEYS]).get_indexer(pd.MultiIndex.from_frame(new.keys[KEYS]))
    here = np.flatnonzero(place >= 0)
    here = here[(old.Y[place[here]] == new.Y[here]).all(axis=1)]
    if not len(here):
        return None
    return _taken(old, place[here]), _taken(new, here)


def _taken(side: Judged, rows: npt.NDArray[np.int64]) -> Judged:
    keys = side.keys.iloc[rows].reset_index(drop=True)
    return replace(side, keys=keys, Y=side.Y[rows], predicted=side.predicted[rows], probs=side.probs[rows])


def _gain(old: Judged, new: Judged) -> Figure:
    """How much better the later run is by its own metric: of a log loss, how much lower."""
    metric = new.metric
    values = [metric.sign * metric.value(side.Y, side.said) for side in (old, new)]
    draws = [metric.sign * metric.draws(side.Y, side.said, SEED) for side in (old, new)]
    low, high = interval(draws[1] - draws[0])
    return Figure(f"gain in {metric.title}", values[1] - values[0], low, high, len(new))


def _changed(common: tuple[Judged, Judged] | None) -> pd.DataFrame:
    columns = [*KEYS, "gold_label", "label_before", "label_after", "became"]
    if common is None:
        return pd.DataFrame(columns=columns)
    old, new = common
    differs = np.flatnonzero((old.predicted != new.predicted).any(axis=1))
    frame = old.keys.iloc[differs].reset_index(drop=True)
    for column, flags in (
        ("gold_label", old.Y),
        ("label_before", old.predicted),
        ("label_after", new.predicted),
    ):
        frame[column] = pd.Series(names(flags[differs], old.class_names), dtype=object)
    change = (~new.wrong[differs]).astype(int) - (~old.wrong[differs]).astype(int)
    frame["became"] = [{1: "right", -1: "wrong", 0: ""}[step] for step in change.tolist()]
    frame = frame.iloc[np.argsort(change, kind="stable")].reset_index(drop=True)
    return frame[columns]

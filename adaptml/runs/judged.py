"""What a run said of gold points that it had not seen, point by point."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import TrackingError
from adaptml.frames import KEYS, METADATA, read_frame
from adaptml.labelled import GOLD_LABEL, LABEL
from adaptml.project import Project
from adaptml.runs.artifacts import DEVELOPMENT_DATA, GOLD_PREDICTIONS, PREDICTIONS
from adaptml.runs.metric import metric_of_run
from adaptml.tasks import ProblemType, Task, indicator, names, problem_type
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of

LABEL_PROBS = "label_probs"
NOT_SEEN = {
    DEVELOPMENT_DATA: "each by a label model that had not seen it; one without votes is {uncovered_gold}",
    PREDICTIONS: "by the model itself, which was not trained on them",
    GOLD_PREDICTIONS: "by cross-validation: each by a model that had not seen it",
}

Floats = npt.NDArray[np.float64]
Indicator = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Figure:
    """A number that was counted on some points, with its 95 % interval.

    Attributes:
        name: such as `accuracy`.
        value, low, high: in [0, 1]; a log loss may be above.
        n: points.
    """

    name: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, eq=False)
class Judged:
    """g gold points, and what was said of them.

    Attributes:
        keys: `table_name` and `id` (g rows).
        Y: their true classes, int8 (g, k), values in {0, 1}.
        predicted: what was said, int8 (g, k).
        probs: float64 (g, k), in [0, 1].
        class_names: the k classes that the run was made with.
        problem: one class a point, or any number.
        metric: what the run's models were compared by.
        policy: how they were predicted, for people.
    """

    keys: pd.DataFrame
    Y: Indicator
    predicted: Indicator
    probs: Floats
    class_names: tuple[str, ...]
    problem: ProblemType
    metric: Metric
    policy: str

    def __len__(self) -> int:
        """How many points."""
        return len(self.keys)

    @property
    def said(self) -> Outcome:
        """What was said."""
        return Outcome(self.probs, self.predicted)

    @property
    def wrong(self) -> Mask:
        """Which points have another label than their gold, bool (g,)."""
        return np.asarray((self.predicted != self.Y).any(axis=1))

    @property
    def confidence(self) -> Floats:
        """How sure each prediction is of itself, float64 (g,), in [0, 1]."""
        return self.problem.confidence(self.predicted, self.probs)

    def figure(self) -> Figure:
        """The metric that the run's models were compared by, with its interval (`Metric.interval`)."""
        return self._figure(self.metric)

    def plain_figure(self) -> Figure:
        """The problem's plain measure, accuracy or F1 over samples, with its interval."""
        return self._figure(accuracy_of(self.problem))

    def _figure(self, metric: Metric) -> Figure:
        low, high = metric.interval(self.Y, self.said)
        return Figure(metric.title, metric.value(self.Y, self.said), low, high, len(self))

    def rows(self, kind: str = "wrong", gold: str = "", label: str = "") -> Mask:
        """The points behind a number, bool (g,).

        Args:
            kind: `wrong`, all with another label than their gold; `cell`, those of class `gold` that are
                given class `label`; `missed`, those of class `gold` that are not given it; `wrongly`, those
                that are given class `label` and do not have it; `right`, those of class `gold` that are
                given it.
            gold, label: names of classes.

        Raises:
            TrackingError: no such kind or class.
        """
        for name in filter(None, (gold, label)):
            if name not in self.class_names:
                known = ", ".join(self.class_names)
                raise TrackingError(f"the run knows no class {name!r}; its classes are {known}")
        given = label or gold
        is_given = self.predicted[:, self.class_names.index(given)] == 1 if given else self._has("")
        found = {
            "wrong": self.wrong,
            "cell": self._has(gold) & is_given,
            "right": self._has(gold) & is_given,
            "missed": self._has(gold) & ~is_given,
            "wrongly": ~self._has(label) & is_given,
        }
        if kind not in found:
            raise TrackingError(f"no rows {kind!r}; expected one of {', '.join(found)}")
        return np.asarray(found[kind])

    def _has(self, name: str) -> Mask:
        return self.Y[:, self.class_names.index(name)] == 1 if name else np.zeros(len(self), dtype=bool)

    def surest(self, mask: Mask) -> npt.NDArray[np.int64]:
        """Positions of the points of a mask (g,), the surest predictions first, int64 (m,)."""
        places = np.flatnonzero(mask)
        return places[np.argsort(-self.confidence[places], kind="stable")]

    def frame(self) -> pd.DataFrame:
        """table_name, id, label and gold_label (lists of class names), confidence; g rows."""
        said = {LABEL: self.predicted, GOLD_LABEL: self.Y}
        columns = {
            column: pd.Series(names(flags, self.class_names), dtype=object) for column, flags in said.items()
        }
        return self.keys.assign(**columns, confidence=self.confidence)


def predicted_points(project: Project, run_id: str) -> tuple[pd.DataFrame, str] | None:
    """What a complete run of `label` or `train` said of points that it had not seen, and the file it is from.

    Returns:
        A frame of table_name, id, label, label_probs and, where gold is known, gold_label; and the artifact's
        name. None where the run left no such file.

    Raises:
        TrackingError: no such run, or it is not complete.
    """
    there = project.runs.artifacts(run_id)
    found = None
    for name in (GOLD_PREDICTIONS, PREDICTIONS, DEVELOPMENT_DATA):
        if name not in there:
            continue
        with tempfile.TemporaryDirectory(prefix="adaptml-") as folder:
            frame = read_frame(project.runs.artifact(run_id, name, Path(folder)))
        # Test points with gold are what the run's metrics are of; else gold that it was trained on too.
        if found is None or (GOLD_LABEL in frame and frame[GOLD_LABEL].notna().any()):
            found = frame, name
    return found


def judged(project: Project, run_id: str, task: Task) -> Judged | None:
    """The gold points of a complete run of `label` or `train`; None where it was not compared with gold.

    Args:
        project: whose run it is.
        run_id: an MLflow run.
        task: of the run; a run that does not say its classes has those of the task.

    Raises:
        TrackingError: no such run, it is not complete, or its file holds no probabilities.
    """
    read = predicted_points(project, run_id)
    if read is None or GOLD_LABEL not in read[0]:
        return None
    frame, source = read
    known = frame[frame[GOLD_LABEL].notna()].reset_index(drop=True)
    if known.empty:
        return None
    if LABEL_PROBS not in known:
        raise TrackingError(f"run {run_id} keeps no probabilities in {source}; make the run again")
    said = frame.attrs.get(METADATA, {})
    class_names = tuple(said.get("classes", task.class_names))
    params: Mapping[str, str] = project.runs.get(run_id).data.params
    problem = problem_type(said.get("setting") or params.get("setting", task.setting))
    Y, predicted = (indicator(_sets(known[column]), class_names) for column in (GOLD_LABEL, LABEL))
    probs = np.array(known[LABEL_PROBS].tolist(), dtype=np.float64)
    policy = NOT_SEEN[source].format(uncovered_gold=params.get("uncovered_gold", "left out"))
    metric = metric_of_run(params, problem, class_names)
    return Judged(known[KEYS], Y, predicted, probs, class_names, problem, metric, policy)


def _sets(column: pd.Series) -> Sequence[Sequence[str]]:
    return [list(value) for value in column]

"""How often the served model is right on gold that was made since it was trained."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.frames import KEYS
from adaptml.labelled import GOLD_LABEL, in_names_of_now
from adaptml.tasks import Task, indicator
from dataprogramming.watching.statistics import Estimate, mean, share

DAYS_BY_DAY = 31  # a longer time goes by months


@dataclass(frozen=True)
class Period:
    """A day or a month of gold.

    Attributes:
        name: such as `2026-11-26` or `2026-11`.
        right: the task's measure on the gold that was made in it, with its interval.
    """

    name: str
    right: Estimate


@dataclass(frozen=True)
class GoldOverTime:
    """The served model on gold.

    Attributes:
        measure: `accuracy` or `f1_samples`.
        periods: in order; none where no gold can judge.
        n_left_out: gold points that the model learned from, or may have.
    """

    measure: str
    periods: tuple[Period, ...]
    n_left_out: int

    def lines(self) -> list[tuple[str, str]]:
        """All that as names and sentences."""
        left = f"{self.n_left_out} gold points are left out: of the training, or made before it"
        if not self.periods:
            return [("on gold", f"nothing made since the training; {left}")] if self.n_left_out else []
        told = "; ".join(f"{p.name} {p.right.value:.3f} ({p.right.low:.3f} to {p.right.high:.3f}, "
                         f"{p.right.n} points)" for p in self.periods)  # fmt: skip
        return [("on gold", f"{self.measure} {told}" + (f"; {left}" if self.n_left_out else ""))]


def gold_over_time(
    task: Task,
    gold: pd.DataFrame,
    learned: npt.NDArray[np.bool_],
    trained_at: datetime,
    predict: Callable[[pd.DataFrame], pd.DataFrame],
) -> GoldOverTime:
    """Compare the model with gold, by the day or month in which the gold was made.

    Args:
        task: classes and measure.
        gold: `table_name`, `id`, `gold_label` (class names), `made_at` (UTC; None where it is not on record).
        learned: bool (g,), which of these points are of the training.
        trained_at: when the model was trained, UTC.
        predict: gives `table_name`, `id` and `label` of points.

    Raises:
        AdaptmlError: as `predict`.
    """
    made = pd.to_datetime(gold["made_at"], utc=True)
    judges = ~learned & (made > trained_at).to_numpy()
    now = in_names_of_now(gold[GOLD_LABEL].tolist(), task)  # a class may have been split since
    Y = indicator([() if found.undecided else found.labels for found in now], task.class_names)
    judges &= task.problem.usable(Y) & np.array([not found.undecided for found in now], dtype=bool)
    n_left_out, measure = int((~judges).sum()), task.problem.measure
    if not judges.any():
        return GoldOverTime(measure, (), n_left_out)
    rows = gold.loc[judges].reset_index(drop=True)
    said = rows[KEYS].merge(predict(rows)[[*KEYS, "label"]], on=KEYS, how="left", validate="one_to_one")
    there = said["label"].notna().to_numpy()  # one may have gone from its table meanwhile
    predicted = indicator(said.loc[there, "label"].tolist(), task.class_names)
    scores = task.problem.scores(Y[judges][there], predicted)
    names = _periods(made[judges].reset_index(drop=True)[there])
    periods = [Period(str(name), _estimate(scores[names == name])) for name in sorted(set(names))]
    return GoldOverTime(measure, tuple(periods), n_left_out + int((~there).sum()))


def _estimate(scores: npt.NDArray[np.float64]) -> Estimate:
    """A share where each point is right or wrong, else a mean."""
    if np.isin(scores, (0, 1)).all():
        return share(int(scores.sum()), len(scores))
    return mean(scores)


def _periods(made: "pd.Series[pd.Timestamp]") -> npt.NDArray[np.object_]:
    span = (made.max() - made.min()).days
    return made.dt.strftime("%Y-%m-%d" if span <= DAYS_BY_DAY else "%Y-%m").to_numpy(object)

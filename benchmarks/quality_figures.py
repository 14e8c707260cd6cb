"""Figures of what methods say of points whose classes are known, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.bootstrap import interval
from adaptml.tasks import ProblemType
from adaptml.tasks.metric_names import F1_OF_POSITIVE, LOG_LOSS, MACRO_F1
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of, brier

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Figure:
    """A figure and what its bootstrap draws say of it.

    Attributes:
        value: of all points.
        ends: of its 95 % interval.
        draws: of points that were drawn with replacement, float64 (d,); the same points for every method, so
            that differences are paired.
    """

    value: float
    ends: tuple[float, float]
    draws: Floats

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.ends[0]:.3f}–{self.ends[1]:.3f})"


@dataclass(frozen=True)
class Figures:
    """All figures of one method.

    Attributes:
        by_title: of each metric that higher is better of: its title → its figure; the problem's plain measure
            first, then macro F1, then the F1 of a class that was asked for.
        log_loss: mean of -log of the probability of the truth, in nats.
        brier: see `adaptml.tasks.metrics.brier`.
    """

    by_title: dict[str, Figure]
    log_loss: float
    brier: float

    @property
    def main(self) -> Figure:
        """Accuracy; F1 over samples in multilabel."""
        return next(iter(self.by_title.values()))


def metrics(problem: ProblemType, positive: int | None = None, name: str = "") -> list[Metric]:
    """The metrics of a table's columns, log loss and Brier score apart.

    Args:
        problem: one class a point, or any number.
        positive: the number of a class whose F1 is wanted.
        name: its name.
    """
    found = [accuracy_of(problem), Metric(MACRO_F1, problem)]
    return found if positive is None else [*found, Metric(F1_OF_POSITIVE, problem, positive, name)]


def figures(columns: Sequence[Metric], Y: Flags, said: Outcome, seed: int) -> Figures:
    """What a method's answers are worth.

    Args:
        columns: of `metrics`.
        Y: the truth, int8 (n, k), values in {0, 1}.
        said: of the same n points.
        seed: of the bootstrap.
    """
    problem = columns[0].problem
    found = {
        one.title: Figure(one.value(Y, said), one.interval(Y, said, seed), one.draws(Y, said, seed))
        for one in columns
    }
    return Figures(found, Metric(LOG_LOSS, problem).value(Y, said), brier(Y, said.probs))


def mean(found: Sequence[Figures]) -> Figures:
    """The mean of figures of the same points: of their values, of their intervals' ends, of each draw."""
    by_title = {title: _mean([one.by_title[title] for one in found]) for title in found[0].by_title}
    losses, scores = [one.log_loss for one in found], [one.brier for one in found]
    return Figures(by_title, float(np.mean(losses)), float(np.mean(scores)))


def _mean(found: Sequence[Figure]) -> Figure:
    low, high = np.mean([one.ends for one in found], axis=0)
    draws = np.mean([one.draws for one in found], axis=0)
    return Figure(float(np.mean([one.value for one in found])), (float(low), float(high)), draws)


def clearly_below(name: str, known: dict[str, Figures]) -> list[str]:
    """Which methods are better than one of them by more than the paired 95 % interval; one sentence each.

    Args:
        name: the method.
        known: method → figures of the same points by the same seed.
    """
    found = []
    for other, theirs in known.items():
        for title, figure in known[name].by_title.items():
            low, high = interval(figure.draws - theirs.by_title[title].draws)
            if high < 0:
                less = figure.value - theirs.by_title[title].value
                found.append(
                    f"{name} is below {other} in {title}: {less:+.3f}, "
                    f"95 % interval {low:+.3f} to {high:+.3f}"
                )
    return found

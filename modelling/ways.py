"""A way to train an end model, and what its models say of gold that they were not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from adaptml.tasks.metrics import Metric, Outcome, accuracy_of
from modelling.algorithms.core import ENSEMBLE
from modelling.learner import Indicator

_SOFT, _BALANCED, _PENALISED = "soft labels", "classes that count alike", "stronger penalty"
_APART = "; "


@dataclass(frozen=True)
class Way:
    """One way to train an end model.

    Attributes:
        strategy: one of `list_strategies()`, or ENSEMBLE.
        label_model: whose labels are learned from; empty where none matters.
        soft: whether its probabilities are learned rather than the classes that they name.
        balanced: whether each class counts as much as any other.
        penalised: whether the penalty on large weights is stronger than usual.
        members: of ENSEMBLE, the ways whose models answer together, all of one label model; else none.
    """

    strategy: str
    label_model: str = ""
    soft: bool = False
    balanced: bool = False
    penalised: bool = False
    members: "tuple[Way, ...]" = ()

    @classmethod
    def together(cls, ways: "Sequence[Way]") -> "Way":
        """Those of several ways; of a single one it is that."""
        if len(ways) == 1:
            return ways[0]
        return cls(ENSEMBLE, next((way.label_model for way in ways if way.label_model), ""), members=(*ways,))

    @classmethod
    def read(cls, text: str) -> Self:
        """A way with the text of another; one without members."""
        name, *marks = text.split(", ")
        strategy, _, label_model = name.partition(" of ")
        return cls(strategy, label_model, _SOFT in marks, _BALANCED in marks, _PENALISED in marks)

    @property
    def each(self) -> "tuple[Way, ...]":
        """The members, or the way itself."""
        return self.members or (self,)

    def __str__(self) -> str:
        """For people, such as `union of weighted_vote, soft labels, classes that count alike`."""
        parts = [self.strategy + (f" of {self.label_model}" if self.label_model else "")]
        if self.members:  # all of the same label model
            each = [str(replace(one, label_model="")) for one in self.members]
            return f"{parts[0]} ({_APART.join(each)})"
        marks = {_SOFT: self.soft, _BALANCED: self.balanced, _PENALISED: self.penalised}
        return ", ".join(parts + [mark for mark, has in marks.items() if has])

    @property
    def told(self) -> str:
        """All members, as `read_members` reads them."""
        return _APART.join(map(str, self.members))


def read_members(text: str) -> tuple[Way, ...]:
    """The members of an ensemble.

    >>> [way.strategy for way in read_members("gold; stacked of weighted_vote, soft labels")]
    ['gold', 'stacked']
    """
    return tuple(map(Way.read, text.split(_APART))) if text else ()


@dataclass(frozen=True)
class HeldOut:
    """What models say of gold points that they were not trained on.

    Attributes:
        said: probabilities and classes, (g, k).
        metric: the task's metric of it.
        plain: the problem's plain measure: accuracy, or F1 over samples.
        log_loss: mean of -log of the probability of the truth; lower is better.
        unconverged: how many of the models stopped before they converged.
    """

    said: Outcome
    metric: float
    plain: float
    log_loss: float
    unconverged: int = 0


def judged(metric: Metric, Y: Indicator, said: Outcome, unconverged: int = 0) -> HeldOut:
    """What models say of gold points Y (g, k), and how good that is."""
    plain = accuracy_of(metric.problem)
    return HeldOut(
        said, metric.value(Y, said), plain.value(Y, said), metric.problem.log_loss(Y, said.probs), unconverged
    )

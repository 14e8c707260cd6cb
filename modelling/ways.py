"""A way to train an end model, and what its models say of gold that they were not trained on."""

from dataclasses import dataclass

from adaptml.tasks.metrics import Metric, Outcome, accuracy_of
from modelling.strategies import Indicator


@dataclass(frozen=True)
class Way:
    """One way to train an end model.

    Attributes:
        strategy: one of `list_strategies()`.
        label_model: whose labels are learned from; empty where none matters.
        soft: whether its probabilities are learned rather than the classes that they name.
        balanced: whether each class counts as much as any other.
    """

    strategy: str
    label_model: str = ""
    soft: bool = False
    balanced: bool = False

    def __str__(self) -> str:
        """For people, such as `union of weighted_vote, soft labels, classes that count alike`."""
        parts = [self.strategy + (f" of {self.label_model}" if self.label_model else "")]
        parts += ["soft labels"] * self.soft + ["classes that count alike"] * self.balanced
        return ", ".join(parts)


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

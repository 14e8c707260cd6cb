"""How good label models are on gold that they have not seen, beside always naming the most frequent class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptml.runs.metric import CONSTANT
from adaptml.tasks import Task
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of
from dataprogramming.label_models.core import Gold, covered
from dataprogramming.selection import Selection


@dataclass(frozen=True)
class Figure:
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class ModelOnGold:
    """What one model reaches on gold that it has not seen.

    Attributes:
        name: what metrics call it.
        title: what people read.
        figures: of the metric, then of the problem's plain measure where that is another.
        log_loss: lower is better.
    """

    name: str
    title: str
    figures: Mapping[Metric, Figure]
    log_loss: float


@dataclass(frozen=True)
class OnGold:
    """What all models of a run reach on its gold points.

    Attributes:
        models: every label model that could be chosen, and before them the constant one.
        judged: the chosen model, on gold that had no say in choosing it.
        n: gold points.
        metric: what decides.
    """

    models: Sequence[ModelOnGold]
    judged: ModelOnGold
    n: int
    metric: Metric


def on_gold(selection: Selection, gold: Gold | None, class_names: Sequence[str]) -> OnGold | None:
    """The figures of a selection; None without gold.

    Args:
        selection: the label models, and the one that was chosen.
        gold: the gold points, or None.
        class_names: k names.
    """
    if gold is None or selection.judged is None:
        return None
    titles = {CONSTANT: constant_title(gold, class_names)}
    models = [
        _figures(name, titles.get(name, name), selection.metric, gold, out)
        for name, out in _said(selection).items()
    ]
    judged = _figures(selection.chosen, selection.chosen, selection.metric, gold, selection.judged)
    return OnGold(models, judged, len(gold), selection.metric)


def constant_title(gold: Gold, class_names: Sequence[str]) -> str:
    """What people read for the model that always names the most frequent class: `always ham`."""
    return f"always {class_names[int(gold.Y.sum(axis=0).argmax())]}"


def dev_metrics(task: Task, gold: Gold, selection: Selection, found: OnGold) -> dict[str, float]:
    """Metrics of every label model on gold that it was not fitted on.

    `dev_<metric>` is the chosen model's over all gold points, each judged by the model that the gold of other
    folds chose; one without votes is predicted from the class balance. `dev_covered_<metric>` leaves such
    points out; `dev_coverage` is the share of the others. `dev_<model>/<metric>` are those of each model over
    all gold points, `dev_constant/<metric>` of one that always names the most frequent class. The metric that
    decides and the plain measure have `_low` and `_high` too, the ends of the 95 % interval.
    """
    rows = covered(gold.L)
    metrics = {"dev_points": float(len(gold)), "dev_coverage": float(rows.mean())}
    for name, out in _said(selection).items():
        metrics |= {f"dev_{name}/{metric}": value for metric, value in _metrics(task, gold, out).items()}
    for model in found.models:
        metrics |= _ends(f"dev_{model.name}/", model)
    judged = selection.judged
    if judged is None:
        return metrics
    metrics |= {f"dev_{metric}": value for metric, value in _metrics(task, gold, judged).items()}
    metrics |= _ends("dev_", found.judged)
    part = _metrics(task, Gold(gold.L[rows], gold.Y[rows]), judged.rows(rows))
    return metrics | {f"dev_covered_{metric}": value for metric, value in part.items()}


def sentence_on_gold(found: OnGold) -> str:
    """The chosen model's figures and the constant model's, for people."""
    told = ", ".join(f"{metric.title} {figure}" for metric, figure in found.judged.figures.items())
    first, *others = found.models
    chose = " that had no say in the choice" if len(others) > 1 else ""
    values = ", ".join(f"{metric.title} {figure.value:.3f}" for metric, figure in first.figures.items())
    return f"{told} by cross-validation on gold{chose}; {first.title}: {values}"


def told_metrics(metric: Metric) -> list[Metric]:
    """The metric that decides, and the plain measure that is told beside it where that is another."""
    plain = accuracy_of(metric.problem)
    return [metric] if plain.name == metric.name else [metric, plain]


def _said(selection: Selection) -> dict[str, Outcome]:
    """What each model says of gold that it has not seen, the constant one first; empty without gold."""
    first = {} if selection.constant is None else {CONSTANT: selection.constant}
    return {**first, **selection.held_out}


def _figures(name: str, title: str, metric: Metric, gold: Gold, said: Outcome) -> ModelOnGold:
    figures = {
        one: Figure(one.value(gold.Y, said), *one.interval(gold.Y, said)) for one in told_metrics(metric)
    }
    return ModelOnGold(name, title, figures, metric.problem.log_loss(gold.Y, said.probs))


def _metrics(task: Task, gold: Gold, said: Outcome) -> dict[str, float]:
    return task.problem.evaluate(task.class_names, gold.Y, said.predicted, said.probs, task.positive)


def _ends(prefix: str, model: ModelOnGold) -> dict[str, float]:
    """The figures that decide and are told, with the ends of their intervals."""
    found: dict[str, float] = {}
    for metric, figure in model.figures.items():
        name = f"{prefix}{metric.logged}"
        found |= {name: figure.value, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return found

"""How good a trained end model is: on test points, and on gold by cross-validation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.calibration import reliability
from adaptml.frames import KEYS
from adaptml.gold_labels.judging import judge_metrics, judge_sentence
from adaptml.gold_labels.shown import is_shown_better, passed_over
from adaptml.labelled import GOLD_LABEL, LABEL, Labelled, labelled
from adaptml.runs.artifacts import GOLD_PREDICTIONS, PREDICTIONS
from adaptml.tasks import Task
from adaptml.tasks.metrics import Indicator, Metric, Outcome, accuracy_of, both_in_words, constant, in_words
from modelling.algorithms import EndModel
from modelling.algorithms.core import Matrix
from modelling.choosing import MIN_GOLD, Combined
from modelling.report import predictions, report, with_gold, write_predictions
from modelling.sources import Reader
from modelling.ways import HeldOut

PREDICT_ROWS = 20_000  # of more test points, the features are read so many at a time
BY_CROSS_VALIDATION = "by cross-validation"
IN_ONE_FOLD = "of one fold in five, which another model of the kind did not see"

Probs = npt.NDArray[np.float64]


@dataclass
class Evaluation:
    """What was predicted, and how well.

    Attributes:
        task: classes and problem type.
        folder: where plots and frames are written.
        metric: what the task's models are compared by.
        metrics: `lm_…` against the label model's labels, `gold_…` against gold.
        predictions: frames of table_name, id, label, label_probs and maybe gold_label.
        gold: gold points and what was predicted of them; None where nothing was compared with gold.
        policy: how gold was predicted, for people.
        warnings: what gold holds against the model, one sentence each.
        told: whose labels → how good the model is on them, for people; empty where nothing was compared.
    """

    task: Task
    folder: Path
    metric: Metric
    metrics: dict[str, float] = field(default_factory=dict)
    predictions: list[pd.DataFrame] = field(default_factory=list)
    gold: tuple[Labelled, Outcome] | None = None
    policy: str = ""
    told: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def on_test(self, model: EndModel, reader: Reader, test: pd.DataFrame, V: Matrix | None = None) -> None:
        """Predict the test points once; compare with each kind of label that they have.

        Args:
            model: the end model.
            reader: reads features.
            test: table_name, id, and `label` or `gold_label` or both (t rows).
            V: of a model that takes votes, their log-odds, (t, k).
        """
        probs = _predicted(model, reader, test[KEYS], V)
        frame, place = predictions(self.task, test, probs), pd.MultiIndex.from_frame(test[KEYS])
        for prefix, column in (("lm", LABEL), ("gold", GOLD_LABEL)):
            if column not in test.columns or not test[column].notna().any():
                continue
            truth = labelled(test[test[column].notna()], self.task, column, "the test data")
            found = probs[place.get_indexer(pd.MultiIndex.from_frame(truth.keys))]
            self._compare(truth, Outcome(found, self.task.problem.decide(found)), prefix, "")
            frame = with_gold(frame, self.task, truth) if column == GOLD_LABEL else frame
        write_predictions(frame, self.task, self.folder / PREDICTIONS)
        self.predictions.append(frame)

    def on_gold(
        self,
        held_out: HeldOut,
        done: Combined,
        truth: Labelled,
        policy: str = BY_CROSS_VALIDATION,
    ) -> None:
        """Compare with gold that was trained on: by models that did not see it.

        Args:
            held_out: what is said of gold by models that saw none of its fold, and were not chosen by it.
            done: how the model was chosen.
            truth: g gold points.
            policy: how they were held out, for people.
        """
        self._compare(truth, held_out.said, "gold", policy)
        self._record_constant(truth, held_out.said)
        for other, found in done.held_out.items():
            self.metrics[f"strategy_{other}/log_loss"] = found.log_loss
            self.metrics[f"strategy_{other}/{self.metric.logged}"] = found.metric
            self.metrics[f"strategy_{other}/{self.task.problem.measure}"] = found.plain
            self.metrics[f"strategy_{other}/unconverged"] = found.unconverged
        frame = with_gold(predictions(self.task, truth.keys, held_out.said.probs), self.task, truth)
        write_predictions(frame, self.task, self.folder / GOLD_PREDICTIONS)
        self.predictions.append(frame)

    def _record_constant(self, truth: Labelled, said: Outcome) -> None:
        """What always naming one class reaches, and what gold holds against the model."""
        base, names = constant(self.task.problem, truth.Y, len(truth)), self.task.class_names
        often = names[int(truth.Y.sum(axis=0).argmax())]
        reached = in_words(self.metric, truth.Y, base)
        self.metrics[f"gold_constant/{self.metric.logged}"] = self.metric.value(truth.Y, base)
        self.told["gold"] += f"; always {often}: {reached}"
        if len(truth) >= MIN_GOLD and not is_shown_better(self.metric, truth.Y, said, base):
            self.warnings.append(
                f"the model is not shown to be better than to say always {often}: "
                f"{in_words(self.metric, truth.Y, said)} against {reached} on {len(truth)} gold points; see "
                "what it gets wrong, annotate more, or write rules that say more"
            )
        self.warnings += rarely_named(self.metric, names, truth.Y, said.predicted)

    def _compare(self, truth: Labelled, said: Outcome, prefix: str, policy: str) -> None:
        whose = "gold" if prefix == "gold" else "the label model's labels"
        title = f"End model against {whose}, {len(truth)} points{', ' if policy else ''}{policy}"
        self.metrics |= report(self.folder, self.task, truth, said, prefix, title)
        for metric in (self.metric, accuracy_of(self.task.problem)):
            low, high = metric.interval(truth.Y, said)
            name = f"{prefix}_{metric.logged}"
            self.metrics |= {name: metric.value(truth.Y, said), f"{name}_low": low, f"{name}_high": high}
        words = both_in_words(self.metric, truth.Y, said)
        told = f"{words} on {len(truth)} points{' ' if policy else ''}{policy}"
        if prefix == "gold":
            self.gold, self.policy = (truth, said), policy
            self.metrics |= judge_metrics(self.metric, truth.judges, truth.Y, said, prefix)
            believed = reliability(self.task.problem, self.task.class_names, truth.Y, said.probs)
            self.metrics |= believed.metrics(prefix)
            told += judge_sentence(self.metric, self.metrics, prefix)
        self.told["gold" if prefix == "gold" else "label model"] = told


def rarely_named(metric: Metric, class_names: Sequence[str], Y: Indicator, predicted: Indicator) -> list[str]:
    """A sentence for each class that an end model passes over, see `adaptml.gold_labels.shown`.

    Args:
        metric: what the task's models are compared by: another one is no help where it counts the class
            already.
        class_names: k names.
        Y: classes of g gold points, int8 (g, k).
        predicted: int8 (g, k), what a model that has not seen them names.
    """
    n_has, n_named = Y.sum(axis=0), predicted.sum(axis=0)
    return [
        f"class {class_names[c]} is named far more rarely than gold says: on {n_named[c]} of {len(Y)} gold "
        f"points, of which {n_has[c]} have it; annotate more of it, or "
        + (
            "write rules for it"
            if metric.counts_class(c)
            else "state a metric that counts it (metric: macro_f1)"
        )
        for c in passed_over(Y, predicted)
    ]


def _predicted(model: EndModel, reader: Reader, keys: pd.DataFrame, V: Matrix | None) -> Probs:
    """What a model says of t points, (t, k)."""
    if len(keys) <= PREDICT_ROWS:
        return model.predict_proba(reader.read(keys), V)
    parts = []
    for start in range(0, len(keys), PREDICT_ROWS):
        here = slice(start, start + PREDICT_ROWS)
        X = reader.read(keys[here].reset_index(drop=True))
        parts.append(model.predict_proba(X, None if V is None else V[here]))
    return np.vstack(parts)

"""How good a trained end model is: on test points, and on gold by cross-validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.frames import KEYS
from adaptml.gold_labels.judging import judge_metrics, judge_sentence
from adaptml.labelled import GOLD_LABEL, LABEL, Labelled, labelled
from adaptml.runs.artifacts import GOLD_PREDICTIONS, PREDICTIONS
from adaptml.tasks import Task
from adaptml.tasks.metrics import Outcome, accuracy_of, metric_of
from modelling.algorithms import EndModel
from modelling.report import predictions, report, with_gold, write_predictions
from modelling.sources import Reader
from modelling.strategies import Combined, Gold, Learner, Weak, cross_validate

BY_CROSS_VALIDATION = "by cross-validation"

Probs = npt.NDArray[np.float64]


@dataclass
class Evaluation:
    """What was predicted, and how well.

    Attributes:
        task: classes and problem type.
        folder: where plots and frames are written.
        metrics: `lm_…` against the label model's labels, `gold_…` against gold.
        predictions: frames of table_name, id, label, label_probs and maybe gold_label.
        gold: gold points and what was predicted of them, (g, k); None where nothing was compared with gold.
        policy: how gold was predicted, for people.
    """

    task: Task
    folder: Path
    metrics: dict[str, float] = field(default_factory=dict)
    predictions: list[pd.DataFrame] = field(default_factory=list)
    gold: tuple[Labelled, Probs] | None = None
    policy: str = ""

    def on_test(self, model: EndModel, reader: Reader, test: pd.DataFrame) -> None:
        """Predict the test points once; compare with each kind of label that they have."""
        probs = model.predict_proba(reader.read(test[KEYS]))
        frame, place = predictions(self.task, test, probs), pd.MultiIndex.from_frame(test[KEYS])
        for prefix, column in (("lm", LABEL), ("gold", GOLD_LABEL)):
            if column not in test.columns or not test[column].notna().any():
                continue
            truth = labelled(test[test[column].notna()], self.task, column, "the test data")
            found = probs[place.get_indexer(pd.MultiIndex.from_frame(truth.keys))]
            self._compare(truth, found, prefix, "")
            frame = with_gold(frame, self.task, truth) if column == GOLD_LABEL else frame
        write_predictions(frame, self.task, self.folder / PREDICTIONS)
        self.predictions.append(frame)

    def on_gold(
        self, learner: Learner, weak: Weak | None, gold: Gold, done: Combined, truth: Labelled
    ) -> None:
        """Compare with gold that was trained on: by cross-validation."""
        name = done.strategy
        held_out = done.held_out.get(name) or cross_validate([name], learner, weak, gold)[name]
        self._compare(truth, held_out.probs, "gold", BY_CROSS_VALIDATION)
        for other, found in done.held_out.items():
            self.metrics[f"strategy_{other}/log_loss"] = found.log_loss
            self.metrics[f"strategy_{other}/{self.task.problem.measure}"] = found.metric
            self.metrics[f"strategy_{other}/unconverged"] = found.unconverged
        frame = with_gold(predictions(self.task, truth.keys, held_out.probs), self.task, truth)
        write_predictions(frame, self.task, self.folder / GOLD_PREDICTIONS)
        self.predictions.append(frame)

    def _compare(self, truth: Labelled, probs: Probs, prefix: str, policy: str) -> None:
        whose = "gold" if prefix == "gold" else "the label model's labels"
        title = f"End model against {whose}, {len(truth)} points{', ' if policy else ''}{policy}"
        self.metrics |= report(self.folder, self.task, truth, probs, prefix, title)
        if prefix == "gold":
            self.gold, self.policy = (truth, probs), policy
            predicted = self.task.problem.decide(probs)
            metric, said = metric_of(self.task, truth.Y), Outcome(probs, predicted)
            self.metrics |= judge_metrics(metric, truth.judges, truth.Y, said, prefix)

    def sentences(self) -> Mapping[str, str]:
        """Whose labels → the problem's measure on them, for people; empty where nothing was compared."""
        measure, found = self.task.problem.measure, {}
        for prefix, whose in (("lm", "label model"), ("gold", "gold")):
            if f"{prefix}_{measure}" in self.metrics:
                value, points = self.metrics[f"{prefix}_{measure}"], int(self.metrics[f"{prefix}_points"])
                policy = f" {self.policy}" if prefix == "gold" and self.policy else ""
                judged = judge_sentence(accuracy_of(self.task.problem), self.metrics, prefix)
                found[whose] = f"{measure} {value:.3f} on {points} points{policy}{judged}"
        return found

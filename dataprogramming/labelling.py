"""What a `label` run found out: labels, figures, warnings, and recording them."""

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from adaptml.labelled import GOLD_LABEL, Labelled
from adaptml.runs.tracking import Recorder
from adaptml.tasks import Task, names
from dataprogramming import artifacts
from dataprogramming.analysis import find_problems
from dataprogramming.label_models.core import Gold, LabelMatrix, covered
from dataprogramming.selection import Selection

UNCOVERED_POLICY = "predicted from the class balance"


@dataclass(frozen=True)
class Labelling:
    """All that a run found out, and how it is recorded.

    Attributes:
        task: the task, in the setting of the run.
        lf_names: m names.
        points: frame (n rows) of the points to label, table_name and id.
        L: their label matrix (n, m).
        gold_points: the gold points (g), or None.
        gold: the same as arrays.
        selection: the label models, and the one that was chosen.
        faults: failures counted per LF, where they were allowed.
    """

    task: Task
    lf_names: list[str]
    points: pd.DataFrame
    L: LabelMatrix
    gold_points: Labelled | None
    gold: Gold | None
    selection: Selection
    faults: Counter[str] | None = None

    @property
    def registered_name(self) -> str:
        """Name of the label model in the registry."""
        return artifacts.registered_name(self.task)

    def training_data(self) -> pd.DataFrame:
        """The covered points with their labels and probabilities."""
        rows = covered(self.L)
        probs = self.selection.model.predict_proba(self.L[rows])
        labels = self.selection.model.decide(probs)
        return artifacts.labelled_frame(self.points[rows], labels, probs, self.task.class_names)

    def warnings(self) -> list[str]:
        """What looks wrong, one sentence each."""
        failures = [
            f"labelling function {name} failed on {count} points and abstained there"
            for name, count in (self.faults or {}).items()
        ]
        problems = find_problems(self.L, self.gold, self.lf_names, self.task.class_names)
        return [*failures, *self.selection.warnings, *problems]

    def record(self, recorder: Recorder) -> None:
        """Log counts, figures, warnings and artifacts."""
        n, n_covered = len(self.L), int(covered(self.L).sum())
        log, folder = recorder.log, recorder.folder
        recorder.metrics |= {
            "points": n,
            "points_covered": n_covered,
            "points_left_out": n - n_covered,
            "coverage": n_covered / n,
            "labelling_functions": len(self.lf_names),
            "n_epochs_chosen": self.selection.model.fitted_.n_epochs,
        }
        log.info("%d points, %d without votes are left out of the training data", n, n - n_covered)
        if self.faults is not None:
            recorder.metrics["lf_failures"] = self.faults.total()
        log.info("label model: %s", self.selection.reason)
        for warning in self.warnings():
            log.warning("%s", warning)
        artifacts.write_labelled(self.training_data(), "training_data", folder)
        artifacts.write_matrix(self.L, folder / "train_label_matrix.npy")
        weights = self.selection.model.fitted_.weights
        artifacts.write_summaries(self.task, self.L, self.gold, self.lf_names, weights, folder)
        recorder.model = artifacts.model_to_log(self.task, self.selection, self.lf_names, self.L[:5], folder)
        self._record_gold(recorder)

    def _record_gold(self, recorder: Recorder) -> None:
        if self.gold is None or self.gold_points is None:
            recorder.log.info("no gold: nothing was evaluated")
            return
        held_out = self.selection.held_out[self.selection.chosen]
        recorder.metrics |= artifacts.dev_metrics(self.task, self.gold, self.selection)
        recorder.metrics["dev_left_out"] = self.gold_points.left_out
        recorder.log.info(
            "%d gold points, of which %d without votes are %s; %d without exactly one class are left out",
            len(self.gold),
            int((~covered(self.gold.L)).sum()),
            UNCOVERED_POLICY,
            self.gold_points.left_out,
        )
        frame = artifacts.labelled_frame(
            self.gold_points.keys, held_out.predicted, held_out.probs, self.task.class_names
        )
        frame[GOLD_LABEL] = names(self.gold_points.Y, self.task.class_names)
        artifacts.write_labelled(frame, "development_data", recorder.folder)
        artifacts.write_matrix(self.gold.L, recorder.folder / "dev_label_matrix.npy")
        artifacts.write_confusion(self.task, self.gold, self.selection.chosen, held_out, recorder.folder)

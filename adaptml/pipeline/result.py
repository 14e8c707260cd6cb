"""What a run of everything found."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import pandas as pd

from adaptml.pipeline.order import StepResult


@dataclass(frozen=True)
class RunResult:
    """The result of a run of everything.

    Attributes:
        task: name of the task.
        metric: what the end model's versions are compared by, as runs log it, such as `f1/spam`.
        measure: the plain measure: `accuracy` or `f1_samples`.
        steps: what each step did, in their order.

    Example:
        >>> done = project.run("spam", "comments")
        >>> done.model, done.label.run_id != done.train.run_id
        ('multiclass_spam', True)
        >>> done.frame.columns.tolist()
        ['what', 'f1/spam', 'accuracy', 'experiment_id', 'run_id']
    """

    task: str
    metric: str
    measure: str
    steps: Sequence[StepResult]

    def step(self, name: str) -> StepResult:
        """What one step did.

        Raises:
            KeyError: no such step.
        """
        return {step.step: step for step in self.steps}[name]

    @property
    def label(self) -> StepResult:
        """The run of `label`."""
        return self.step("label")

    @property
    def train(self) -> StepResult:
        """The run of `train`."""
        return self.step("train")

    @property
    def compare(self) -> StepResult:
        """The comparison with the champion."""
        return self.step("compare")

    @property
    def model(self) -> str:
        """Name of the end model in the registry."""
        return str(self.train.found["model"])

    @property
    def version(self) -> str:
        """The version that was trained, or taken again."""
        return str(self.train.found["version"])

    @property
    def champion(self) -> str | None:
        """The version that was the champion before; None where there was none."""
        found: str | None = self.compare.found["champion"]
        return found

    @property
    def better(self) -> bool:
        """Whether the version is better than the champion, or there is none to compare it with."""
        return bool(self.compare.found["better"])

    @property
    def deployed(self) -> bool:
        """Whether this run made the version the champion."""
        return self.step("deploy").state == "done"

    @property
    def next_order(self) -> str:
        """The command that makes the version the champion; empty where it is that, or is not better."""
        waiting = self.better and not self.deployed
        return f"adaptml deploy {self.model} --version {self.version}" if waiting else ""

    @property
    def frame(self) -> pd.DataFrame:
        """The figures side by side: `what`, the metric, the measure beside it, `experiment_id`, `run_id`.

        They are on gold that was held out, NaN where there is none. The version and the champion are judged
        on the same gold.
        """
        label, train, compared = self.label, self.train, self.compare.metrics
        figures = {
            f"label model {label.found['label_model']}": (label.metrics, "dev"),
            f"version {self.version}": (compared, "new") if compared else (train.metrics, "gold"),
        }
        if compared:
            figures[f"champion, version {self.champion}"] = compared, "champion"
        frame = pd.DataFrame({"what": list(figures)})
        for name in dict.fromkeys([self.metric, self.measure]):
            found = [metrics.get(f"{prefix}_{name}") for metrics, prefix in figures.values()]
            frame[name] = pd.Series(found, dtype="float64")
        frame["experiment_id"] = pd.Series([step.experiment_id for step in (label, train)])
        frame["run_id"] = pd.Series([step.run_id for step in (label, train)])
        return frame.fillna({"experiment_id": "", "run_id": ""})

    def _repr_html_(self) -> str:
        """What a notebook shows: the steps, the figures, the verdict, the next order."""
        rows = "".join(
            f"<tr><th>{step.step}</th><td>{step.state}</td><td>{escape(step.text)}</td></tr>"
            for step in self.steps
        )
        table = self.frame.to_html(index=False, border=0, float_format="{:.3f}".format, na_rep="")
        notes = self.compare.found.get("notes", [])
        said = "".join(f"<p>{escape(text)}</p>" for text in (*notes, self.next_order) if text)
        return f"<table>{rows}</table>{table}{said}"

"""What `label` gives: the outcome of a run, to be looked at in a notebook."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from adaptml.errors import LabellingError
from adaptml.runs.recording import Recorder
from dataprogramming.artifacts import registered_name
from dataprogramming.labelling import Labelling
from dataprogramming.votes import Votes
from dataprogramming.write_labels import labels_table


@dataclass(frozen=True, eq=False, repr=False)
class LabelResult:
    """The result of `label`.

    Attributes:
        run_id: the MLflow run; empty where nothing was logged.
        artifact_uri: where its artifacts lie; empty likewise.
        address: where the run can be looked at: its page on the server, else the folder of its artifacts.
        model: name and version of the registered label model; empty likewise.
        chosen: the label model that was chosen.
        reason: why, in one sentence.
        n_points: points to label.
        n_covered: those with at least one vote; the others are not in the training data.
        n_gold: gold points used; 0 without gold.
        n_gold_left_out: gold points without exactly one class, in multiclass runs.
        metrics: all metrics of the run.
        warnings: what looks wrong, one sentence each.
        lines: the outcome as names and texts, for people to read.
        votes: what each labelling function says of each point.
        gold_votes: the same of the gold points; None without gold.
        make_training_data: see `training_data`.
        development_data: the gold points as the label model labels them without having seen them, and
            gold_label; None without gold.
        lf_summary: a row per labelling function.
        new_rows: rows written to the database; None where that was not asked for.
        to_keep: what a task file keeps of it under `label`: all that is not built in; empty in a dry run.

    Example:
        >>> labelled = project.label("spam", "comments", gold="task", label_model="majority_vote")
        >>> labelled.training_data.columns.tolist()
        ['table_name', 'id', 'label', 'label_probs']
        >>> labelled.errors()[["id", "label", "gold_label"]]
            id   label gold_label
        0   h9  [spam]      [ham]
        1  s10   [ham]     [spam]
        2   s7   [ham]     [spam]
    """

    run_id: str
    artifact_uri: str
    address: str
    model: str
    chosen: str
    reason: str
    n_points: int
    n_covered: int
    n_gold: int
    n_gold_left_out: int
    metrics: Mapping[str, float]
    warnings: Sequence[str]
    lines: Sequence[tuple[str, str]]
    votes: Votes
    gold_votes: Votes | None
    make_training_data: Callable[[], pd.DataFrame]
    development_data: pd.DataFrame | None
    lf_summary: pd.DataFrame
    new_rows: int | None = None
    to_keep: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def training_data(self) -> pd.DataFrame:
        """The labelled points: table_name, id, label (class names), label_probs.

        Of many points it is made when it is first asked for; the run's `training_data.parquet` has it too.
        """
        return self.make_training_data()

    def errors(self, lf: str | None = None) -> pd.DataFrame:
        """The gold points that the label model gets wrong, or that one labelling function votes wrongly on.

        Args:
            lf: name of a labelling function; None is the label model, which had not seen the point's gold.

        Returns:
            Frame: table_name, id, texts, label (of the label model), gold_label, and each LF's vote.

        Raises:
            LabellingError: no such labelling function, or a run without gold.
        """
        if lf is not None:
            return self.votes.rows(lf, wrong=True)
        if self.gold_votes is None or self.development_data is None:
            raise LabellingError("there is no gold in this run, so no error is known; label with gold")
        frame = self.development_data
        said, true = frame["label"].map(tuple), frame["gold_label"].map(tuple)
        wrong = np.asarray(said != true)
        return self.gold_votes.shown(wrong, {"label": frame["label"][wrong].tolist()})

    def __repr__(self) -> str:
        return "\n".join(["LabelResult", *(f"{name:<15}{text}" for name, text in self.all_lines())])

    def _repr_html_(self) -> str:
        """What a notebook shows: the outcome, and the table of labelling functions."""
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self.all_lines()
        )
        table = self.lf_summary.to_html(index=False, float_format="{:.3f}".format, na_rep="–")
        return f"<table>{cells}</table>{table}"

    def all_lines(self) -> list[tuple[str, str]]:
        """The outcome and where it lies, the run first."""
        reused = [] if self.votes.reuse is None else self.votes.reuse.lines()
        lines = [*self.lines, *(("votes", line) for line in reused)]
        if not self.run_id:
            return [*lines, ("run", "none: nothing was logged")]
        found = [("run", self.run_id), *lines, ("registered", self.model)]
        if self.new_rows is not None:
            found.append(("database", f"{labels_table(self.votes.task)}, {self.new_rows} new rows"))
        if self.address != self.artifact_uri:
            found.append(("page", self.address))
        return [*found, ("artifacts", self.artifact_uri)]


def result_of(found: Labelling, recorder: Recorder | None) -> LabelResult:
    """The outcome as a notebook sees it; of a dry run, which has no recorder, too."""
    version = "" if recorder is None else f"{registered_name(found.task)} version {recorder.model_version}"
    return LabelResult(
        run_id="" if recorder is None else recorder.run_id,
        artifact_uri="" if recorder is None else recorder.artifact_uri,
        address="" if recorder is None else recorder.address,
        model=version,
        chosen=found.selection.chosen,
        reason=found.selection.reason,
        n_points=len(found.votes),
        n_covered=found.n_covered,
        n_gold=0 if found.gold is None else len(found.gold),
        n_gold_left_out=found.gold_left_out,
        metrics=dict(found.metrics if recorder is None else recorder.metrics),
        warnings=found.warnings,
        lines=found.lines(),
        votes=found.votes,
        gold_votes=found.votes.gold,
        make_training_data=found.training_data,
        development_data=found.development_data,
        lf_summary=found.lf_summary,
    )

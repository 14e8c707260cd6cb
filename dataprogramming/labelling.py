"""What a `label` run found: labels, metrics, warnings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from adaptml.calibration import reliability
from adaptml.gold_labels.judging import judge_metrics, judge_sentence
from adaptml.labelled import GOLD_LABEL
from adaptml.rules.of_model import ModelRules
from adaptml.tasks import Task, names
from adaptml.tasks.defaults import BUILT_IN
from adaptml.tasks.metrics import Outcome
from dataprogramming import artifacts
from dataprogramming.analysis import find_problems
from dataprogramming.gold_warnings import gold_warnings
from dataprogramming.keyword_counts import Hits, silent_sentence
from dataprogramming.label_models.core import Floats, Gold, Indicator
from dataprogramming.lf_table import VoteCounts, count_votes, lf_table
from dataprogramming.lf_versions import LFVersion
from dataprogramming.on_gold import OnGold, dev_metrics, on_gold, sentence_on_gold
from dataprogramming.selection import Selection
from dataprogramming.votes import Votes

UNCOVERED_POLICY = "predicted from the class balance"


@dataclass(frozen=True, eq=False)
class Labelling:
    """All that a run found.

    Attributes:
        task: the task, in the setting of the run.
        votes: on the points to label, and, as its `gold`, on the gold points.
        gold_left_out: gold points without exactly one class, in multiclass runs.
        points_gone: points that were named and are gone from their table.
        gold_gone: the same of gold points.
        came_from: which settings came from where, as `adaptml.tasks.defaults.came_from` says it.
        rules: the labelling functions, as far as they are data.
        selection: the label models, and the one that was chosen.
        lf_versions: the labelling functions as they were used.
        keyword_hits: name of a keyword LF → keyword → in how many points it is.
        keyword_points: how many of the points keywords were counted on.
    """

    task: Task
    votes: Votes
    gold_left_out: int
    selection: Selection
    lf_versions: Sequence[LFVersion] = ()
    keyword_hits: Hits = field(default_factory=dict)
    keyword_points: int = 0
    points_gone: int = 0
    gold_gone: int = 0
    came_from: str = BUILT_IN
    rules: ModelRules | None = None

    @property
    def gold(self) -> Gold | None:
        """The gold points as arrays."""
        return gold_of(self.votes)

    @property
    def judged(self) -> Outcome | None:
        """What is said of each gold point by a label model that neither saw it nor was chosen by it.

        None without gold.
        """
        return self.selection.judged

    @property
    def weights(self) -> Floats:
        """How far each labelling function is trusted, float64 (m,)."""
        return self.selection.model.fitted_.weights

    @cached_property
    def counts(self) -> VoteCounts:
        """The votes on the points to label, counted."""
        return count_votes(self.votes.patterns, self.votes.codes)

    @property
    def n_covered(self) -> int:
        """How many points have votes."""
        return self.counts.n - self.counts.uncovered

    @cached_property
    def labels(self) -> tuple[Floats, Indicator]:
        """Of each distinct row of votes: probabilities, float64 (u, k), and classes, int8 (u, k)."""
        probs = self.selection.model.predict_proba(self.votes.patterns.rows)
        return probs, self.selection.model.decide(probs)

    def training_data(self) -> pd.DataFrame:
        """The covered points with their labels and probabilities: table_name, id, label, label_probs."""
        probs, labels = self.labels
        rows = np.flatnonzero(self.votes.patterns.is_covered)
        which = self.votes.patterns.which[rows]
        return artifacts.labelled_frame(self.votes.keys.iloc[rows], labels[which], probs[which], self.task)

    @cached_property
    def development_data(self) -> pd.DataFrame | None:
        """The gold points as the label model labels them without having seen them; None without gold."""
        gold, judged = self.votes.gold, self.judged
        if gold is None or gold.Y is None or judged is None:
            return None
        frame = artifacts.labelled_frame(gold.keys, judged.predicted, judged.probs, self.task)
        frame[GOLD_LABEL] = names(gold.Y, self.task.class_names)
        return frame

    @cached_property
    def on_gold(self) -> OnGold | None:
        """How good each label model is on gold that it has not seen; None without gold."""
        return on_gold(self.selection, self.gold, self.task.class_names)

    @cached_property
    def lf_summary(self) -> pd.DataFrame:
        """A row per labelling function, see `lf_table`."""
        return lf_table(
            self.votes.patterns,
            self.votes.lf_names,
            self.task.class_names,
            self.votes.sets,
            weights=self.weights,
            gold=self.gold,
            counts=self.counts,
        )

    @cached_property
    def metrics(self) -> dict[str, float]:
        """All metrics of the run."""
        n, n_covered = len(self.votes), self.n_covered
        found: dict[str, float] = {
            "points": n,
            "points_covered": n_covered,
            "points_left_out": n - n_covered,
            "points_gone": self.points_gone,
            "coverage": n_covered / n,
            "labelling_functions": len(self.votes.lf_names),
            "n_epochs_chosen": self.selection.model.fitted_.n_epochs,
        }
        if self.gold is not None and self.on_gold is not None:
            found |= dev_metrics(self.task, self.gold, self.selection, self.on_gold)
            found |= self._judge_metrics() | self._calibration_metrics(self.gold)
            found |= {"dev_left_out": self.gold_left_out, "dev_gone": self.gold_gone}
        return found

    @cached_property
    def warnings(self) -> list[str]:
        """What looks wrong, one sentence each."""
        failures = [
            f"labelling function {name} failed on {count} points and abstained there"
            for name, count in self.votes.failures.items()
        ]
        patterns, class_names = self.votes.patterns, self.task.class_names
        problems = find_problems(
            patterns, self.gold, self.votes.lf_names, class_names, self.counts, self.votes.sets
        )
        labels, times = self.labels[1][patterns.covered], patterns.counts[patterns.covered]
        silent = silent_sentence(self.keyword_hits, self.keyword_points)
        return [
            *failures,
            *self.selection.warnings,
            *gold_warnings(self.selection, self.gold, class_names, labels, times),
            *problems,
            *([silent] if silent else []),
        ]

    def lines(self) -> list[tuple[str, str]]:
        """The outcome as names and texts, for people to read."""
        n, n_covered = len(self.votes), self.n_covered
        left_out = f", {self.gold_left_out} left out (not exactly one class)" if self.gold_left_out else ""
        left_out += _gone(self.gold_gone)
        found = [
            (
                "points",
                f"{n}, {n_covered} of them labelled, the others have no votes{_gone(self.points_gone)}",
            ),
            ("gold", "none" if self.gold is None else f"{len(self.gold)} points{left_out}"),
            ("label model", self.selection.reason),
        ]
        if self.came_from != BUILT_IN:
            found.append(("settings", self.came_from))
        if self.on_gold is not None:
            found.append(("on gold", self._sentence(self.on_gold)))
        if self.selection.chosen in self.selection.calibration:
            found.append(("probabilities", self.selection.calibration[self.selection.chosen]))
        return found

    def _judge_metrics(self) -> dict[str, float]:
        gold, judged = self.votes.gold, self.judged
        if gold is None or gold.Y is None or judged is None:
            return {}
        return judge_metrics(self.selection.metric, gold.judges, gold.Y, judged, "dev")

    def _calibration_metrics(self, gold: Gold) -> dict[str, float]:
        probs = None if self.judged is None else self.judged.probs
        if probs is None:
            return {}
        return reliability(self.task.problem, self.task.class_names, gold.Y, probs).metrics("dev")

    def _sentence(self, found: OnGold) -> str:
        without = 1 - self.metrics["dev_coverage"]
        return (
            f"{sentence_on_gold(found)}; gold points without votes ({without:.0%}) are {UNCOVERED_POLICY}"
            f"{judge_sentence(self.selection.metric, self.metrics, 'dev')}"
        )


def _gone(n: int) -> str:
    return f", {n} left out (gone from their table)" if n else ""


def gold_of(votes: Votes) -> Gold | None:
    """The gold points of votes as arrays."""
    gold = votes.gold
    return None if gold is None or gold.Y is None else Gold(gold.L, gold.Y)


def run_params(task: Task, given: Mapping[str, object]) -> dict[str, object]:
    """Parameters of a run: task and setting, what was given, and the policy for points without votes."""
    return {"task": task.name, "setting": task.setting, **given, "uncovered_gold": UNCOVERED_POLICY}

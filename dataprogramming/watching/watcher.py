"""One watch: both sides are read, compared and judged together."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from adaptml.errors import FeatureError, FrameError, ModelError, one_line
from adaptml.frames import KEYS
from adaptml.gold_labels.reading import gold_labels
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.label_models.core import covered
from dataprogramming.lf_versions import lf_versions
from dataprogramming.voter import Voter
from dataprogramming.votes import Votes
from dataprogramming.watching.gold_over_time import GoldOverTime, gold_over_time
from dataprogramming.watching.history import Watch
from dataprogramming.watching.model import Model, served_model
from dataprogramming.watching.new_rows import ByVectors, ByWords, by_vectors, by_words, some
from dataprogramming.watching.reference import Origin, Reference, same_rules
from dataprogramming.watching.served import LEFT_OUT, Asking, Sides, compare_served
from dataprogramming.watching.statistics import Kind, Quantity, judged
from dataprogramming.watching.verdict import TO_ANNOTATE, asks_for_labels
from dataprogramming.watching.voted import VoteCounts, compare_votes
from dataprogramming.watching.words import NewWords

MOST_RECAST = 20_000  # old rows that votes are cast on anew where the rules have changed


@dataclass(frozen=True)
class Found:
    """What a watch found.

    Attributes:
        quantities: all comparisons, judged together.
        notes: what was compared and what was left out, as names and sentences.
        to_annotate: `table_name` and `id` of new rows to annotate; empty where none are called for.
        words: the words that are new; None where there are none.
        gold: the model on gold; None where there is none.
        sides: the predictions.
    """

    quantities: list[Quantity]
    notes: list[tuple[str, str]]
    to_annotate: pd.DataFrame
    words: NewWords | None
    gold: GoldOverTime | None
    sides: Sides


@dataclass(eq=False)
class Watcher:
    """Compares new rows with those of a run.

    Attributes:
        project: holds rows, features, gold and runs.
        task: whose rules, in the setting of the run.
        origin: the runs that new rows are compared with.
        voter: casts the task's votes.
        reference: the run's points.
        new: `table_name` and `id` of the rows that came since (m rows).
        source: where these were looked for, in words.
        watches: earlier ones, the oldest first.
        folder: for files on the way.
        seed: draws samples and halves.
    """

    project: Project
    task: Task
    origin: Origin
    voter: Voter
    reference: Reference
    new: pd.DataFrame
    source: str
    watches: list[Watch]
    folder: Path
    seed: int

    def run(self) -> Found:
        """Compare everything that can be compared."""
        votes = self._vote(self.new)
        found, notes = self._votes(votes)
        sides, gold = self._model(self.new.loc[covered(votes.L)].reset_index(drop=True))
        if sides.old is not None and sides.new is not None:
            found += compare_served(self.task, sides.old, sides.new)
        rows = self.project, self.task, self._old, self.new, self.seed
        words, vectors = by_words(*rows), by_vectors(*rows)
        found += [] if words.found is None else [words.found.quantity]
        found += [] if vectors.found is None else [vectors.found.quantity]
        quantities = judged(found)
        notes += [("predictions", sides.note), ("words", words.note), ("vectors", vectors.note)]
        notes += [("votes", line) for line in self.voter.kept.reuse().lines()]
        notes += [] if gold is None else gold.lines()
        chosen = to_annotate(quantities, self.new, words, vectors, self.seed)
        return Found(quantities, notes, chosen, words.found, gold, sides)

    def _vote(self, keys: pd.DataFrame) -> Votes:
        """The task's votes on n rows; those that were kept are looked up."""
        return self.voter.votes(keys)

    @cached_property
    def _old(self) -> pd.DataFrame:
        """Points of the run that are still in their tables, 20,000 at most."""
        there = self.project.database.present(self.reference.sample)
        return self.reference.sample.loc[there].reset_index(drop=True)

    def _votes(self, votes: Votes) -> tuple[list[Quantity], list[tuple[str, str]]]:
        m, codes = votes.L.shape[1], votes.codes
        now = lf_versions(self.voter.lfs, self.voter.kept.prints, self.task.folder)
        old, notes = self.reference.counts, []
        if not same_rules(self.project, self.origin.label_run, now, self.folder):
            old = VoteCounts(m, codes).add(self._vote(self._old).L)
            notes = [("rules", f"changed since the run: votes were cast anew on {old.n} of its rows")]
        lf_names = [lf.name for lf in self.voter.lfs]
        return compare_votes(lf_names, self.task.class_names, old, VoteCounts(m, codes).add(votes.L)), notes

    def _model(self, covered_rows: pd.DataFrame) -> tuple[Sides, GoldOverTime | None]:
        """What the served model says of new rows, and on gold that was made since its training."""
        try:
            model = served_model(self.project, self.task, self.origin, self.folder)
            ask = self.project, self.task, self.origin, model, self._vote, self.folder, self.seed
            return Asking(*ask).sides(covered_rows, self.watches), self._gold(model)
        except (ModelError, FeatureError) as error:  # the rules can be watched without a model
            return Sides(None, None, None, f"{LEFT_OUT}: {one_line(error)}"), None

    def _gold(self, model: Model) -> GoldOverTime | None:
        try:
            gold = gold_labels(self.project, self.task.name).frame
        except FrameError:  # there is none
            return None
        run = self.project.runs.get(self.origin.train_run or self.origin.label_run)
        trained_at = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
        learned = self.reference.holds(gold[KEYS])
        return gold_over_time(self.task, gold, learned, trained_at, model.predict)


def to_annotate(
    quantities: list[Quantity], new: pd.DataFrame, words: ByWords, vectors: ByVectors, seed: int
) -> pd.DataFrame:
    """The new rows to annotate, 50 at most.

    Those that look newest by their vectors, where these moved; else those with new words, where these did;
    else some at random.

    Args:
        quantities: judged together; without one that labels settle there is nothing to annotate.
        new: `table_name` and `id` of all new rows.
        words, vectors: what was found in some of them.
        seed: draws.
    """
    if not asks_for_labels(quantities):
        return new.head(0)
    moved = {quantity.kind for quantity in quantities if quantity.moved}
    if Kind.VECTORS in moved and vectors.found is not None:
        newest = np.argsort(-vectors.found.scores, kind="stable")[:TO_ANNOTATE]
        return vectors.rows.iloc[newest].reset_index(drop=True)
    if Kind.WORDS in moved and words.found is not None:
        return some(words.rows.loc[words.found.has_any], TO_ANNOTATE, seed)
    return some(new, TO_ANNOTATE, seed)

"""What a label run tells beside its labels: what each label model says, and what it says unseen."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.data import Data, artifact_of, is_run
from adaptml.errors import TrackingError
from adaptml.fold_probs import FoldProbs, read_fold_probs
from adaptml.folds import FOLDS
from adaptml.frames import rows_of_keys
from adaptml.label_scoring import FittedModel, load_model
from adaptml.labelled import Labelled
from adaptml.project import Project
from adaptml.runs.artifacts import FOLD_PROBS, LABEL_MODELS
from adaptml.tasks import ProblemType, Task
from adaptml.tasks.metrics import Outcome
from modelling.algorithms.core import Matrix
from modelling.algorithms.log_odds import vote_log_odds
from modelling.algorithms.many_rows import ManyRows
from modelling.learner import Weak
from modelling.sources import BYTES_A_NUMBER, Reader, Split, targets

REST_ROWS = 20_000  # points without votes that a strategy learns from, at most: each has to be read
# Of points that are not held in memory at once, so many choose how a model is trained; it is trained on all.
CHOICE_ROWS = 20_000
LEAST_CHOICE_ROWS = 2_500  # where little memory was asked for
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LabelRun:
    """A run of `label`, as far as it tells more than its labels.

    Attributes:
        project: whose run it is.
        run_id: which.
        probs: what its label models say; None where it does not tell: a frame, labels without gold, a run
            of before, or one with other classes than the task has now.
        folder: where copies of its artifacts may lie.
    """

    project: Project
    run_id: str
    probs: FoldProbs | None
    folder: Path

    def label_model(self, name: str) -> tuple[FittedModel, list[str]]:
        """A label model that has seen all gold, and the names of the labelling functions that it hears.

        Raises:
            TrackingError: the run does not have it.
        """
        path = artifact_of(self.project, self.run_id, f"{LABEL_MODELS}/{name}.npz", self.folder)
        fitted, _, lf_names = load_model(path)
        return fitted, lf_names

    def vote_log_odds(self, label_model: str, keys: pd.DataFrame, problem: ProblemType) -> Matrix | None:
        """What a label model says of data points as features, float32 (n, k), of gold points without having
        seen them; None where the run does not know all of them.
        """
        rows = None if self.probs is None else self.probs.rows_of(keys)
        if self.probs is None or rows is None or (rows < 0).any():
            return None
        return vote_log_odds(problem, _on_gold(self.probs, label_model, rows).probs)

    def artifact(self, name: str) -> Path | None:
        """One of its artifacts; None where it has none of that name."""
        try:
            return artifact_of(self.project, self.run_id, name, self.folder) if self.run_id else None
        except TrackingError:
            return None


@contextmanager
def label_run(project: Project, data: Data, task: Task) -> Iterator[LabelRun]:
    """The run that labels come from, while the block lasts."""
    with TemporaryDirectory(prefix="adaptml-") as name:
        folder = Path(name)
        if not is_run(data):
            yield LabelRun(project, "", None, folder)
            return
        try:
            found = read_fold_probs(artifact_of(project, str(data), FOLD_PROBS, folder))
        except TrackingError:  # labelled without gold, or before there were such files
            yield LabelRun(project, str(data), None, folder)
            return
        same = list(found.classes) == task.class_names
        yield LabelRun(project, str(data), found if same else None, folder)


def weak_labels(
    run: LabelRun, labels: Split, reader: Reader, *, soft: bool | None, rest: bool, seed: int
) -> dict[str, Weak]:
    """Weakly labelled points as each label model of a run labels them; that of the run first.

    Args:
        run: where the labels come from.
        labels: which points are trained on.
        reader: reads features.
        soft: whether soft labels were asked for; then labels without probabilities are refused.
        rest: whether points without votes are wanted too.
        seed: of which of them are taken, where there are more than REST_ROWS.

    Returns:
        Label model → points; under "" where only the labels themselves are known; empty where none are left.

    Raises:
        ModelError: soft labels of data without probabilities.
    """
    training, gold, probs = labels.training, labels.gold, run.probs
    rows = None if probs is None else probs.rows_of(training.keys)
    if probs is None or rows is None or (rows < 0).any():
        return _as_labelled(labels, reader, run.folder, soft=soft, seed=seed)
    X = reader.read_many(training.keys, run.folder, seed) if len(training) else np.empty((0, 0), np.float32)
    X_rest = _without_votes(run, probs, labels, reader, seed) if rest and len(training) else None
    chosen_first = sorted(probs.label_models, key=lambda name: name != probs.chosen)
    if not isinstance(X, ManyRows) or not labels.has_gold:
        return {name: _weak(probs, name, rows, gold, X, X_rest) for name in chosen_first}
    chosen, X_chosen = _chosen(X)
    return {
        name: replace(
            _weak(probs, name, rows[chosen], gold, X_chosen, X_rest),
            rows=chosen,
            whole=_weak(probs, name, rows, gold, X, X_rest),
        )
        for name in chosen_first
    }


def read_at_once(weak: Weak) -> Weak:
    """The same, which needs the run's files no more."""
    if weak.without is None:
        return weak
    known = {fold: weak.without(fold) for fold in range(FOLDS)}
    return replace(weak, without=known.__getitem__)


def _weak(
    probs: FoldProbs,
    name: str,
    rows: Rows,
    gold: Labelled | None,
    X: Matrix | ManyRows,
    X_rest: npt.NDArray[np.float32] | None,
) -> Weak:
    on_gold = None
    if gold is not None:
        found = probs.rows_of(gold.keys)
        on_gold = None if (found < 0).any() else _on_gold(probs, name, found)
    return Weak(
        X,
        probs.says(name, rows),
        X_rest,
        lambda fold: probs.says(name, rows, fold),
        on_gold,
        np.array(probs.decisions[name]["thresholds"]),
    )


def _on_gold(probs: FoldProbs, name: str, rows: Rows) -> Outcome:
    """What a label model says of gold points unseen; gold that the run did not have it cannot have seen."""
    said, judged = probs.says(name, rows), probs.fold[rows] >= 0
    unseen = probs.unseen(name, rows[judged])
    said.probs[judged], said.predicted[judged] = unseen.probs, unseen.predicted
    return said


def _as_labelled(
    labels: Split, reader: Reader, folder: Path, *, soft: bool | None, seed: int
) -> dict[str, Weak]:
    training = labels.training
    if len(training) == 0:
        return {}
    if soft:
        targets(training, labels.source, soft)  # refuses labels without probabilities
    probs = training.Y.astype(np.float64) if training.P is None else training.P
    X, says = reader.read_many(training.keys, folder, seed), Outcome(probs, training.Y)
    if not isinstance(X, ManyRows) or not labels.has_gold:
        return {"": Weak(X, says)}
    chosen, X_chosen = _chosen(X)
    return {"": Weak(X_chosen, says.rows(chosen), rows=chosen, whole=Weak(X, says))}


def _chosen(X: ManyRows) -> tuple[Rows, Matrix]:
    """The points that choose how a model is trained."""
    n, width = CHOICE_ROWS, X.shape[1]
    # Not what is free now: how a model is chosen does not change from run to run.
    while X.memory.asked and n > LEAST_CHOICE_ROWS and n * width * BYTES_A_NUMBER > X.memory.max_bytes // 2:
        n //= 2
    n = min(n, len(X))
    X.memory.check(n * width * BYTES_A_NUMBER, f"{n:,} rows of {width:,} numbers, to choose how to train by,")
    return X.sample(n)


def _without_votes(
    run: LabelRun, probs: FoldProbs, labels: Split, reader: Reader, seed: int
) -> npt.NDArray[np.float32] | None:
    """Features of the run's points that no labelling function votes on, and that nobody judges by."""
    keys = probs.keys[~probs.voted & (probs.fold < 0)].reset_index(drop=True)
    for others in (labels.gold.keys if labels.gold is not None else None, labels.test):
        if others is not None:
            rows, left = rows_of_keys(keys, others), np.ones(len(keys), dtype=bool)
            left[rows[rows >= 0]] = False
            keys = keys[left].reset_index(drop=True)
    if len(keys) > REST_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(keys), REST_ROWS, replace=False))
        keys = keys.iloc[chosen].reset_index(drop=True)
    keys = keys[run.project.database.present(keys)].reset_index(drop=True) if len(keys) else keys
    return reader.read(keys) if len(keys) else None

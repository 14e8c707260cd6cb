"""Gold labels: one label set per point out of what its annotators said."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from adaptml.errors import AnnotationError, listed
from adaptml.frames import KEYS
from adaptml.tasks import Task, indicator, names
from labelstudio.annotations import Annotations, Label
from labelstudio.dawid_skene import Confusion, dawid_skene

MAJORITY, RANDOM, DROP, DAWID_SKENE = "majority", "random", "drop", "dawid-skene"
GROUND_TRUTH = "ground-truth"

LabelSet = tuple[str, ...]
# From the label sets of each point (one per annotator, at least one) to the gold one, or None for none.
Chooser = Callable[[Sequence[Sequence[LabelSet]], np.random.Generator], list[LabelSet | None]]


@dataclass(frozen=True)
class GoldOptions:
    """How one label set per point is chosen.

    Attributes:
        choice: an annotator's id, `majority`, `random`, `drop`, `dawid-skene` or `ground-truth`.
        per_class: vote on each class by itself; for `majority` in multilabel tasks.
        seed: settles the ties of `random`.
    """

    choice: str = MAJORITY
    per_class: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Gold:
    """Gold labels and how they came about.

    Attributes:
        choice: as it was given.
        frame: `table_name`, `id`, `gold_label` (list of class names), one row per gold point.
        dropped: points that somebody labelled and that have no gold label.
        settled: ties that the random generator settled.
        single: gold points that one annotator alone labelled.
        confusions: the annotators' estimated confusion matrices; empty but for `dawid-skene`.
        converged: whether that estimate stood still in the end.
    """

    choice: str
    frame: pd.DataFrame
    dropped: int
    settled: int
    single: int
    confusions: Sequence[Confusion] = ()
    converged: bool = True

    @property
    def why_dropped(self) -> str:
        """Why labelled points have no gold label."""
        return _WHY_DROPPED.get(self.choice, f"annotator {self.choice} did not label them")


def choose_gold(annotations: Annotations, task: Task, options: GoldOptions) -> Gold:
    """One gold label set per point.

    A point with one annotator takes what that annotator said, whatever the choice (an annotator's id
    takes only that annotator's points, `ground-truth` only those with an annotation that is marked so).

    Args:
        annotations: who said what.
        task: names the classes.
        options: how the label set of a point is chosen.

    Raises:
        AnnotationError: a choice that does not exist, or one that leaves no gold label at all.
    """
    _check_choice(annotations, task, options)
    choice = options.choice
    voting = _voting(annotations, choice)
    given: dict[tuple[str, str], list[LabelSet]] = {}
    for label in voting:
        given.setdefault(label.key, []).append(label.classes)
    rows = list(given.values())
    confusions: Sequence[Confusion] = ()
    converged = True
    if choice == DAWID_SKENE:
        chosen, confusions, converged = dawid_skene(voting, task)
    elif options.per_class:
        chosen = _majority_per_class(rows, task.class_names)
    else:
        chosen = _CHOOSERS.get(choice, _unanimous)(rows, np.random.default_rng(options.seed))
    kept = [(key, label) for key, label in zip(given, chosen, strict=True) if label is not None]
    if not kept:
        raise AnnotationError(
            f"gold choice {choice!r} leaves none of {len(rows)} labelled points: annotators disagree on all; "
            "choose random or an annotator's id, or annotate again"
        )
    frame = pd.DataFrame([key for key, _ in kept], columns=KEYS)
    frame["gold_label"] = pd.Series([list(label) for _, label in kept], dtype=object)
    annotators = Counter(label.key for label in annotations.labels)
    single = sum(annotators[key] == 1 for key, _ in kept)
    settled = sum(len(_most(row)) > 1 for row in rows) if options.choice == RANDOM else 0
    return Gold(choice, frame, len(annotators) - len(kept), settled, single, confusions, converged)


def _voting(annotations: Annotations, choice: str) -> list[Label]:
    """The labels that a choice looks at.

    Raises:
        AnnotationError: none is marked as ground truth, and only such ones were asked for.
    """
    if choice != GROUND_TRUTH:
        return [v for v in annotations.labels if choice in CHOICES or v.annotator == choice]
    marked = [label for label in annotations.labels if label.ground_truth]
    if not marked:
        raise AnnotationError(
            f"gold choice {choice!r}: none of {len(annotations.labels)} annotations is marked as ground "
            "truth; mark some in Label Studio (the star beside an annotation), or choose otherwise"
        )
    return marked


def _check_choice(annotations: Annotations, task: Task, options: GoldOptions) -> None:
    choice = options.choice
    if choice not in CHOICES and choice not in annotations.annotators:
        raise AnnotationError(
            f"gold choice {choice!r} does not exist; expected {', '.join(CHOICES)} or an annotator's id: "
            f"{listed(annotations.annotators, 20)}"
        )
    if options.per_class and (choice != MAJORITY or task.problem.exclusive):
        raise AnnotationError(
            f"--per-class was given with {choice!r} and task {task.name!r} is {task.setting}; "
            "it is for majority in multilabel tasks: leave it out"
        )


def _most(row: Sequence[LabelSet]) -> list[LabelSet]:
    """The label sets that most annotators gave, sorted: one, or several in a tie."""
    votes = Counter(row)
    most = max(votes.values())
    return sorted(label for label, n in votes.items() if n == most)


def _majority(rows: Sequence[Sequence[LabelSet]], _: np.random.Generator) -> list[LabelSet | None]:
    return [most[0] if len(most := _most(row)) == 1 else None for row in rows]


def _random(rows: Sequence[Sequence[LabelSet]], rng: np.random.Generator) -> list[LabelSet | None]:
    best = [_most(row) for row in rows]
    return [most[0] if len(most) == 1 else most[rng.integers(len(most))] for most in best]


def _unanimous(rows: Sequence[Sequence[LabelSet]], _: np.random.Generator) -> list[LabelSet | None]:
    return [row[0] if len(set(row)) == 1 else None for row in rows]


def _majority_per_class(
    rows: Sequence[Sequence[LabelSet]], class_names: Sequence[str]
) -> list[LabelSet | None]:
    """Each class that more than half of the annotators chose; None where a class has exactly half."""
    chosen: list[LabelSet | None] = []
    for row in rows:
        votes = 2 * indicator(row, class_names).sum(axis=0, dtype=np.intp)
        tied = bool((votes == len(row)).any())
        chosen.append(None if tied else tuple(names((votes > len(row))[None, :], class_names)[0]))
    return chosen


_WHY_DROPPED = {
    MAJORITY: "ties",
    DROP: "annotators differ",
    DAWID_SKENE: "two answers are equally likely",
    GROUND_TRUTH: "no annotation is marked as ground truth, or those that are differ",
}
_CHOOSERS: dict[str, Chooser] = {MAJORITY: _majority, RANDOM: _random, DROP: _unanimous}
CHOICES = (*_CHOOSERS, DAWID_SKENE, GROUND_TRUTH)

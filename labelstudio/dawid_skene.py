"""Gold labels from annotators of unequal reliability.

Dawid and Skene (1979), "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm",
Applied Statistics 28(1): every point has one true class, and annotator j who sees a point of class t says
s with probability C_j[t, s], whatever the others say. EM alternates between P(t | what was said) and C, the
classes' shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from adaptml.tasks import Task
from labelstudio.annotations import Label, annotator_order

MISSING = -1
MAX_ITERATIONS = 1000
TOLERANCE = 1e-7  # largest change of a probability at which EM stops
TIE = 1e-6  # two classes closer than this are a tie
# Added to each cell of a confusion matrix, as if it had been seen this often: an annotator who never saw a
# class is not taken to be wrong about it for certain.
SMOOTHING = 0.01
SHOWN = 0.005  # smaller probabilities are left out of the lines

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Estimate:
    """The result of EM.

    Attributes:
        probs: (n, q), P(class | what was said); rows sum to 1.
        confusion: (m, q, q), [j, t, s] = P(annotator j says s | the class is t); rows sum to 1.
        shares: (q,), P(class).
        iterations: how many EM took.
        converged: False where it stopped at `MAX_ITERATIONS`.
    """

    probs: Floats
    confusion: Floats
    shares: Floats
    iterations: int
    converged: bool


@dataclass(frozen=True)
class Confusion:
    """An annotator's estimated confusion matrix.

    Attributes:
        annotator: who.
        about: the class that was judged present or absent (multilabel); None in multiclass tasks.
        names: what the rows (the truth) and columns (what was said) stand for.
        matrix: (q, q) as lists, values in [0, 1]; rows sum to 1.
        shares: (q,), how common each truth is.
    """

    annotator: str
    about: str | None
    names: list[str]
    matrix: list[list[float]]
    shares: list[float]

    @property
    def accuracy(self) -> float:
        """How often this annotator is right: the diagonal, weighted by the shares."""
        return float(np.diag(self.matrix) @ np.array(self.shares))


def estimate(said: Codes, q: int) -> Estimate:
    """Run EM from the shares of votes until the probabilities stand still.

    Args:
        said: int array (n, m), values in {-1, 0 … q-1}; -1 where an annotator did not label the point.
            Every row has at least one label.
        q: number of classes.

    Returns:
        The estimate; the same input gives the same one.
    """
    votes = np.stack([said == s for s in range(q)], axis=2).astype(np.float64)  # (n, m, q)
    probs = votes.sum(axis=1) / votes.sum(axis=(1, 2))[:, None]
    for iteration in range(1, MAX_ITERATIONS + 1):
        counts = np.einsum("nt,nms->mts", probs, votes) + SMOOTHING
        confusion = counts / counts.sum(axis=2, keepdims=True)
        shares = probs.mean(axis=0)
        with np.errstate(divide="ignore"):  # a class that nobody ever chose has the share 0
            log_joint = np.log(shares) + np.einsum("nms,mts->nt", votes, np.log(confusion))
        joint = np.exp(log_joint - log_joint.max(axis=1, keepdims=True))
        before, probs = probs, joint / joint.sum(axis=1, keepdims=True)
        if np.abs(probs - before).max() < TOLERANCE:
            return Estimate(probs, confusion, shares, iteration, converged=True)
    return Estimate(probs, confusion, shares, MAX_ITERATIONS, converged=False)


def dawid_skene(
    labels: Sequence[Label], task: Task
) -> tuple[list[tuple[str, ...] | None], list[Confusion], bool]:
    """Gold label sets by Dawid and Skene's model.

    In multiclass tasks "about none of the classes" is one more class. In multilabel tasks every class is
    a model of its own: present or absent.

    Args:
        labels: at most one per point and annotator, sorted by point.
        task: names the classes and the setting.

    Returns:
        One label set per point in the order of the labels, None for a tie; the annotators' confusion
        matrices; whether EM converged everywhere.
    """
    points = {key: row for row, key in enumerate(dict.fromkeys(label.key for label in labels))}
    names_of_people = sorted({label.annotator for label in labels}, key=annotator_order)
    people = {name: column for column, name in enumerate(names_of_people)}

    def coded(code: dict[tuple[str, ...], int]) -> Codes:
        said = np.full((len(points), len(people)), MISSING, dtype=np.intp)
        for label in labels:
            said[points[label.key], people[label.annotator]] = code[label.classes]
        return said

    if task.problem.exclusive:
        sets: list[tuple[str, ...]] = [*((name,) for name in task.class_names), ()]
        found = estimate(coded({names: i for i, names in enumerate(sets)}), len(sets))
        rows = ["+".join(names) or "none" for names in sets]
        return _winners(found.probs, sets), _confusions(found, list(people), None, rows), found.converged
    chosen: list[list[str] | None] = [[] for _ in points]
    confusions, converged = [], True
    everything = {label.classes for label in labels}
    for name in task.class_names:
        found = estimate(coded({names: int(name in names) for names in everything}), 2)
        for row, winner in enumerate(_winners(found.probs, [(), (name,)])):
            before = chosen[row]
            chosen[row] = None if before is None or winner is None else [*before, *winner]
        confusions += _confusions(found, list(people), name, ["absent", "present"])
        converged = converged and found.converged
    return [None if names is None else tuple(names) for names in chosen], confusions, converged


def _winners(probs: Floats, sets: Sequence[tuple[str, ...]]) -> list[tuple[str, ...] | None]:
    """The likeliest label set of each row; None where two are equally likely."""
    ordered = np.sort(probs, axis=1)
    tied = ordered[:, -1] - ordered[:, -2] < TIE
    return [
        None if tie else sets[best] for best, tie in zip(probs.argmax(axis=1).tolist(), tied, strict=True)
    ]


def _confusions(
    found: Estimate, people: Sequence[str], about: str | None, names: Sequence[str]
) -> list[Confusion]:
    return [
        Confusion(person, about, list(names), found.confusion[j].tolist(), found.shares.tolist())
        for j, person in enumerate(people)
    ]


def confusion_lines(confusions: Sequence[Confusion]) -> list[str]:
    """The confusion matrices as lines of text: a row for what is true, a column for what was said."""
    lines = []
    for found in confusions:
        if found.about is not None:
            (_, false), (_, true) = found.matrix
            sees = f"says so of {true:.0%} of its points and of {false:.0%} of the others"
            lines.append(f"annotator {found.annotator}, class {found.about}: {sees}")
            continue
        lines.append(f"annotator {found.annotator}: right in {found.accuracy:.0%}")
        for name, row, share in zip(found.names, found.matrix, found.shares, strict=True):
            if share < SHOWN:
                continue
            said = ", ".join(
                f"{other} {p:.2f}" for other, p in zip(found.names, row, strict=True) if p >= SHOWN
            )
            lines.append(f"  truly {name}: says {said}")
    return lines

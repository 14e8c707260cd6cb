"""What there is to fix, and the file in which a run keeps it."""

from dataclasses import dataclass, fields
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter

from adaptml.files import write_text

GOLD, TRAINING = "gold", "training"
CLEAR = 0.05  # a slice whose q is above it may be chance

Names = tuple[str, ...]
Key = tuple[str, str]


@dataclass(frozen=True)
class Suspect:
    """A point whose label looks wrong.

    Attributes:
        table_name, id: its key.
        source: whose label it is: `gold`, or `training` for the label model's.
        label: names of the classes that it was given.
        suggested: names of the classes that the model gives it.
        score: how well its label fits, in [0, 1]: the normalised margin. The lower, the more suspicious.
        why: one sentence.
    """

    table_name: str
    id: str
    source: str
    label: Names
    suggested: Names
    score: float
    why: str


@dataclass(frozen=True)
class Duplicate:
    """A gold point, and another point that is nearly the same.

    Attributes:
        table_name, id, label: the gold point.
        other_table, other_id, other_label: the other point.
        source: what the other point is: `gold` or `training`.
        cosine: of their vectors, in [-1, 1].
    """

    table_name: str
    id: str
    label: Names
    other_table: str
    other_id: str
    other_label: Names
    source: str
    cosine: float

    @property
    def differs(self) -> bool:
        """Whether the two have different labels."""
        return set(self.label) != set(self.other_label)


@dataclass(frozen=True)
class WeakSlice:
    """Gold points with something in common, on which the model is worse than on the others.

    Attributes:
        name: what they have in common, such as `the rule link votes` or `text of 1 to 4 words`.
        n: how many they are.
        value, low, high: the measure on them and its 95 % interval.
        rest: the measure on all others.
        q: the share of chance findings among slices that look at least so weak (Benjamini and Hochberg).
        conditions: what finds all such rows in the data table: column, operator and value of each; empty
            where nothing does.
        wrong: keys of points that the model gets wrong, the surest answers first.
        n_wrong: how many there are.
        measure: its name: the task's metric, or the accuracy where the slice or the rest has one class only;
            empty in a file of before: that of all slices.
    """

    name: str
    n: int
    value: float
    low: float
    high: float
    rest: float
    q: float
    conditions: tuple[tuple[str, str, str], ...] = ()
    wrong: tuple[Key, ...] = ()
    n_wrong: int = 0
    measure: str = ""

    @property
    def clear(self) -> bool:
        """Whether it is more than chance: fewer than one in twenty such findings would be."""
        return self.q <= CLEAR


@dataclass(frozen=True)
class Duplicates:
    """Gold points that are in the data more than once.

    Attributes:
        pairs: those with different labels first, then the nearest; at most as many as are kept.
        n_pairs: how many there are.
        n_differ: gold points with a near-duplicate that has another label.
        n_leaks: gold points with a near-duplicate among the training points.
        distance: pairs are at most so far apart (1 - cosine).
        n_compared: training points that gold was compared with; of more, a random sample.
    """

    pairs: tuple[Duplicate, ...]
    n_pairs: int
    n_differ: int
    n_leaks: int
    distance: float
    n_compared: int


@dataclass(frozen=True, repr=False)
class ToFix:
    """What to fix next, as a run found it.

    Attributes:
        n_gold: gold points that were looked at.
        n_training: weakly labelled points that were looked at.
        measure: the task's metric, which slices are compared by.
        suspects: labels that look wrong, those of gold first, then the most suspicious.
        n_suspects: how many there are of each source.
        duplicates: None where there are no vectors to compare.
        slices: those that look weak, the surest first.
        n_slices: how many slices were looked at.

    Example:
        >>> labelled = project.label("spam", "comments", gold="task")
        >>> trained = project.train("spam", labelled, gold="task")
        >>> found = project.what_to_fix("spam", trained.run_id)
        >>> found.n_gold, found.measure
        (12, 'F1 of spam')
        >>> list(found.frame().columns)
        ['table_name', 'id', 'source', 'label', 'suggested', 'score', 'why']
    """

    n_gold: int
    n_training: int
    measure: str
    suspects: tuple[Suspect, ...] = ()
    n_suspects: dict[str, int] | None = None
    duplicates: Duplicates | None = None
    slices: tuple[WeakSlice, ...] = ()
    n_slices: int = 0

    def __repr__(self) -> str:
        return "\n".join(["ToFix", *self.sentences])

    def frame(self) -> pd.DataFrame:
        """The suspects: a row each, with the attributes of `Suspect` as columns."""
        columns = [field.name for field in fields(Suspect)]
        return pd.DataFrame([vars(one) for one in self.suspects], columns=columns)

    @property
    def sentences(self) -> list[str]:
        """What was found, for people."""
        said = self.n_suspects or {}
        found = [f"{said.get(GOLD, 0):,} of {self.n_gold:,} gold labels {_look(said.get(GOLD, 0))} wrong"]
        if self.n_training:
            found.append(
                f"{said.get(TRAINING, 0):,} of {self.n_training:,} labels of the label model "
                f"{_look(said.get(TRAINING, 0))} wrong"
            )
        if self.duplicates is not None:
            twice = self.duplicates
            found.append(
                f"{twice.n_leaks:,} gold points have a near-duplicate among the training points, and "
                f"{twice.n_differ:,} have one with another label"
            )
        clear = sum(one.clear for one in self.slices)
        found.append(f"{clear:,} of {self.n_slices:,} slices are clearly weaker than the rest")
        return found


def _look(n: int) -> str:
    return "looks" if n == 1 else "look"


_AS_JSON = TypeAdapter(ToFix)


def write_to_fix(found: ToFix, path: Path) -> Path:
    """Keep it as a file."""
    return write_text(_AS_JSON.dump_json(found).decode(), path)


def read_to_fix(path: Path) -> ToFix:
    """What `write_to_fix` kept.

    Raises:
        ValueError: the file holds something else.
    """
    return _AS_JSON.validate_json(path.read_bytes())

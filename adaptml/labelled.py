"""Labelled data points: gold labels, or what a label model says."""

import ast
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.errors import FrameError, listed
from adaptml.frames import GONE, KEYS, not_among, some_cells
from adaptml.label_probs import read_probabilities
from adaptml.tasks import Now, Task, indicator
from adaptml.tasks.class_changes import in_words

LABEL, GOLD_LABEL = "label", "gold_label"
_log = logging.getLogger(__name__)
_MADE_BY = {LABEL: "`adaptml label` writes them", GOLD_LABEL: "`adaptml process-annotations` writes them"}


@dataclass(frozen=True)
class Labelled:
    """Data points with labels.

    Attributes:
        keys: table_name, id (n rows).
        Y: int8 (n, k), values in {0, 1}: the classes of each point.
        P: float64 (n, k): the label model's probabilities; None where the frame has none.
        left_out: how many rows of the source are not here, because a multiclass task needs exactly one class.
        gone: how many more are not, because they are gone from their tables.
        judges: bool (n,), which points of the task's gold judge only; None of other data.
        set_aside: how many more are not, because they judge only.
        undecided: how many more are not, because a class of theirs was split or dropped since.
    """

    keys: pd.DataFrame
    Y: npt.NDArray[np.int8]
    P: npt.NDArray[np.float64] | None = None
    left_out: int = 0
    gone: int = 0
    judges: npt.NDArray[np.bool_] | None = None
    set_aside: int = 0
    undecided: int = 0

    def __len__(self) -> int:
        """Number of data points."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[Any]) -> "Labelled":
        """Some of the rows, by mask or position."""
        keys = self.keys.loc[chosen].reset_index(drop=True)
        P, judges = (None if part is None else part[chosen] for part in (self.P, self.judges))
        return replace(self, keys=keys, Y=self.Y[chosen], P=P, judges=judges)

    def without(self, others: pd.DataFrame) -> "Labelled":
        """The rows whose key is not among the others'."""
        return self.take(not_among(self.keys, others))


def labelled(frame: pd.DataFrame, task: Task, column: str, source: str) -> Labelled:
    """The labels in one column of a frame, in the class names of now.

    A label set is a list (tuple, array or set) of class names, or as text: one name (`spam`), several with
    semicolons between (`cat;dog`), a list as Python or JSON writes it (`['spam']`); `NONE`, `N/A` or `[]` for
    none of the classes. Names of before a change of the classes do as well.

    Args:
        frame: table_name, id, the column and maybe `label_probs`; for `gold_label`, a column of 0 and 1 per
            class, named as the class, does instead.
        task: what the classes are; in a multiclass task only rows with exactly one class are taken.
        column: `label` or `gold_label`.
        source: where the frame came from, for messages.

    Raises:
        FrameError: the column is missing, rows without labels or half filled in, or no row can be used.
        TaskError: names that are no classes of the task.

    Example:
        >>> import pandas as pd
        >>> gold = pd.DataFrame({"table_name": "t", "id": ["1", "2"], "gold_label": ["ham", "['spam']"]})
        >>> labelled(gold, adaptml.Task(classes=["ham", "spam"]), "gold_label", "gold").Y.tolist()
        [[1, 0], [0, 1]]
    """
    sets, which = _distinct(frame, task, column, source)
    _check_filled(frame, which < 0, column, source)
    now = [task.now(names) for names in sets]
    flags = indicator([() if found.undecided else found.labels for found in now], task.class_names)[which]
    decided = np.array([not found.undecided for found in now], dtype=bool)[which]
    usable = task.problem.usable(flags) & decided
    undecided = int((~decided).sum())
    if undecided:
        said = f"{undecided} of {len(frame)} points of {source} are left out: {_why(now, task, column)}"
        if not usable.any():
            raise FrameError(said)
        _log.warning("%s", said)
    if not usable.any():
        raise FrameError(
            f"none of the {len(frame)} points of {source} has exactly one class in {column}, which a "
            "multiclass run needs; run it as multilabel or name another frame"
        )
    probs = read_probabilities(frame, task, sets, source) if column == LABEL else None
    gone = int(frame.attrs.get(GONE, 0))
    left_out = int((~usable).sum()) - undecided
    everything = Labelled(frame[KEYS], flags, probs, left_out, gone, undecided=undecided)
    if usable.all():  # nothing of them is copied
        return replace(everything, keys=everything.keys.reset_index(drop=True))
    return everything.take(usable)


def _distinct(
    frame: pd.DataFrame, task: Task, column: str, source: str
) -> tuple[list[tuple[str, ...]], npt.NDArray[np.int32]]:
    """The label sets of n rows, each that differs once; and which of them a row has, int32 (n,), -1 for none.

    Raises:
        FrameError: as `labelled`.
    """
    known: dict[tuple[str, ...], int] = {}
    parts = []
    for values in _label_sets(frame, task, column, source):
        found = (-1 if v is None else known.setdefault(tuple(v), len(known)) for v in values)
        parts.append(np.fromiter(found, np.int32, len(values)))
    return [*known], np.concatenate(parts)


def in_names_of_now(values: Sequence[Sequence[str]], task: Task) -> list[Now]:
    """Label sets of any time as `Task.now` reads them; few of them differ."""
    known = {names: task.now(names) for names in {*map(tuple, values)}}
    return [known[tuple(value)] for value in values]


def renamed(values: Iterable[Sequence[str]], task: Task) -> list[list[str]]:
    """Label sets of any time by the names of now; one that does not say which class it is now stays."""
    sets = [[*value] for value in values]
    return [
        value if found.undecided else [*found.labels]
        for value, found in zip(sets, in_names_of_now(sets, task), strict=True)
    ]


def _why(now: Sequence[Now], task: Task, column: str) -> str:
    names = sorted({name for found in now for name in found.undecided})
    became = [f"{name!r} is now {in_words(task.meanings[name])}" for name in names if name in task.meanings]
    anew = f"adaptml gold {task.name} --changed" if column == GOLD_LABEL else f"adaptml label {task.name}"
    return f"{listed(became)}; label them anew: `{anew}`"


def label_sets(frame: pd.DataFrame, task: Task, column: str, source: str) -> list[list[str] | None]:
    """The label set of each row as it stands there, in any of the forms of `labelled`.

    None for a row that is not filled in.

    Raises:
        FrameError: as `labelled`.
    """
    return list(chain.from_iterable(_label_sets(frame, task, column, source)))


def _label_sets(
    frame: pd.DataFrame, task: Task, column: str, source: str
) -> Iterator[list[list[str] | None]]:
    """The same, some rows at a time."""
    if column == GOLD_LABEL and column not in frame.columns and (classes := flagged_classes(frame, task)):
        yield _of_flags(frame, classes, source)
        return
    if column not in frame.columns:
        raise FrameError(
            f"{source} has no column {column}; expected lists of class names: {_MADE_BY[column]}"
        )
    meanings = task.meanings
    for cells in some_cells(frame[column]):
        yield [_as_list(value, meanings, column, source) for value in cells]


def flagged_classes(frame: pd.DataFrame, task: Task) -> list[str]:
    """The classes that a frame has columns for: the longest whole list of any time, else that of now."""
    columns = set(frame.columns)
    whole = [classes for classes in task.class_lists if columns >= set(classes)]
    return max(whole, key=len) if whole else task.class_names * bool(columns & set(task.class_names))


def _as_list(value: Any, classes: Collection[str], column: str, source: str) -> list[str] | None:
    """One cell as class names; None where it is empty."""
    if isinstance(value, str):
        return label_set(value, classes)
    if isinstance(value, set | frozenset):  # the original's gold_df
        return sorted(map(str, value))
    if isinstance(value, list | tuple | np.ndarray):
        return [str(name) for name in value]
    if pd.isna(value):
        return None
    if str(value) in classes:  # classes that are called like numbers
        return [str(value)]
    raise FrameError(f"{source} has the {column} {value!r}; expected a list of class names in every row")


def label_set(text: str, classes: Collection[str]) -> list[str] | None:
    """The class names in one cell of a spreadsheet or CSV; None where it is empty.

    Names that are no classes of the task are given back as they are.

    >>> [label_set(text, ["cat", "dog"]) for text in ("cat", "cat; dog", "['dog']", "NONE", " ")]
    [['cat'], ['cat', 'dog'], ['dog'], [], None]
    """
    text = text.strip()
    if not text:
        return None
    if text in classes:
        return [text]
    if text.casefold() in ("none", "n/a"):
        return []
    if text[0] in "[({" and text[-1] in "])}":
        try:  # what numpy writes has spaces where Python and JSON have commas
            listed_names = ast.literal_eval(re.sub(r"(['\"])\s+(?=['\"])", r"\1, ", text))
        except (ValueError, SyntaxError):
            return [text]
        return [str(name) for name in listed_names]
    return [name for name in map(str.strip, text.split(";")) if name]


def _of_flags(frame: pd.DataFrame, classes: Sequence[str], source: str) -> list[list[str] | None]:
    """Label sets from a column of 0 and 1 per class; None for a row in which a class has neither."""
    absent = [name for name in classes if name not in frame.columns]
    if absent:
        raise FrameError(
            f"{source} has no column gold_label, and columns of some classes only; expected one of "
            f"{listed(absent, 20)} too, with 0 and 1"
        )
    flags = frame[list(classes)].apply(pd.to_numeric, errors="coerce")
    wrong = (frame[list(classes)].notna() & ~flags.isin([0, 1])).any(axis=1)
    if wrong.any():
        raise FrameError(
            f"{source} has {int(wrong.sum())} rows with something other than 0 and 1 in the columns of "
            f"classes: {_points(frame, wrong)}; write 1 where the point has the class and 0 where it has not"
        )
    known = flags.notna().all(axis=1)
    rows = zip(known, flags.to_numpy() == 1, strict=True)
    return [
        [name for name, has in zip(classes, row, strict=True) if has] if filled else None
        for filled, row in rows
    ]


def _check_filled(frame: pd.DataFrame, empty: npt.NDArray[np.bool_], column: str, source: str) -> None:
    if empty.any():
        raise FrameError(
            f"{source} has {empty.sum()} of {len(frame)} rows that are not filled in ({column}): "
            f"{_points(frame, empty)}; fill them in, with NONE for none of the classes, or drop them"
        )


def _points(frame: pd.DataFrame, chosen: Any) -> str:
    keys = frame.loc[np.asarray(chosen), KEYS].itertuples(index=False)
    return listed([f"{table}/{key}" for table, key in keys])

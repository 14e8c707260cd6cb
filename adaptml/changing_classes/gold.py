"""Gold labels after a change of classes, and before it again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from adaptml.changing_classes.tables import sources
from adaptml.gold_labels.home import ROW_KEYS, GoldHome, counting
from adaptml.labelled import in_names_of_now, renamed
from adaptml.project import Project
from adaptml.tasks import ClassChange, Task


@dataclass(frozen=True)
class GoldCounts:
    """What a change does to gold points, each counted once: by the first of these that holds.

    Attributes:
        points: all gold points.
        undecided: those that have to be labelled anew, for a class of theirs was split, or was the only one
            and dropped.
        dropped: those that lose a class and keep what else they have.
        merged: those with a class that was merged.
        renamed: those with a class that was renamed.
    """

    points: int = 0
    undecided: int = 0
    dropped: int = 0
    merged: int = 0
    renamed: int = 0


def gold_rows(project: Project, task: str) -> pd.DataFrame:
    """All rows of a task's gold; none where there is no gold."""
    home = GoldHome(project, task)
    return home.rows() if home.exists else pd.DataFrame(columns=[*ROW_KEYS, "label", "made_at"], dtype=object)


def with_labels(rows: pd.DataFrame, labels: Sequence[Sequence[str]]) -> pd.DataFrame:
    """The rows whose labels are others than these, with these."""
    differ = [[*old] != [*new] for old, new in zip(rows["label"], labels, strict=True)]
    after = rows.assign(label=pd.Series([*labels], index=rows.index, dtype=object))
    return after[pd.Series(differ, index=rows.index, dtype=bool)]


def count_gold(rows: pd.DataFrame, task: Task, change: ClassChange) -> GoldCounts:
    """What a change does to gold.

    Args:
        rows: all rows of gold, as they are before or after.
        task: as it is after the change.
        change: the change.
    """
    gold = counting(rows) if len(rows) else rows
    merged = {name for names in sources(change).values() if len(names) > 1 for name in names}
    kinds: Counter[str] = Counter()
    for label, now in zip(
        gold["label"], in_names_of_now([[*label] for label in gold["label"]], task), strict=True
    ):
        kinds[_kind([*label], bool(now.undecided), merged, change)] += 1
    return GoldCounts(len(gold), *(kinds[name] for name in ("undecided", "dropped", "merged", "renamed")))


def _kind(label: Sequence[str], undecided: bool, merged: set[str], change: ClassChange) -> str:
    if undecided:
        return "undecided"
    if any(change.becomes.get(name) == () for name in label):
        return "dropped"
    if any(name in merged for name in label):
        return "merged"
    return "renamed" if any(name in change.becomes for name in label) else "same"


def follow_gold(project: Project, task: Task) -> int:
    """Write gold by the names of now; returns how many rows have others. The same again changes nothing."""
    rows = gold_rows(project, task.name)
    changed = with_labels(rows, renamed(rows["label"], task))
    if len(changed):
        GoldHome(project, task.name).add(changed)
    return len(changed)


@dataclass(frozen=True)
class GoldBack:
    """Gold by the names of before a change.

    Attributes:
        changed: rows with other labels than now, with these.
        mapped: how many of them were made since; each of their names stands for one class of before.
        lost: rows made since that name what was no one class before; they cannot stay.
    """

    changed: pd.DataFrame
    mapped: int
    lost: pd.DataFrame


def gold_before(rows: pd.DataFrame, kept: pd.DataFrame, task: Task, change: ClassChange) -> GoldBack:
    """What becomes of gold when a change is taken back.

    Args:
        rows: all rows of gold as they are.
        kept: all rows as they were before the change.
        task: as it is after the change.
        change: the change.
    """
    made = zip(_keys(kept), renamed(kept["label"], task), _labels(kept), strict=True)
    then = {(key, tuple(now)): was for key, now, was in made}
    found = [*zip(_keys(rows), map(tuple, _labels(rows)), strict=True)]
    new = [then.get(one) or _label_before(one[1], task, change) for one in found]
    lost = pd.Series([label is None for label in new], index=rows.index, dtype=bool)
    changed = with_labels(rows[~lost], [label for label in new if label is not None])
    mapped = sum(one not in then for one, row in zip(found, rows.index, strict=True) if row in changed.index)
    return GoldBack(changed, mapped, rows[lost])


def _label_before(label: Sequence[str], task: Task, change: ClassChange) -> list[str] | None:
    """A label made since by the names of before; None where a name was no one class then."""
    one_to_one = {new: names[0] for new, names in sources(change).items() if len(names) == 1}
    undecided = {*change.before} - {*task.class_names}
    if not all(name in one_to_one or name in undecided for name in label):
        return None
    return [one_to_one.get(name, name) for name in label]


def _keys(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Each row's key and when it was made: what is made anew is another row."""
    made_at = ["" if pd.isna(one) else str(one) for one in pd.to_datetime(rows["made_at"], utc=True)]
    return [*zip(*(rows[name] for name in ROW_KEYS), made_at, strict=True)]


def _labels(rows: pd.DataFrame) -> list[list[str]]:
    return [[*label] for label in rows["label"]]

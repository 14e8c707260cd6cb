"""The step `gold`: look at a task's gold labels, add some by hand, write them to a file."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from adaptml.errors import FrameError, listed
from adaptml.frames import KEYS, write_frame
from adaptml.gold_labels.core import PARTS, RANK
from adaptml.gold_labels.decisions import Decision, decisions
from adaptml.gold_labels.filled import Filled, named, read_filled
from adaptml.gold_labels.home import GoldHome
from adaptml.gold_labels.reading import GoldLabels, gold_labels, undecided
from adaptml.gold_labels.sheets import FORMATS, as_cell, write_spreadsheet
from adaptml.labelled import GOLD_LABEL, renamed
from adaptml.project import Project
from adaptml.tasks import Task

EXPORTS = (*FORMATS, ".parquet")
SHOWN_DECISIONS = 5


@dataclass(frozen=True)
class GoldReport(GoldLabels):
    """The result of `gold`: the task's gold labels as they are now.

    Attributes:
        task: name of the task.
        filled: what the spreadsheet said, where one was given.
        undecided: points whose class was split or dropped since, which nobody can use before they are asked
            about again.
        decided: what people decided about single points and did not take back, the last first.
        new, other: how many of its labels are new, and how many are other than those of an earlier one.

    Example:
        >>> print(project.gold("spam"))
        gold of task spam: 12 points
          12 by annotators
          6 tune, 6 judge
          ham 6, spam 6
    """

    task: str = ""
    filled: Filled | None = None
    new: int = 0
    other: int = 0
    undecided: int = 0
    decided: Sequence[Decision] = ()

    def lines(self) -> list[str]:
        """Counts by origin, part and class, and what is odd."""
        lines = self.filled_lines()
        origins = Counter(self.frame["origin"])
        parts = Counter(self.frame["part"])
        classes = Counter(name for label in self.frame[GOLD_LABEL] for name in label)
        none = sum(not len(label) for label in self.frame[GOLD_LABEL])
        by_class = [f"{name} {n}" for name, n in sorted(classes.items())] + [f"none {none}"] * bool(none)
        lines += [
            f"gold of task {self.task}: {len(self.frame)} points",
            "  " + ", ".join(f"{origins[name]} by {name}" for name in sorted(origins, key=RANK.__getitem__)),
            "  " + ", ".join(f"{parts[name]} {name}" for name in PARTS),
            "  " + ", ".join(by_class),
        ]
        odd = {
            "labels of a lower origin that do not count": self.overruled,
            "points that have changed since they were labelled": self.changed,
            "points whose class was split or dropped, to be labelled anew": self.undecided,
            "points of which it is not on record what was seen": int(self.frame["changed"].isna().sum()),
            "points that are no longer in their table: left out": len(self.gone),
        }
        lines += [f"  {n} {text}" for text, n in odd.items() if n]
        if self.decided:
            lines.append(f"{len(self.decided)} decided by hand, the last first:")
            lines += [f"  {one}" for one in self.decided[:SHOWN_DECISIONS]]
        return lines

    def filled_lines(self) -> list[str]:
        """What a spreadsheet said; nothing where none was given."""
        filled = self.filled
        if filled is None:
            return []
        same = len(filled.rows) - self.new - self.other
        lines = [f"{len(filled.rows)} labels read: {self.new} new, {self.other} changed, {same} as before"]
        lines += [f"  {filled.empty} rows without a label: left out"] * bool(filled.empty)
        if filled.half:
            lines.append(f"  {len(filled.half)} rows half filled in: left out: {named(filled.half)}")
        if filled.absent:
            lines.append(f"  {len(filled.absent)} points that no table has: left out: {named(filled.absent)}")
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())


def gold(
    project: Project,
    task: Task | str,
    file: str | Path | None = None,
    *,
    export: str | Path | None = None,
    who: str | None = None,
) -> GoldReport:
    """A task's gold labels, whoever made them: people who annotated, adjudicated, or filled in a spreadsheet.

    Each way of making gold replaces only its own labels. Where a point has several, that of the highest
    origin counts: adjudication, then page, spreadsheet, annotators. Half of gold is there to tune and half to
    judge, by a hash of the point's key, so that a point never changes sides.

    Args:
        project: holds gold and the data tables.
        task: a task or its name.
        file: a spreadsheet (.csv, .tsv, .xlsx, .parquet, .jsonl) of labels to take in: `table_name`, `id` and
            `label`; labels of points that it does not name stay.
        export: also write what counts to this file (.csv, .xlsx or .parquet).
        who: the person who filled in the spreadsheet, where that is known.

    Raises:
        FrameError: no gold yet, or a file that cannot be used; nothing is written.
        FileError: a file that cannot be written.
        DatabaseError: the database refuses.

    Example:
        >>> gold = project.gold("spam")
        >>> gold.frame["origin"].unique().tolist()
        ['annotators']
    """
    task = project.task(task)
    if export is not None and Path(export).suffix not in EXPORTS:
        raise FrameError(
            f"--export {export} is of no kind that gold is written as; expected {listed(EXPORTS)}"
        )
    filled, new, other = None, 0, 0
    if file is not None:
        filled = read_filled(project, task, project.path(file))
        new, other = _take_in(GoldHome(project, task.name), filled.rows.assign(who=who))
    found = gold_labels(project, task.name)
    labels = renamed(found.frame[GOLD_LABEL], task)
    found.frame[GOLD_LABEL] = pd.Series(labels, index=found.frame.index, dtype=object)
    if export is not None:
        _export(found.frame, task, Path(export))
    n = int(undecided(found.frame, task).sum())
    decided = [one for one in decisions(project, task) if one.undone_by is None]
    return GoldReport(found.frame, found.gone, found.overruled, task.name, filled, new, other, n, decided)


def _take_in(home: GoldHome, rows: pd.DataFrame) -> tuple[int, int]:
    """Write what is new or other than before; returns how many of each."""
    there = home.rows()
    before = {
        (r.table_name, r.id): ([*r.label], r.seen)
        for r in there[there["origin"] == rows["origin"].iloc[0]].itertuples(index=False)
    }
    keys = list(rows[KEYS].itertuples(index=False, name=None))
    said = [([*label], seen) for label, seen in zip(rows["label"], rows["seen"], strict=True)]
    fresh = [before.get(tuple(key)) != now for key, now in zip(keys, said, strict=True)]
    new = sum(tuple(key) not in before for key in keys)
    if any(fresh):
        moment = pd.Series([datetime.now(UTC)] * len(rows), index=rows.index, dtype=object)
        home.add(rows.assign(made_at=moment)[fresh])
    return new, sum(fresh) - new


def _export(frame: pd.DataFrame, task: Task, path: Path) -> None:
    if path.suffix in FORMATS:
        labels = [as_cell(label, task.class_names) for label in frame[GOLD_LABEL]]
        text = frame[[*KEYS, "origin", "part", "who"]].fillna("").astype(str)
        text.insert(2, GOLD_LABEL, labels)
        write_spreadsheet(text, path)
    else:
        write_frame(frame.drop(columns="changed"), path)

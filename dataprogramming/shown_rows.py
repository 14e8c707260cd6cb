"""Rows for the eye: texts with what made rules vote, every vote, and what gold and models say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.database.latest_results import latest_results
from adaptml.database.writeback import WritebackKind
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task, names
from dataprogramming.lfs_report import Look
from dataprogramming.marking import Excerpt, excerpt
from dataprogramming.votes import Votes

MOST_CHARS = 600  # of a text


@dataclass(frozen=True)
class ShownCell:
    """What annotators see in one column.

    Attributes:
        name: the column.
        kind: text, image, audio, video or number.
        excerpt: of its text, or of the file's path; None where it is missing.
    """

    name: str
    kind: str
    excerpt: Excerpt | None


@dataclass(frozen=True)
class ShownVote:
    """One rule's vote on the row.

    Attributes:
        rule, label: the rule, and the class that it votes for, or set such as "cat or dog".
        right: whether gold has that class, or one of the set; None without gold.
    """

    rule: str
    label: str
    right: bool | None


@dataclass(frozen=True)
class ShownRow:
    """A data point.

    Attributes:
        table, id: its key.
        cells: what annotators see.
        votes: of the rules that vote on it.
        gold: its classes by gold for tuning; None without.
        label_model: what the label model said last, where that was written back.
        end_model: what the end model said last, likewise.
    """

    table: str
    id: str
    cells: Sequence[ShownCell]
    votes: Sequence[ShownVote]
    gold: Sequence[str] | None
    label_model: Sequence[str] | None
    end_model: Sequence[str] | None


def shown_rows(
    project: Project,
    task: Task,
    look: Look,
    votes: Votes,
    chosen: npt.NDArray[np.int64],
    lf: str | None = None,
) -> list[ShownRow]:
    """Some data points, with all that is known of them.

    Args:
        project: holds their texts and what was written back.
        task: whose rules.
        look: has the rules, and gold for points of the sample.
        votes: the rows are of these.
        chosen: places (r,) of the rows in them, in order; at most 500.
        lf: the rule whose matches are marked where it votes; else those of all that vote.
    """
    mask = np.zeros(len(votes), bool)
    mask[chosen] = True
    frame = votes.shown(mask)
    keys = frame[KEYS]
    gold = _gold(votes if votes.Y is not None else look.votes.gold)
    labels, predictions = (
        _said(project, task, kind, keys) for kind in (WritebackKind.LABELS, WritebackKind.PREDICTIONS)
    )
    fits = dict(
        zip(votes.codes.names(votes.class_names), names(votes.codes.members, votes.class_names), strict=False)
    )
    rules = {one.name: one.rule for one in look.lfs if hasattr(one, "rule")}
    columns = [name for name in frame.columns if name not in {*KEYS, "gold_label", *votes.lf_names}]
    made = []
    for row in frame.to_dict("records"):
        key = (row["table_name"], row["id"])
        true = gold.get(key)
        cast = [
            ShownVote(name, row[name], None if true is None else not {*true}.isdisjoint(fits[row[name]]))
            for name in votes.lf_names
            if row[name] is not None
        ]
        voting = [vote.rule for vote in cast]
        marking = [rules[name] for name in ([lf] if lf in voting else voting) if name in rules]
        cells = [_cell(task, name, row[name], marking) for name in columns]
        made.append(ShownRow(*key, cells, cast, true, labels.get(key), predictions.get(key)))
    return made


def _gold(votes: Votes | None) -> dict[tuple[str, str], list[str]]:
    if votes is None or votes.Y is None:
        return {}
    keys = votes.keys[KEYS].itertuples(index=False, name=None)
    return dict(zip(keys, names(votes.Y, votes.class_names), strict=True))


def _said(
    project: Project, task: Task, kind: WritebackKind, keys: pd.DataFrame
) -> dict[tuple[str, str], list[str]]:
    found = latest_results(project.results, task, kind, keys)
    return {(row["table_name"], row["id"]): list(row["label"]) for row in found.to_dict("records")}


def _cell(task: Task, name: str, value: Any, marking: Sequence[Any]) -> ShownCell:
    kind = next((column.type for column in task.columns if column.name == name), "text")
    if value is None or (isinstance(value, float) and value != value):
        return ShownCell(name, kind, None)
    listed = isinstance(value, list | tuple | np.ndarray)
    text = ", ".join(map(str, value)) if listed else str(value)
    if kind != "text":
        return ShownCell(name, kind, Excerpt([(text, False)], 0, len(text)))
    return ShownCell(name, kind, excerpt(text, marking, name, MOST_CHARS))

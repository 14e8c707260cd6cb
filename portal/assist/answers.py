"""Answers about the next rule; those about votes are given in a process that may run a task's rules."""

from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from adaptml.data import GOLD_IF_ANY
from adaptml.errors import FeatureError
from adaptml.features.nearest import TableVectors, table_vectors, vector_columns
from adaptml.project import Project
from adaptml.tasks import Task
from dataprogramming.apply import gold_to_tune_on
from dataprogramming.kept_sample import draw_kept_sample, kept_sample
from dataprogramming.label_models.core import covered
from dataprogramming.lf_json import lf_from_json
from dataprogramming.next_rule.draft import with_draft
from dataprogramming.next_rule.effect import RuleEffect, rule_effect
from dataprogramming.next_rule.words import class_words
from dataprogramming.voter import Voter
from dataprogramming.votes import Votes

Named = dict[str, Any]
_COUNTS = (
    *("name", "n", "votes", "new", "conflicts", "covered_before", "covered_after"),
    *("right", "wrong", "accuracy"),
)
MOST_ROWS = 5  # of a kind, that are shown of what a draft does
MOST_TABLES = 2  # whose vectors are kept: 300 MB each at most


def words(
    project: Project, *, task: str, table: str, label: str, column: str, among: str, against: str
) -> Named:
    """The words and phrases that mark a class, see `class_words`."""
    found = class_words(
        project, task, _votes(project, project.task(task), table), label, column, among=among, against=against
    )
    return {
        "phrases": found.frame.to_dict("records"),
        **{name: getattr(found, name) for name in ("one", "other", "reached", "gold", "rows")},
    }


def draft(project: Project, *, task: str, table: str, rule: str) -> Named:
    """What a rule would do beside those that are there.

    Args:
        project: holds the table.
        task: name of the task.
        table: a data table.
        rule: the rule as JSON.
    """
    lf = lf_from_json(rule)
    votes = with_draft(project, task, _votes(project, project.task(task), table), lf)
    effect = rule_effect(votes, lf.name)
    return {name: getattr(effect, name) for name in _COUNTS} | {"rows": _rows(votes, effect)}


def reach(project: Project, *, task: str, table: str, rule: str) -> Named:
    """Ids of the sample's rows on which a rule votes, and of those that no rule covers."""
    votes = _votes(project, project.task(task), table)
    ids = votes.keys["id"].to_numpy()
    effect = rule_effect(votes, rule)
    return {"hits": ids[effect.hits_rows].tolist(), "uncovered": ids[~covered(votes.L)].tolist()}


def _votes(project: Project, task: Task, table: str) -> Votes:
    """The votes of the rules that are saved, on the sample that the page of rules shows."""
    sample = kept_sample(project, task, table) or draw_kept_sample(project, task, table)
    voter = Voter(project, task, {}, fault_tolerant=True)
    voter.load()
    return voter.all_votes(sample.keys, gold_to_tune_on(project, GOLD_IF_ANY, task))


def _rows(votes: Votes, effect: RuleEffect) -> dict[str, list[list[str]]]:
    """Keys of the first rows of each kind."""
    kinds = {"new": (votes, effect.new_rows), "conflicts": (votes, effect.conflict_rows)}
    if votes.gold is not None:
        kinds["wrong"] = (votes.gold, effect.wrong_rows)
    return {
        kind: source.keys[["table_name", "id"]].to_numpy()[np.flatnonzero(rows)[:MOST_ROWS]].tolist()
        for kind, (source, rows) in kinds.items()
    }


def near(
    project: Project,
    *,
    task: str,
    table: str,
    to: list[str],
    n: int,
    column: str = "",
    only: list[str] | None = None,
) -> Named:
    """The rows that are nearest to some rows by the cosine of a vector feature.

    Args:
        project: holds the table.
        task: name of the task.
        table: a data table.
        column: of vectors; empty: the first that the task's end models read.
        to: ids of rows; they are left out of the answer.
        n: how many.
        only: ids to choose from; None for all rows.
    """
    column = column or next(iter(vector_columns(project.points, project.task(task), table)), "")
    if not column:
        raise FeatureError(f"table {table!r} has no vectors; make them with `adaptml featurize {task}`")
    vectors = _kept_vectors(project, table, column)
    known = vectors.of(to)
    others = [key for key in to if key not in known]
    if others:  # of a large table only a sample is compared
        keys = pd.DataFrame({"table_name": table, "id": others}, dtype=str)
        read = project.points.read(keys, [column], skip_missing=True)
        known |= {
            key: value for key, value in zip(read["id"], read[column], strict=True) if value is not None
        }
    if not known:
        raise FeatureError(
            f"table {table!r} has no vector in {column!r} for {', '.join(to[:3])}; featurise it first"
        )
    found = vectors.nearest(np.stack(list(known.values())), n, only=only, without=to)
    return {
        "rows": found[["id", "cosine"]].to_numpy().tolist(),
        "column": column,
        "compared": len(vectors.ids),
        "of": vectors.rows,
        "is_sample": vectors.is_sample,
    }


_vectors: OrderedDict[tuple[str, str, str, int], TableVectors] = OrderedDict()
_lock = Lock()


def _kept_vectors(project: Project, table: str, column: str) -> TableVectors:
    """A table's vectors, read anew when it has more rows or the feature another version."""
    feature = project.points.resolved(table, [column])[column]
    version = column if feature is None else f"{feature.reference} {feature.filled_at}"
    key = (str(project.settings.root), table, version, project.database.count(table))
    with _lock:
        if key not in _vectors:
            _vectors[key] = table_vectors(project.points, table, column)
        _vectors.move_to_end(key)
        while len(_vectors) > MOST_TABLES:
            _vectors.popitem(last=False)
        return _vectors[key]

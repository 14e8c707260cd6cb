"""What the rules do, for the page: answered in a process that may run a task's rules."""

import re
from collections.abc import Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adaptml.errors import AdaptmlError, LabellingError
from adaptml.features.lemmas import DEFAULT_LANGUAGE, token_lemmas
from adaptml.features.words import split
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.tasks import Task
from adaptml.tasks.rule_file import rules_path
from adaptml.user_code import file_and_line
from dataprogramming.buckets import Bucket, bucket
from dataprogramming.class_table import class_table
from dataprogramming.kept_sample import sample_of_now
from dataprogramming.lf_sources import place_of
from dataprogramming.lf_table import VoteCounts, count_pairs, count_votes
from dataprogramming.lfs_report import Look
from dataprogramming.lfs_report import look as look_at
from dataprogramming.rounds import Round, keep_round, round_of, rounds
from dataprogramming.shown_rows import shown_rows

MOST_PAIRS = 60
MOST_KEYWORDS = 40
PAGE_ROWS = 20
MOST_WARMED = 5
Named = dict[str, Any]


def warm(project: Project) -> None:
    """Load what every look needs and no rule decides on: a process that is forked later has it already."""
    token_lemmas("warming", DEFAULT_LANGUAGE)
    split("up")
    with suppress(AdaptmlError):  # the question itself says what is wrong
        for table in project.database.tables()[:MOST_WARMED]:
            if project.points.columns(table).keys() >= {"id"}:
                keys = pd.DataFrame({"table_name": [table], "id": ["warm"]}, dtype=str)
                project.database.present(keys)
    for database in (project.database, project.results):
        database.engine.dispose()  # no connection is shared by processes


def look(
    project: Project,
    *,
    task: str,
    table: str,
    text: str,
    who: str,
    saved: bool,
    rows: Named | None = None,
    only_rows: bool = False,
) -> Named:
    """What rules do on the sample.

    Args:
        project: holds the table.
        task: name of the task.
        table: a data table; where it is large and no sample of it was drawn, the answer's `sample` is None.
        text: of the file of rules, saved or not.
        who: the person's name.
        saved: whether the text is what the file holds; then it counts as a round.
        rows: what rows to show, as for `_rows`; None for none.
        only_rows: nothing but the rows.
    """
    sample = sample_of_now(project, task, table)
    if sample is None:
        return {"sample": None}
    task_of = project.task(task)
    n = len(sample.keys)
    try:
        found = look_at(project, task_of, sample.keys, n=n, text=text, fault_tolerant=True, remember=False)
    except LabellingError as error:
        return {"sample": {"n": n, "n_points": sample.n_points}, "problem": _problem(error, task_of, text)}
    shown = {} if rows is None else {"rows": _rows(project, task_of, found, text, **rows)}
    if only_rows:
        return {"problem": None, **shown}
    now = round_of(found, sample.digest, who)
    kept = keep_round(project, task_of, table, now) if saved else [*rounds(project, task_of, table), now]
    alike = [one for one in kept if one.sample == sample.digest]
    return {
        "sample": {"n": len(found.votes), "n_points": sample.n_points},
        "problem": None,
        **_numbers(found, task_of, alike),
        **shown,
    }


def _problem(error: LabellingError, task: Task, text: str) -> Named:
    """An error with its line in the file of rules, as far as that is known."""
    found = file_and_line(error.__cause__ or error, task.folder)
    line = found[1] if found and Path(found[0]) == rules_path(task) else None
    named = re.search(r"the labelling function '([^']+)'", str(error))
    if line is None and named:
        at = re.search(rf"def {re.escape(named[1])}\b|['\"]{re.escape(named[1])}['\"]", text)
        line = text.count("\n", 0, at.start()) + 1 if at else None
    return {"message": str(error), "line": line, "rule": named[1] if named else None}


def _numbers(found: Look, task: Task, alike: Sequence[Round]) -> Named:
    votes = found.votes
    counts = count_votes(votes.L, votes.codes)
    together, apart = count_pairs(votes.L[:, :MOST_PAIRS], counts.by_code[:MOST_PAIRS], votes.codes)
    return {
        "rules": _rules(found, task, alike, counts),
        "classes": class_table(votes).to_dict("records"),
        "n": len(votes),
        "uncovered": found.n_uncovered,
        "disagreements": found.n_disagreements,
        "n_gold": 0 if votes.gold is None else len(votes.gold),
        "set_aside": 0 if votes.gold is None else votes.gold.set_aside,
        "rounds": [
            {"when": one.when, "who": one.who, "uncovered": one.uncovered, "n": one.n} for one in alike
        ],
        "before": dict(alike[-2].rules) if len(alike) > 1 else {},
        "gone": sorted(set(alike[-2].rules) - set(votes.lf_names)) if len(alike) > 1 else [],
        "pairs": {"together": together.tolist(), "apart": apart.tolist()},
        "reuse": list(votes.reuse.lines()) if votes.reuse else [],
    }


def _rules(found: Look, task: Task, alike: Sequence[Round], counts: VoteCounts) -> list[Named]:
    """A row per rule: counts, what it votes for, its line, what went wrong, how it came along."""
    class_names, codes = np.array(task.class_names, object), found.votes.codes
    said = np.array(codes.names(task.class_names), object)
    uncertain = found.votes.reuse.uncertain if found.votes.reuse else {}
    table: Sequence[Mapping[Hashable, Any]] = found.table.to_dict("records")
    made = []
    for row, lf, by_code in zip(table, found.lfs, counts.by_code, strict=True):
        cast = np.flatnonzero(by_code)
        name = str(row["lf"])
        error = found.first_failures.get(name)
        place = place_of(lf, task.folder)
        hits = found.keyword_hits.get(name, {})
        made.append(
            {key: _plain(row[key]) for key in _SHOWN if key in row}
            | {
                "name": name,
                "labels": said[cast].tolist(),
                "classes": class_names[codes.members[cast].any(axis=0)].tolist(),
                "line": place[1] if place and place[0] == rules_path(task).name else None,
                "failures": found.votes.failures.get(name, 0),
                "problem": None if error is None else _problem(error, task, ""),
                "uncertain": uncertain.get(name, ""),
                "keywords": dict(list(hits.items())[:MOST_KEYWORDS]),
                "silent": [word for word, count in hits.items() if not count][:MOST_KEYWORDS],
                "history": [one.rules[name][0] for one in alike if name in one.rules],
            }
        )
    return made


_SHOWN = [
    "votes",
    "n_overlaps",
    "n_conflicts",
    "correct",
    "incorrect",
    "empirical_accuracy",
    "accuracy_low",
    "accuracy_high",
]


def _plain(value: Any) -> Any:
    """A number of numpy as Python's; None for one that is not known."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _rows(
    project: Project,
    task: Task,
    found: Look,
    text: str,
    *,
    which: str,
    rule: str | None = None,
    other: str | None = None,
    label: str | None = None,
    keys: list[list[str]] | None = None,
    offset: int = 0,
) -> Named:
    """Rows of a bucket, with all that is known of each.

    Args:
        project: holds the table and kept results.
        task: whose rules.
        found: what they do.
        text: of the rules.
        which, rule, other, label: as for `bucket`.
        keys: rows to show in place of a bucket: table and id of each.
        offset: of the first row that is shown.
    """
    try:
        if keys is not None:
            frame = pd.DataFrame(keys, columns=KEYS, dtype=str)
            named = look_at(
                project, task, frame, n=len(frame), text=text, fault_tolerant=True, remember=False, gold=None
            )
            source, mask = named.votes, np.ones(len(named.votes), bool)
        else:
            source, mask = bucket(found.votes, Bucket(which), rule, other, label)
    except LabellingError as error:
        return {"total": 0, "offset": 0, "rows": [], "problem": str(error)}
    chosen = np.flatnonzero(mask)
    shown = shown_rows(project, task, found, source, chosen[offset : offset + PAGE_ROWS], rule)
    return {
        "total": len(chosen),
        "offset": offset,
        "rows": [asdict(row) for row in shown],
        "problem": None,
    }

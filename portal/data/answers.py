"""Answers to questions about label runs and maps, for which MLflow and scikit-learn are needed."""

import tempfile
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from adaptml.browsing.conditions import Condition
from adaptml.browsing.projection import map_table, read_map
from adaptml.browsing.run_facts import LabelRun, RunFacts, label_runs
from adaptml.errors import FrameError
from adaptml.project import Project

Triples = list[tuple[str, str, str]]


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where files of runs are copied to that lie on another machine; it goes with this process."""
    return tempfile.TemporaryDirectory(prefix="adaptml-runs-")


def run_rules(project: Project, *, task: str, table: str) -> dict[str, Any]:
    """The newest label run on a table: `run`, its `rules` and `classes`; empty where there is none."""
    run = _newest(project, task, table)
    if run is None:
        return {"run": "", "rules": [], "classes": []}
    covered, apart = run.covered
    counts = {"rows": len(run.ids), "uncovered": int((~covered).sum()), "disagreement": int(apart.sum())}
    return {"run": run.run_id, "rules": run.rules, "classes": run.classes, **counts}


def run_batch(
    project: Project, *, task: str, table: str, conditions: Triples, after: str | None, n: int
) -> dict[str, Any]:
    """Some `ids` that meet conditions on the newest label run, and `after` which the next ones begin."""
    batch = _facts(project, task, table, conditions).batch(after, n)
    return {"ids": list(batch.ids), "after": batch.after}


def run_holds(
    project: Project, *, task: str, table: str, conditions: Triples, ids: list[str]
) -> dict[str, Any]:
    """Those of the `ids` that meet conditions on the newest label run."""
    return {"ids": sorted(_facts(project, task, table, conditions).holds(ids))}


def run_rows(project: Project, *, task: str, table: str, ids: list[str]) -> dict[str, Any]:
    """What the newest label run found of `rows`, by id: votes, label, probs; and which `run` that is."""
    run = _newest(project, task, table)
    return {"run": run.run_id if run else "", "rows": run.of_rows(ids) if run else {}}


def run_states(project: Project, *, task: str, table: str, ids: list[str]) -> dict[str, Any]:
    """`states`, one a row: uncovered, disagreement, agreement, or None for a row that no run was given."""
    run = _newest(project, task, table)
    if run is None:
        return {"states": [None] * len(ids)}
    found = run.of_rows(ids)
    return {"states": [_state(found[key]["votes"]) if key in found else None for key in ids]}


def runs_of_point(project: Project, *, task: str, table: str, key: str) -> dict[str, Any]:
    """What each label run found of one point, the newest first: `runs` of run, votes, label and probs."""
    found = []
    for run in label_runs(project, task, table, Path(_folder().name)):
        rows = run.of_rows([key])
        if key in rows:
            found.append({"run": run.run_id, "rules": run.rules, **rows[key]})
    return {"runs": found}


def map_of(project: Project, *, table: str, column: str, method: str) -> dict[str, Any]:
    """A map of a table: `key`, `ids`, `xy`, and what its rows are `of`."""
    made = map_table(project, table, column, method=method)
    return {"key": made.key, "ids": list(made.ids), "xy": made.xy.round(2).tolist(), "of": made.of}


def map_region(project: Project, *, key: str, corners: list[float]) -> dict[str, Any]:
    """The `ids` of the rows in a rectangle of a map."""
    return {"ids": read_map(project, key).region(*corners)}


def region_words(
    project: Project, *, key: str, corners: list[float], column: str, n: int = 20
) -> dict[str, Any]:
    """The `words` that set the texts in a rectangle of a map apart from those of the others of the map."""
    import numpy as np
    import pandas as pd

    from adaptml.features.words import phrases, split
    from dataprogramming.next_rule.words import LONGEST, marking_phrases

    made = read_map(project, key)
    keys = pd.DataFrame({"table_name": made.table, "id": list(made.ids)}, dtype=str)
    frame = project.database.read(keys, [column], skip_missing=True)
    inside = frame["id"].isin(made.region(*corners)).to_numpy()
    texts = [phrases(split(str(text or "")[:5_000]), LONGEST) for text in frame[column]]
    if not inside.any() or inside.all():
        return {"words": [], "inside": int(inside.sum()), "outside": int((~inside).sum())}
    found = marking_phrases(texts, np.asarray(inside), np.asarray(~inside), np.asarray(inside), n)
    words = found[["phrase", "z", "one", "other"]].to_dict("records")
    return {"words": words, "inside": int(inside.sum()), "outside": int((~inside).sum())}


def _state(votes: dict[str, str]) -> str:
    return "uncovered" if not votes else "disagreement" if len(set(votes.values())) > 1 else "agreement"


def _facts(project: Project, task: str, table: str, conditions: Triples) -> RunFacts:
    run = _newest(project, task, table)
    if run is None:
        raise FrameError(f"no run of `adaptml label` on table {table!r} for task {task!r} yet; start one")
    return _kept_facts(run, tuple(Condition(*one) for one in conditions))


@lru_cache(maxsize=8)
def _kept_facts(run: LabelRun, conditions: tuple[Condition, ...]) -> RunFacts:
    return RunFacts(run, conditions)


def _newest(project: Project, task: str, table: str) -> LabelRun | None:
    return next(label_runs(project, task, table, Path(_folder().name)), None)

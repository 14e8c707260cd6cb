"""What a room says of its runs: label runs are known to the labelling room, all others to modelling."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from adaptml.calibration import reliability
from adaptml.errors import TrackingError, one_line
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.runs.details import RunDetails, run_details, run_log
from adaptml.runs.judged import Figure, Judged, judged
from adaptml.runs.listing import list_runs
from adaptml.runs.metric import CONSTANT, metric_of_run
from adaptml.runs.side_by_side import SideBySide, runs_side_by_side
from adaptml.tasks import Task, problem_type
from adaptml.tasks.metrics import Metric, accuracy_of

ROWS = 50  # a page of rows
MOST_CHANGED = 50


def label_runs(project: Project, *, task: str) -> dict[str, Any]:
    """The runs of `label`, the newest first."""
    return _listed(project, task, ("label",))


def model_runs(project: Project, *, task: str) -> dict[str, Any]:
    """The runs of `train` and `compare`, the newest first."""
    return _listed(project, task, ("train", "compare"))


def _listed(project: Project, task: str, steps: Sequence[str]) -> dict[str, Any]:
    frame = list_runs(project, task)
    frame = frame[frame["step"].isin(steps)]
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return {"runs": [{**row, "started": row["started"].isoformat()} for row in rows]}


def read(project: Project, *, task: str, run_id: str) -> dict[str, Any]:
    """One run, and how it compares with gold where it was compared."""
    found = _of_task(project, task, run_id)
    gold = None
    if found.status == "FINISHED" and found.step in ("label", "train"):
        side = judged(project, run_id, project.task(task))
        gold = None if side is None else _gold(side)
    strategies = _strategies(found, project.task(task)) if found.step == "compare" else []
    said = {"run": _details(found), "gold": gold, "models": _registered(project, run_id)}
    return said | {"strategies": strategies, "label_models": _label_models(found, project.task(task))}


def rows(
    project: Project, *, task: str, run_id: str, kind: str, gold: str = "", label: str = "", start: int = 0
) -> dict[str, Any]:
    """The gold points behind a number, the surest answers first, with their texts."""
    _of_task(project, task, run_id)
    known = project.task(task)
    side = judged(project, run_id, known)
    if side is None:
        return {"total": 0, "rows": [], "start": 0}
    places = side.surest(side.rows(kind, gold, label))
    chosen = side.frame().iloc[places[start : start + ROWS]].reset_index(drop=True)
    return {"total": len(places), "start": start, "rows": _with_texts(project, known, chosen)}


def log(project: Project, *, task: str, run_id: str) -> dict[str, Any]:
    """The end of a run's log."""
    _of_task(project, task, run_id)
    return {"text": run_log(project, run_id)}


def beside(project: Project, *, task: str, run_ids: Sequence[str]) -> dict[str, Any]:
    """Two runs beside each other, the older one first; of label runs also what became of their rules."""
    pair = sorted((_of_task(project, task, run_id) for run_id in run_ids), key=lambda run: run.started)
    before, after = (run.run_id for run in pair)
    found = runs_side_by_side(project, before, after)
    said = (
        {"rules": None, "why": ""} if found.before.step != "label" else _rules(project, task, before, after)
    )
    return _beside(project, project.task(task), found) | said


def label_choices(project: Project, *, task: str) -> dict[str, Any]:
    """Label models of a task's setting, their parameters, and what the task file keeps."""
    from dataprogramming.label_models.registry import label_models_for

    known = project.task(task)
    models = label_models_for(known.problem)
    fields = {name: field for model in models.values() for name, field in model.Config.model_fields.items()}
    parameters = [
        {"name": name, "value": _text(field.get_default()), "hint": field.description or ""}
        for name, field in fields.items()
    ]
    kept = known.label
    kept_values = {"label_model": kept.label_model, "config": {k: _text(v) for k, v in kept.config.items()}}
    return {"models": ["auto", *models], "parameters": parameters, "kept": kept_values}


def train_choices(project: Project, *, task: str) -> dict[str, Any]:
    """Algorithms, their parameters, strategies, and what the task file keeps."""
    from modelling.algorithms.registry import algorithms
    from modelling.defaults import BUILT_IN
    from modelling.strategies import AUTO, list_strategies

    found = [
        {
            "name": name,
            "summary": made.summary,
            "parameters": [
                {"name": field, "value": _text(info.default), "hint": info.description or ""}
                for field, info in made.parameters().items()
            ],
        }
        for name, made in algorithms().items()
    ]
    kept = project.task(task).train
    values = {name: _text(getattr(kept, name)) for name in BUILT_IN if getattr(kept, name) not in (None, ())}
    params = {name: _text(value) for name, value in kept.params.items()}
    built_in = {name: _text(value) for name, value in BUILT_IN.items()}
    return {
        "algorithms": found,
        "strategies": [AUTO, *list_strategies()],
        "built_in": built_in,
        "kept": values,
        "params": params,
    }


def _of_task(project: Project, task: str, run_id: str) -> RunDetails:
    found = run_details(project, run_id)
    if found.task != task:
        raise TrackingError(f"run {run_id} is of task {found.task!r}, not of {task!r}; open it there")
    return found


def _details(found: RunDetails) -> dict[str, Any]:
    ended = None if found.ended is None else found.ended.isoformat()
    said = asdict(found) | {"started": found.started.isoformat(), "ended": ended, "seconds": found.seconds}
    return said | {"artifacts": [*found.artifacts]}


def _gold(side: Judged) -> dict[str, Any]:
    has, given = side.Y == 1, side.predicted == 1
    matrix = (has.T.astype(int) @ given.astype(int)).tolist() if side.problem.exclusive else None
    return {
        "n": len(side),
        "policy": side.policy,
        "classes": [*side.class_names],
        "figure": asdict(side.figure()),
        "beside": None if side.metric == accuracy_of(side.problem) else asdict(side.plain_figure()),
        "missed": (has & ~given).sum(axis=0).tolist(),
        "wrongly": (given & ~has).sum(axis=0).tolist(),
        "right": (has & given).sum(axis=0).tolist(),
        "wrong": int(side.wrong.sum()),
        "matrix": matrix,
        "reliability": reliability(side.problem, side.class_names, side.Y, side.probs).plain(),
    }


def _strategies(found: RunDetails, task: Task) -> list[dict[str, Any]]:
    """What a run of `compare` found of each strategy; an interval is None where the run kept none."""
    from modelling.compare import STRATEGIES

    problem = problem_type(found.setting)
    metric, plain = metric_of_run(found.params, problem, task.class_names), accuracy_of(problem)
    lines = []
    for name, title in STRATEGIES.items():
        figures = (found.metrics.get(f"{name}_{metric.logged}{end}") for end in ("", "_low", "_high"))
        value, low, high = figures
        if value is not None:
            line = {"strategy": name, "title": title, "value": value, "low": low, "high": high}
            line |= {"log_loss": found.metrics.get(f"{name}_log_loss"), "measure": metric.title}
            beside = None if metric == plain else found.metrics.get(f"{name}_{plain.logged}")
            lines.append(line | {"plain": beside, "plain_measure": plain.title})
    return lines


def _label_models(found: RunDetails, task: Task) -> list[dict[str, Any]]:
    """What a run of `label` found of each label model on gold, the constant one first and the choice last.

    Empty for other runs, for those without gold, and for those of before, which kept no interval.
    """
    problem, metrics = problem_type(found.setting), found.metrics
    metric, plain = metric_of_run(found.params, problem, task.class_names), accuracy_of(problem)
    end = f"/{metric.logged}_low"
    names = [name.removeprefix("dev_").removesuffix(end) for name in metrics if name.endswith(end)]
    if found.step != "label" or CONSTANT not in names:
        return []
    order = {name: f"dev_{name}/" for name in sorted(names, key=lambda name: (name != CONSTANT, name))}
    told = [metric] if plain == metric else [metric, plain]
    return [
        {
            "name": name,
            "figures": [_with_ends(metrics, prefix, one) for one in told],
            "log_loss": metrics.get(f"{prefix}log_loss"),
        }
        for name, prefix in {**order, "": "dev_"}.items()
    ]


def _with_ends(metrics: Mapping[str, float], prefix: str, metric: Metric) -> dict[str, Any]:
    """A figure with the ends of its interval, as a run recorded them."""
    value, low, high = (metrics.get(f"{prefix}{metric.logged}{end}") for end in ("", "_low", "_high"))
    return {"name": metric.title, "value": value, "low": low, "high": high}


def _registered(project: Project, run_id: str) -> list[dict[str, str]]:
    """The models that a run registered: name and version."""
    found = project.runs.client.search_model_versions(f"run_id = '{run_id}'")
    return [{"name": str(one.name), "version": str(one.version)} for one in found]


def _with_texts(project: Project, task: Task, frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of points with what annotators see of them, under `texts`."""
    if frame.empty:
        return []
    texts = texts_of_task(project.database, task)(frame[KEYS].drop_duplicates())
    texts = texts.astype(object).where(texts.notna(), None).set_index(KEYS)
    known = texts.to_dict("index")
    lines: list[dict[str, Any]] = [{str(k): v for k, v in line.items()} for line in frame.to_dict("records")]
    for line in lines:
        cells = known.get((line["table_name"], line["id"]), {})
        line["texts"] = {str(name): _text(cell) for name, cell in cells.items()}
    return lines


def _beside(project: Project, task: Task, found: SideBySide) -> dict[str, Any]:
    return {
        "before": _details(found.before),
        "after": _details(found.after),
        "settings": [asdict(one) for one in found.settings],
        "figures": [_figure(one) for one in found.figures],
        "gain": _figure(found.gain),
        "sentence": found.sentence,
        "n_changed": len(found.changed),
        "changed": _with_texts(project, task, found.changed.head(MOST_CHANGED)),
    }


def _figure(found: Figure | None) -> dict[str, Any] | None:
    return None if found is None else asdict(found)


def _rules(project: Project, task: str, before: str, after: str) -> dict[str, Any]:
    from dataprogramming.lf_diff import lf_diff

    try:
        found = lf_diff(project, task, before, after, n=MOST_CHANGED)
    except TrackingError as error:  # a run of before keeps no votes
        return {"rules": None, "why": one_line(error)}
    table = found.table.astype(object).where(found.table.notna(), None)
    texts = [name for name in found.moved.columns if name not in (*KEYS, "label_before", "label_after")]
    moved = [
        {**{name: line[name] for name in (*KEYS, "label_before", "label_after")},
         "texts": {name: _text(line[name]) for name in texts}}
        for line in found.moved.astype(object).where(found.moved.notna(), None).to_dict("records")
    ]  # fmt: skip
    rules = {
        "table": table.to_dict("records"),
        "sources_known": found.sources_known,
        "diffs": [
            {"name": change.name, "kind": change.kind, "lines": found.source_diff(change)}
            for change in found.changes
        ],
        "moved": moved,
        "n_moved": found.n_moved,
        "n_gained": found.n_gained,
        "n_lost": found.n_lost,
    }
    return {"rules": rules, "why": ""}


def _text(value: Any) -> str:
    """A value as a form shows it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)

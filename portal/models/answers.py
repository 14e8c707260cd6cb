"""What the rooms say of end models, and of why one answers as it does."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from adaptml.errors import AdaptmlError, one_line
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.reports.reading import texts_of_task
from adaptml.runs.metric import metric_of_run
from adaptml.tasks import Task, problem_type
from adaptml.tasks.metrics import accuracy_of

if TYPE_CHECKING:
    from modelling.versions import Version

_SAID = (
    *("model", "version", "algorithm", "of_class", "against", "why_no_weights", "why_no_nearest"),
    "answered_from",
)


def versions(project: Project, *, task: str) -> dict[str, Any]:
    """The versions of a task's end models, the newest first."""
    from modelling.versions import model_versions

    spec = project.task(task)
    models = [
        asdict(one) | {"before": one.before, "versions": [_plain(version, spec) for version in one.versions]}
        for one in model_versions(project, spec)
    ]
    return {"models": models}


def columns(project: Project, *, task: str, model: str, version: str) -> dict[str, Any]:
    """The columns whose texts are enough to ask a version, else why they are not; and its ways to votes."""
    from modelling.explain import loaded_model
    from modelling.reading_one import text_columns

    project.task(task)
    said: dict[str, Any] = {"columns": [], "why": "", "ways": []}
    try:
        loaded = loaded_model(project, model, version)
        said["ways"] = [*loaded.ways]
        return said | {"columns": text_columns(loaded)}
    except AdaptmlError as error:
        return said | {"why": one_line(error)}


def gain(project: Project, *, task: str, model: str, version: str) -> dict[str, Any]:
    """A version beside the champion: their figures, and what was found when both were compared."""
    from adaptml.runs.side_by_side import runs_side_by_side
    from modelling.versions import model_versions

    spec = project.task(task)
    known = {one.name: one for one in model_versions(project, spec)}.get(model)
    by_number = {} if known is None else {one.version: one for one in known.versions}
    new, champion = by_number.get(version), None if known is None else by_number.get(known.champion or "")
    said: dict[str, Any] = {
        "version": None if new is None else _plain(new, spec),
        "champion": None if champion is None else _plain(champion, spec),
        "beside": None,
        "why": "",
        "compared": _compared(project, task, version, None if champion is None else champion.version),
    }
    if new is None or champion is None or champion.version == version:
        return said
    try:
        found = runs_side_by_side(project, champion.run_id, new.run_id)
    except AdaptmlError as error:
        return said | {"why": one_line(error)}
    figures = [None if figure is None else asdict(figure) for figure in found.figures]
    beside = {"figures": figures, "gain": None if found.gain is None else asdict(found.gain)}
    beside["settings"] = [asdict(one) for one in found.settings]
    return said | {"beside": beside | {"n_changed": len(found.changed)}}


def explained(
    project: Project, *, task: str, version: str, texts: Mapping[str, str] | None, point: list[str] | None
) -> dict[str, Any]:
    """What a version says of a point or of texts, and what it rests on."""
    from modelling.explain import explain

    known = project.task(task)
    table, key = point or ("", "")
    found = explain(project, known, (table, key) if point else dict(texts or {}), version)
    said = {name: getattr(found, name) for name in _SAID}
    said["probs"] = found.probs.tolist()
    said["classes"], said["given"] = [*found.class_names], [*found.labels]
    said["heard"] = dict(found.votes)
    said["weights"] = None if found.weights is None else asdict(found.weights)
    said["nearest"] = None if found.nearest is None else asdict(found.nearest)
    if said["nearest"]:
        _add_texts(project, known, said["nearest"]["neighbours"])
    shown = [{"table_name": table, "id": key}] if point else []
    _add_texts(project, known, shown)
    return said | {"texts": shown[0]["texts"] if shown else dict(texts or {})}


def votes(
    project: Project, *, task: str, texts: Mapping[str, str] | None, point: list[str] | None
) -> dict[str, Any]:
    """What each rule says of a point or of texts."""
    from dataprogramming.one_row import votes_on_point, votes_on_texts

    found = votes_on_point(project, task, *point) if point else votes_on_texts(project, task, texts or {})
    return {"votes": [{"rule": name, "vote": vote} for name, vote in found.items()]}


def _plain(version: "Version", task: Task) -> dict[str, Any]:
    """A version as JSON can say it, with its figures: those of its run's metric, and of the plain measure."""
    problem = problem_type(version.params.get("setting", task.setting))
    metric, plain = metric_of_run(version.params, problem, task.class_names), accuracy_of(problem)
    figures = {
        name: {"title": one.title, "gold": version.metrics.get(f"gold_{one.logged}"),
               "labels": version.metrics.get(f"lm_{one.logged}")}
        for name, one in (("metric", metric), ("plain", plain))
    }  # fmt: skip
    return asdict(version) | {"made": version.made.isoformat(), **figures}


def _add_texts(project: Project, task: Task, lines: list[dict[str, Any]]) -> None:
    """Put what annotators see of points under `texts`."""
    if not lines:
        return
    keys = pd.DataFrame([[line["table_name"], line["id"]] for line in lines], columns=KEYS)
    texts = texts_of_task(project.database, task)(keys.drop_duplicates()).set_index(KEYS)
    known = texts.astype(object).where(texts.notna(), None).to_dict("index")
    for line in lines:
        cells = known.get((line["table_name"], line["id"]), {})
        line["texts"] = {name: str(cell) for name, cell in cells.items() if cell is not None}


def _compared(project: Project, task: str, version: str, champion: str | None) -> str:
    """The verdict of the last comparison of two versions on held-out gold; empty where there is none."""
    from adaptml.runs.opening import store_errors
    from adaptml.runs.recording import NOTE_TAG

    client = project.runs.client
    try:
        experiment = client.get_experiment_by_name(task)
        if experiment is None or champion is None:
            return ""
        wanted = f"params.new_version = '{int(version)}' and params.champion_version = '{int(champion)}'"
        runs = client.search_runs([experiment.experiment_id], wanted, max_results=1)
    except store_errors():  # the figures are there without it
        return ""
    return str(runs[0].data.tags.get(NOTE_TAG, "")) if runs else ""

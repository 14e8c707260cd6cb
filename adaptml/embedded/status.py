"""`adaptml status` without the stack: a project's stores, what is in them, and what is wrong with them."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from adaptml.addresses import sqlite_file
from adaptml.errors import AdaptmlError, TaskError, TrackingError, listed
from adaptml.project import Project
from adaptml.settings_text import shown
from adaptml.stack.folders import size_bytes
from adaptml.tasks.check import Finding

LITTLE_DISK_BYTES, NO_DISK_BYTES = 2 * 10**9, 10**8
_TABLES_SHOWN = 10


def status(project: Project) -> list[Finding]:
    """Look at the home folder, the databases, the runs and the task files; nothing is made or changed.

    Returns:
        What was found, in this order; an error is something that a step will stop at.
    """
    return [_versions(), *_home(project), *_data(project), *_runs(project), *_tasks(project)]


def _versions() -> Finding:
    named = [f"Python {python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    for package in ("adaptml", "mlflow-skinny", "scikit-learn"):
        with suppress(PackageNotFoundError):
            named.append(f"{package} {version(package)}")
    return Finding("ok", "versions", ", ".join(named))


def _home(project: Project) -> Iterator[Finding]:
    home = project.settings.home
    if not home.is_dir():
        yield Finding("warning", "home", f"{home} is not there yet; the first step makes it")
        return
    yield Finding("ok", "home", f"{home}, {_megabytes(size_bytes(home))}")
    free = shutil.disk_usage(home).free
    level = "error" if free < NO_DISK_BYTES else "warning" if free < LITTLE_DISK_BYTES else "ok"
    text = f"{_megabytes(free)} free at {home}"
    yield Finding(level, "disk", text if level == "ok" else f"{text}: make room, or move the home folder")  # type: ignore[arg-type]


def _data(project: Project) -> Iterator[Finding]:
    settings = project.settings
    address = shown(settings, "database_url")
    file = sqlite_file(settings.database_url.get_secret_value())
    if file is not None and not file.exists():
        yield Finding("warning", "data", f"{address} is not there yet; `adaptml import` makes it")
        return
    try:
        tables = project.database.tables()
        results = project.results.tables() if project.results is not project.database else None
    except AdaptmlError as error:
        yield Finding("error", "data", str(error))
        return
    size = _megabytes(file.stat().st_size) if file is not None else _server(project)
    yield Finding("ok", "data", f"{address}, {size}: {len(tables)} tables: {listed(tables, _TABLES_SHOWN)}")
    if results is not None:
        yield Finding("ok", "results", f"{shown(settings, 'results_database_url')}: {len(results)} tables")


def _server(project: Project) -> str:
    """The version of a database on a server, which was asked before."""
    numbers = getattr(project.database.engine.dialect, "server_version_info", None) or ()
    return f"version {'.'.join(map(str, numbers))}"


def _runs(project: Project) -> Iterator[Finding]:
    settings = project.settings
    address, file = shown(settings, "tracking_uri"), settings.tracking_file
    if file is not None and not file.exists():
        yield Finding("warning", "runs", f"{address} is not there yet; the first `adaptml label` makes it")
        return
    from adaptml.runs.listing import list_runs  # MLflow takes seconds

    try:
        runs = list_runs(project)
    except TrackingError as error:
        yield Finding("error", "runs", str(error))
        return
    size = f", {_megabytes(file.stat().st_size)}" if file is not None else ""
    counts = runs["status"].value_counts()
    by_status = listed([f"{n} {name}" for name, n in sorted(counts.items())], len(counts) or 1)
    yield Finding("ok", "runs", f"{address}{size}: {by_status or 'no runs yet'}")
    if len(runs):
        last = runs.iloc[0]
        text = f"{last['step']} {last['task']}, {last['status']}, {_ago(last['started'])}, {last['run_id']}"
        yield Finding("ok" if last["status"] in ("FINISHED", "RUNNING") else "warning", "last run", text)
    for run in runs[runs["status"] == "RUNNING"].to_dict("records"):
        text = f"{run['step']} {run['task']} {run['run_id']}, started {_ago(run['started'])}"
        yield Finding("ok", "at work", text)


def _tasks(project: Project) -> Iterator[Finding]:
    names = project.task_names()
    good = []
    for name in names:
        try:
            good.append(project.task(name).name)
        except TaskError as error:
            yield Finding("error", "task", str(error))
    if good or not names:
        yield Finding("ok", "tasks", listed(good, 20) or "none yet; make one: `adaptml task new TASK`")


def _megabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"


def _ago(when: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = (datetime.now(UTC) - when).total_seconds()
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"

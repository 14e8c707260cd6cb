"""What a room says of an import or of changed classes before they are done."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from adaptml.project import Project


def preview_import(project: Project, *, file: str, table: str, options: dict[str, Any]) -> dict[str, Any]:
    """What an import would make of a file."""
    from adaptml.importing.preview import preview_import as preview

    return asdict(preview(project, Path(file), table, **options))


def check(project: Project, *, task: str, table: str) -> dict[str, Any]:
    """What a rehearsal of a task on a table finds; its rules are run on some rows."""
    return {"findings": [asdict(finding) for finding in project.check_task(task, table or None)]}


def preview_classes(project: Project, *, task: str, edits: dict[str, Any], undo: bool) -> dict[str, Any]:
    """What a change of a task's classes would do, a line each."""
    from adaptml.changing_classes.step import change_classes

    return {"lines": change_classes(project, task, **edits, undo=undo, preview=True).lines()}

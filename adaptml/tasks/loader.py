"""Reading task files."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from adaptml.errors import TaskError, listed
from adaptml.tasks.schema import TASK_NAME, Task, TaskFile, problems


def load_task(name: str, tasks_dir: Path) -> Task:
    """Read `<tasks_dir>/<name>/task.yaml`.

    Raises:
        TaskError: no such task, or a task file with problems: all of them, each with its place.
    """
    path = tasks_dir / name / "task.yaml"
    if not TASK_NAME.fullmatch(name):
        raise TaskError(f"task name {name!r}; expected a lower-case letter, then letters, digits and _")
    if not path.is_file():
        known = list_tasks(tasks_dir)
        raise TaskError(
            f"no task {name!r} in {tasks_dir}; tasks there: {listed(known, 20) or 'none'}; "
            "make it with `adaptml task new`"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not YAML: {error}") from error
    return parse_task(text, path.parent, str(path))


def parse_task(text: str, folder: Path, source: str) -> Task:
    """The task that the text of a task file describes.

    Args:
        text: YAML.
        folder: the task's folder, which names it; it need not exist.
        source: where the text came from, for messages.

    Raises:
        TaskError: a text with problems: all of them, each with its place.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TaskError(f"{source} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise TaskError(f"{source} holds {type(content).__name__}; expected keys: title, setting, classes …")
    for key in ("folder", "name", "lfs"):
        if key in content:
            raise TaskError(f"{source} has 1 problem: {key}: unknown key, remove it")
    try:
        return TaskFile.model_validate({**content, "name": folder.name, "folder": folder.resolve()})
    except ValidationError as error:
        raise TaskError(f"{source} has {problems(error)}") from error


def list_tasks(tasks_dir: Path) -> list[str]:
    """Names of the folders that hold a task file, sorted."""
    return sorted(path.parent.name for path in tasks_dir.glob("*/task.yaml"))

"""Reading task files."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from adaptml.errors import TaskError, listed, one_line
from adaptml.tasks.plain_yaml import read_yaml
from adaptml.tasks.problems import PROBLEM_TYPES
from adaptml.tasks.schema import Task, TaskFile, name_problem, problems


def load_task(name: str, tasks_dir: Path) -> Task:
    """Read `<tasks_dir>/<name>/task.yaml`.

    Raises:
        TaskError: no such task, or a task file with problems: all of them, each with its place.
    """
    problem = name_problem(name)
    if problem:
        raise TaskError(problem)
    path = tasks_dir / name / "task.yaml"
    if not path.is_file():
        known = listed(list_tasks(tasks_dir), 20) or "none"
        raise TaskError(
            f"no task {name!r} in {tasks_dir}; tasks there: {known}; "
            + (
                f"{name} is a setting: give the task's name as task, and {name} as setting"
                if name in PROBLEM_TYPES
                else "make it with `adaptml task new`"
            )
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise TaskError(f"{path} cannot be read: {reason}; save it as UTF-8 text") from error
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
        content = read_yaml(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise TaskError(f"{source} is not YAML as a task has it: {one_line(error)}; fix it") from error
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

"""A task's defaults: what a call says wins, then what the task file keeps, then what is built in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal

from adaptml.errors import FileError, TaskError
from adaptml.tasks.edit import put, read_file, write_file
from adaptml.tasks.loader import parse_task
from adaptml.tasks.schema import Task

Section = Literal["label", "train"]
SETTINGS_FROM = "settings_from"  # the parameter of a run that says where its values came from
BUILT_IN = "built in"
DEFAULT_ALGORITHM = "logistic_regression"


@dataclass(frozen=True)
class Chosen:
    """Values of a step by name, and those of them that are not built in.

    Attributes:
        used: all of them.
        given: those that the call named.
        kept: those that came from the task file.
    """

    used: Mapping[str, Any]
    given: Mapping[str, Any]
    kept: Mapping[str, Any]


def choose(given: Mapping[str, Any], kept: Mapping[str, Any], built_in: Mapping[str, Any]) -> Chosen:
    """What is given wins, then what is kept, then what is built in.

    >>> choose({"seed": 3}, {"seed": 1, "strategy": "union"}, {"seed": 0, "strategy": "auto"}).used
    {'seed': 3, 'strategy': 'union'}
    """
    kept = {name: value for name, value in kept.items() if name not in given}
    return Chosen({**built_in, **kept, **given}, given, kept)


def named(**values: Any) -> dict[str, Any]:
    """The values that are there: None and an empty list are nothing."""
    return {
        name: value for name, value in values.items() if value is not None and value != () and value != []
    }


def came_from(*chosen: Chosen) -> str:
    """Which values came from where, for people and for a run's parameters; `built in` where all are.

    >>> came_from(choose({"seed": 3}, {"strategy": "union"}, {"seed": 0, "strategy": "auto"}))
    'given: seed 3; task file: strategy union; else built in'
    """
    parts = []
    for where, groups in (("given", [c.given for c in chosen]), ("task file", [c.kept for c in chosen])):
        said = [f"{name} {shown(value)}" for group in groups for name, value in group.items()]
        parts += [f"{where}: {', '.join(said)}"] if said else []
    return "; ".join([*parts, f"else {BUILT_IN}"]) if parts else BUILT_IN


def check_keeping(task: Task) -> None:
    """See that a task's file can be written, before a step that is to write it begins.

    Raises:
        TaskError: a task without a file.
        FileError: the file cannot be written, as in the stack's containers.
    """
    path = _path(task)
    try:
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise FileError(
            f"{path} cannot be written: {error.strerror or error}; the stack's containers cannot write "
            "tasks/: type it on the host, in the project's folder"
        ) from error


def keep(task: Task, section: Section, values: Mapping[str, Any], run_id: str) -> str:
    """Write a step's values into the task file; comments and every other line stay as they are.

    Args:
        task: a task with a file.
        section: which step's.
        values: all that the section is to say, plain values; empty: the section goes.
        run_id: the run that used them, which is complete.

    Returns:
        A sentence on what was written, for people.

    Raises:
        TaskError: a task without a file, or one that is written such that it cannot be edited.
        FileError: the file cannot be written.
    """
    path = _path(task)
    try:
        before = read_file(path)
        after = put(before, [section], values)
        parse_task(after, path.parent, str(path))
        if after == before:
            return f"{path} says so already"
        write_file(path, after)
    except (TaskError, FileError) as error:
        raise type(error)(f"run {run_id} is complete, but {path} was not changed: {error}") from error
    said = ", ".join(f"{name} {shown(value)}" for name, value in values.items())
    return f"{path}, {section}: {said or 'nothing, as all is built in'}"


def in_task_file(task: Task, place: str, error: Exception) -> TaskError:
    """What is wrong with a value that the task keeps, with its place."""
    source = f"task {task.name!r}" if task.folder is None else str(task.folder / "task.yaml")
    return TaskError(f"{source}, {place}: {error}")


def shown(value: Any) -> str:
    """A value for people, such as `txt_vec+age` for two columns."""
    if isinstance(value, Mapping):
        return "(" + ", ".join(f"{name} {shown(inner)}" for name, inner in value.items()) + ")"
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _path(task: Task) -> Path:
    if task.folder is None:
        raise TaskError(
            f"task {task.name!r} was made in Python and has no task file to keep anything in; leave "
            "keep out, and give the task its defaults: Task(…, train={…})"
        )
    return task.folder / "task.yaml"

"""A task: the one place where a class name, a feature column or a threshold is written."""

import re
from collections.abc import Sequence
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Literal, cast
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from adaptml.errors import TaskError, listed
from adaptml.settings import get_settings

ABSTAIN = -1
MAX_CLASSES = 127  # votes are int8
NONE_CHOICE = "NONE"
TASK_NAME = re.compile(r"[a-z][a-z0-9_]*")  # it also names tables, files and an endpoint
_CLASS_NAME = re.compile(r"[^\x00-\x1f<>&\"]{1,80}")
_RESERVED = {"ABSTAIN", NONE_CHOICE, "N/A", "table_name", "id"}


class Setting(StrEnum):
    """How many classes a data point has: exactly one, or any number."""

    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ClassSpec(_Part):
    """One class and what annotators are told about it."""

    name: str
    description: str = ""
    examples: tuple[str, ...] = ()

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not _CLASS_NAME.fullmatch(name):
            raise ValueError(
                f'a class name has 1 to 80 characters, none of them < > & " or control; given {name!r}'
            )
        return name


class Column(_Part):
    """A column that annotators see."""

    name: str = Field(min_length=1)
    type: Literal["text", "image", "audio", "video"] = "text"


class Featurize(_Part):
    """Which columns `adaptml featurize` reads and fills."""

    text: str
    lemmas: str | None = None
    vector: str | None = None
    encoder: str = "hybrid"


class Task(_Part):
    """What is asked of the data, as written in `task.yaml`."""

    title: str = Field(min_length=3, max_length=50)  # Label Studio's bounds for a project's title
    description: str = ""
    setting: Setting
    classes: tuple[ClassSpec, ...]
    positive: str | None = None
    columns: tuple[Column, ...] = Field(min_length=1)
    lf_features: tuple[str, ...] = Field(min_length=1)
    features: tuple[str, ...] = Field(min_length=1)
    featurize: Featurize | None = None
    folder: Path = Field(exclude=True)

    @field_validator("classes")
    @classmethod
    def _distinct(cls, classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
        if not 2 <= len(classes) <= MAX_CLASSES:
            raise ValueError(f"a task has 2 to {MAX_CLASSES} classes; given {len(classes)}")
        names = [c.name for c in classes]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"class names must differ; {listed(twice)} stands more than once")
        reserved = [name for name in names if name in _RESERVED or name.startswith("prob_")]
        if reserved:
            raise ValueError(f"{listed(reserved)} is reserved and cannot name a class")
        return classes

    @field_validator("positive")
    @classmethod
    def _is_a_class(cls, positive: str | None, info: ValidationInfo) -> str | None:
        if positive is None or "classes" not in info.data:
            return positive
        class_names = [c.name for c in info.data["classes"]]
        if info.data.get("setting") is not Setting.MULTICLASS or len(class_names) != 2:
            raise ValueError("is for multiclass tasks of two classes")
        if positive not in class_names:
            raise ValueError(f"is {positive!r}; expected one of the classes {listed(class_names)}")
        return positive

    @property
    def name(self) -> str:
        """The task's name: that of its folder."""
        return self.folder.name

    @property
    def class_names(self) -> list[str]:
        """Class names in the order of the task file, which is the order of every array over classes."""
        return [c.name for c in self.classes]

    @property
    def labels(self) -> type[IntEnum]:
        """The votes that labelling functions may cast: ABSTAIN = -1, then the classes from 0."""
        members = [("ABSTAIN", ABSTAIN), *((name, i) for i, name in enumerate(self.class_names))]
        return cast(type[IntEnum], IntEnum("Labels", members))

    def with_setting(self, setting: Setting | str | None) -> "Task":
        """The same task in another setting; the task itself for None.

        Raises:
            TaskError: a setting that does not exist.
        """
        if setting is None or setting == "":
            return self
        if setting not in list(Setting):
            raise TaskError(f"setting is {setting!r}; expected {' or '.join(Setting)}")
        return self.model_copy(update={"setting": Setting(setting)})

    def label_config(self) -> str:
        """Label Studio's labelling configuration: every column as its object tag, one choice per class.

        The choice `NONE` stands for a data point about none of the classes.
        """
        view = Element("View")
        SubElement(view, "Header", value=self.title)
        for column in self.columns:
            value = {"name": column.name, "value": f"${column.name}"}
            SubElement(view, column.type.capitalize(), value)
        choice = "single" if self.setting is Setting.MULTICLASS else "multiple"
        target = {"name": "label", "toName": self.columns[0].name, "choice": choice, "required": "true"}
        choices = SubElement(view, "Choices", target)
        for name in (*self.class_names, NONE_CHOICE):
            SubElement(choices, "Choice", value=name)
        indent(view)
        return tostring(view, encoding="unicode") + "\n"

    def coding_guide(self) -> str:
        """What annotators are told, as Markdown: the question, then each class and when to choose it."""
        rule = "Choose exactly one." if self.setting is Setting.MULTICLASS else "Choose all that apply."
        lines = [f"# {self.title}", "", *([self.description, ""] if self.description else []), rule, ""]
        for spec in self.classes:
            lines += [f"## {spec.name}", "", *([spec.description, ""] if spec.description else [])]
            lines += [f"- {example}" for example in spec.examples] + ([""] if spec.examples else [])
        lines += [f"## {NONE_CHOICE}", "", "None of the above.", ""]
        return "\n".join(lines)


def load_task(name: str, tasks_dir: Path | None = None) -> Task:
    """Read `<tasks_dir>/<name>/task.yaml`.

    Raises:
        TaskError: no such task, or a task file with problems: all of them, each with its place.
    """
    tasks_dir = get_settings().tasks_dir if tasks_dir is None else tasks_dir
    path = tasks_dir / name / "task.yaml"
    if not TASK_NAME.fullmatch(name):
        raise TaskError(f"task name {name!r}; expected a lower-case letter, then letters, digits and _")
    if not path.is_file():
        known = list_tasks(tasks_dir)
        raise TaskError(
            f"no task {name!r} in {tasks_dir}; tasks there: {listed(known, 20) or 'none'}; "
            "write it with `adaptml task new`"
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
    if "folder" in content:
        raise TaskError(f"{source} has 1 problem: folder: unknown key, take it out")
    try:
        return Task.model_validate({**content, "folder": folder.resolve()})
    except ValidationError as error:
        problems = _problems(error)
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise TaskError(f"{source} has {count}: {'; '.join(problems)}") from error


def _problems(error: ValidationError) -> list[str]:
    """Every problem as text. A list is too short for pydantic if its items are wrong: that is no problem."""
    errors = error.errors()
    places = [e["loc"] for e in errors]
    inside = {place[:end] for place in places for end in range(len(place))}
    return [_problem(e) for e in errors if e["type"] != "too_short" or e["loc"] not in inside]


def _problem(error: Any) -> str:
    """One problem of a task file as text: its place, what was found, what was expected."""
    place = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error["loc"]).lstrip(".")
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key, take it out"
    if error["type"] == "missing":
        return f"{place}: missing"
    message = error["msg"].removeprefix("Value error, ").replace("tuple", "list").replace("Tuple", "List")
    given = "" if error["type"] == "value_error" else f", given {error['input']!r}"
    return f"{place + ': ' if place else ''}{message}{given}"


def list_tasks(tasks_dir: Path | None = None) -> list[str]:
    """Names of the folders that hold a task file, sorted."""
    tasks_dir = get_settings().tasks_dir if tasks_dir is None else tasks_dir
    return sorted(path.parent.name for path in tasks_dir.glob("*/task.yaml"))


def indicator(labels: Sequence[Sequence[str]], class_names: Sequence[str]) -> npt.NDArray[np.int8]:
    """Label sets as an indicator matrix.

    Args:
        labels: n label sets, each a list of class names.
        class_names: k names in the task's order.

    Returns:
        int8 array (n, k), values in {0, 1}.

    Raises:
        TaskError: names that are no class of the task.

    >>> indicator([["b"], [], ["a", "b"]], ["a", "b"]).tolist()
    [[0, 1], [0, 0], [1, 1]]
    """
    place = {name: i for i, name in enumerate(class_names)}
    unknown = sorted({name for names_ in labels for name in names_} - set(place))
    if unknown:
        raise TaskError(
            f"labels {listed(unknown)} are no classes of the task; its classes are {listed(class_names, 20)}"
        )
    matrix = np.zeros((len(labels), len(class_names)), dtype=np.int8)
    for row, names_ in enumerate(labels):
        matrix[row, [place[name] for name in names_]] = 1
    return matrix


def names(matrix: npt.NDArray[Any], class_names: Sequence[str]) -> list[list[str]]:
    """The label sets of an indicator matrix (n, k): the inverse of `indicator`.

    >>> names(np.array([[0, 1], [1, 1]]), ["a", "b"])
    [['b'], ['a', 'b']]
    """
    return [[name for name, flag in zip(class_names, row, strict=True) if flag] for row in matrix]

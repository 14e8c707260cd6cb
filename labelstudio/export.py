"""A Label Studio JSON export: its shape, and opening one."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic.dataclasses import dataclass

from adaptml.errors import AnnotationError, listed
from adaptml.gold_labels.core import seen_of
from adaptml.validation import validation_problems

# Label Studio adds keys with every version; only those named here are read.
_CONFIG = ConfigDict(extra="ignore", coerce_numbers_to_str=True)
_ABSENT = -1
RESERVED = ("ref_id", "meta_info")
ADJUDICATION = "adjudication"  # the purpose of a task that settles what others disagree on


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Result:
    """What one control of the labelling page says in one annotation."""

    from_name: str = ""
    type: str = ""
    value: dict[str, Any] = Field(default_factory=dict)

    @property
    def choices(self) -> list[str] | None:
        """The chosen names; None where this is not a result of a Choices control."""
        chosen = self.value.get("choices")
        return [str(name) for name in chosen] if self.type == "choices" and isinstance(chosen, list) else None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Annotation:
    """One annotator's answer to one task.

    `completed_by` and `updated_by` are numbers or objects with an `id`, depending on how they were exported;
    None where the account was deleted. Only a number becomes a column of its own, so no name can hide a
    key column. `completed_by` is what the sender claimed, `updated_by` who really sent it.
    """

    id: int | None = None
    completed_by: int | None = None
    updated_by: int | None = _ABSENT
    result: tuple[Result, ...] = ()
    was_cancelled: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @field_validator("completed_by", "updated_by", mode="before")
    @classmethod
    def _only_id(cls, value: object) -> object:
        return value.get("id") if isinstance(value, dict) else value

    @property
    def annotator(self) -> int | None:
        """Who said it, by the server's record; exports of 2021 have only the claim."""
        return self.completed_by if self.updated_by == _ABSENT else self.updated_by

    @property
    def imported(self) -> bool:
        """Whether it came with a file, so that nobody's making it is on record."""
        return self.annotator is None and self.completed_by is not None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class MetaInfo:
    """Where a point comes from, which question is asked about it, and how it was drawn.

    `sampling` is the name of the draw, empty where it is not on record; `inclusion_prob` is in (0, 1],
    None where it cannot be told. `purpose` is `ADJUDICATION` where a third person settles what others
    disagree on. `seen` is column → hash of what annotators saw in it.
    """

    table_name: str
    task: str
    sampling: str = ""
    inclusion_prob: float | None = None
    purpose: str = ""
    seen: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class TaskData:
    """What `sample_tasks` sent: the key of the point; of its columns, only hashes are kept."""

    ref_id: str
    meta_info: MetaInfo

    @model_validator(mode="before")
    @classmethod
    def _hashed(cls, data: object) -> object:
        return without_columns(data) if isinstance(data, dict) else data


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ExportedTask:
    """One task of the export: a data point with everybody's annotations."""

    data: TaskData
    annotations: tuple[Annotation, ...]
    id: int | str | None = None
    drafts: tuple[Any, ...] = ()


def without_columns(data: dict[str, Any]) -> dict[str, Any]:
    """A task's data with `meta_info.seen` in place of its columns; what is on record there wins.

    Args:
        data: `ref_id`, `meta_info` and the columns that annotators see.
    """
    kept = {name: data[name] for name in RESERVED if name in data}
    meta = kept.get("meta_info")
    if isinstance(meta, dict):
        seen = seen_of({name: value for name, value in data.items() if name not in RESERVED})
        recorded = meta.get("seen")
        kept["meta_info"] = meta | {"seen": seen | (recorded if isinstance(recorded, dict) else {})}
    return kept


def load_export(path: Path) -> list[ExportedTask]:
    """The tasks of an export file.

    Raises:
        AnnotationError: no such file, not a JSON export, or nothing in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise AnnotationError(
            f"{path} cannot be read: {reason}; expected a JSON export of Label Studio"
        ) from error
    if not text.strip():
        raise AnnotationError(f"{path} is empty; export the project from Label Studio as JSON")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise AnnotationError(
            f"{path} is not JSON (line {error.lineno}: {error.msg}); export the project as JSON"
        ) from error
    return parse_export(content, str(path))


def parse_export(content: object, source: str) -> list[ExportedTask]:
    """Tasks from decoded JSON.

    Args:
        content: what Label Studio's JSON export or its API holds: a list of tasks.
        source: where it came from, for messages.

    Raises:
        AnnotationError: another shape (JSON_MIN and unannotated task files are told apart), or no task.
    """
    if not isinstance(content, list) or not all(isinstance(task, dict) for task in content):
        raise AnnotationError(f"{source} is not a list of tasks; export the project as JSON")
    if not content:
        raise AnnotationError(f"{source} holds no tasks; annotate some, then export the project as JSON")
    if all("annotation_id" in task and "annotations" not in task for task in content):
        raise AnnotationError(
            f"{source} is a JSON_MIN export, which loses cancelled annotations; export it as JSON"
        )
    if not any("annotations" in task for task in content):
        raise AnnotationError(
            f"{source} holds {len(content)} tasks and no annotations, like a file to import; "
            "annotate them in Label Studio, then export the project as JSON"
        )
    try:
        return _adapter().validate_python(content)
    except ValidationError as error:
        raise AnnotationError(f"{source} {_problems(error)}") from error


def parse_rows(rows: Iterable[str], source: str) -> list[ExportedTask]:
    """Tasks from one JSON text each, as an export has them.

    Raises:
        AnnotationError: tasks that `sample-tasks` and `annotate push` did not make.
    """
    try:
        return _adapter().validate_json(f"[{','.join(rows)}]")
    except ValidationError as error:
        raise AnnotationError(f"{source} {_problems(error)}") from error


@cache
def _adapter() -> TypeAdapter[list[ExportedTask]]:
    return TypeAdapter(list[ExportedTask])


def _problems(error: ValidationError) -> str:
    problems = validation_problems(error)
    return (
        f"has {len(problems)} places unlike a JSON export of tasks from `sample-tasks`: {listed(problems)}; "
        "import the file that `sample-tasks` wrote and export the project as JSON"
    )


def check_task(tasks: Iterable[ExportedTask], name: str, source: str) -> None:
    """Refuse an export with tasks of another task folder.

    Raises:
        AnnotationError: names every task found, with its count.
    """
    found: dict[str, int] = {}
    for task in tasks:
        found[task.data.meta_info.task] = found.get(task.data.meta_info.task, 0) + 1
    if set(found) != {name}:
        counts = listed([f"{other!r} ({n} points)" for other, n in sorted(found.items())])
        raise AnnotationError(
            f"{source} holds annotations of {counts}; expected only those of {name!r}: "
            "name that task, or export one project at a time"
        )

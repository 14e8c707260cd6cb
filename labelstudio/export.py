"""A Label Studio JSON export: its shape, and opening one."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass

from adaptml.errors import AnnotationError, listed
from adaptml.gold_labels.core import seen_of
from adaptml.validation import validation_problems

# Label Studio adds keys with every version; only those named here are read.
_CONFIG = ConfigDict(extra="ignore", coerce_numbers_to_str=True)
RESERVED = ("ref_id", "meta_info")
ADJUDICATION = "adjudication"  # the purpose of a task that settles what others disagree on
_BEFORE_1 = "completions"  # what annotations were called before Label Studio 1.0


def _text(value: object) -> object:
    """Text as it is, refused where it is half a surrogate pair, which no file and no database takes."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{value!r} holds half a character, which is no text") from error
    return value


# `null` means the same as an absent key.
_Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else _text(value))]
_Key = Annotated[str, BeforeValidator(_text)]
_Flag = Annotated[bool, BeforeValidator(lambda value: False if value is None else value)]
_List = BeforeValidator(lambda value: () if value is None else value)


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Result:
    """What one control of the labelling page says in one annotation."""

    from_name: _Text = ""
    to_name: _Text = ""
    type: _Text = ""
    value: Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)] = Field(
        default_factory=dict
    )

    @property
    def chosen(self) -> list[tuple[str, ...]] | None:
        """What was chosen, each as its path from the top of a tree: one name where there is no tree.

        None where this is not a result of Choices, Taxonomy or one of the controls of labels, such as Labels.
        """
        if self.type not in ("choices", "taxonomy") and not self.type.endswith("labels"):
            return None
        items = self.value.get(self.type)
        if isinstance(items, str):
            items = [items]
        if not isinstance(items, list):
            return None
        paths = [item if isinstance(item, list) else [item] for item in items if item is not None]
        return [tuple(map(str, path)) for path in paths]


@dataclass(frozen=True, slots=True, config=_CONFIG)
class Annotation:
    """One annotator's answer to one task.

    `completed_by` and `updated_by` are numbers or objects with an `id`, depending on how they were exported;
    None where the account was deleted. Only a number becomes a column of its own, so no name can hide a
    key column. `completed_by` is the author, `updated_by` who last changed it by the server's record, which
    an imported annotation does not have. `import_id` is the number that an imported one had before.
    """

    id: int | None = None
    completed_by: int | None = None
    updated_by: int | None = None
    import_id: int | str | None = None
    result: Annotated[tuple[Result, ...], _List] = ()
    was_cancelled: _Flag = False
    ground_truth: _Flag = False
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @field_validator("completed_by", "updated_by", mode="before")
    @classmethod
    def _only_id(cls, value: object) -> object:
        return value.get("id") if isinstance(value, dict) else value

    @property
    def claimed(self) -> bool:
        """Whether its author is only what somebody with access to the server said."""
        return self.import_id is not None or self.updated_by is None


@dataclass(frozen=True, slots=True, config=_CONFIG)
class MetaInfo:
    """Where a point comes from, which question is asked about it, and how it was drawn.

    `sampling` is the name of the draw, empty where it is not on record; `inclusion_prob` is in (0, 1],
    None where it cannot be told. `purpose` is `ADJUDICATION` where a third person settles what others
    disagree on. `seen` is column → hash of what annotators saw in it; `absent` are the columns in which a
    note said that there is nothing.
    """

    table_name: _Key
    task: _Key
    sampling: _Text = ""
    inclusion_prob: float | None = None
    purpose: _Text = ""
    seen: dict[str, str] = Field(default_factory=dict)
    absent: Annotated[tuple[str, ...], _List] = ()


@dataclass(frozen=True, slots=True, config=_CONFIG)
class TaskData:
    """What `sample_tasks` sent: the key of the point; of its columns, only hashes are kept."""

    ref_id: _Key
    meta_info: MetaInfo

    @model_validator(mode="before")
    @classmethod
    def _hashed(cls, data: object) -> object:
        return without_columns(data) if isinstance(data, dict) else data


@dataclass(frozen=True, slots=True, config=_CONFIG)
class ExportedTask:
    """One task of the export: a data point with everybody's annotations."""

    data: TaskData
    annotations: Annotated[tuple[Annotation, ...], _List] = Field(
        validation_alias=AliasChoices("annotations", _BEFORE_1)
    )
    id: int | str | None = None
    drafts: Annotated[tuple[Any, ...], _List] = ()


def without_columns(data: dict[str, Any]) -> dict[str, Any]:
    """A task's data with `meta_info.seen` in place of its columns; what is on record there wins.

    Args:
        data: `ref_id`, `meta_info` and the columns that annotators see.
    """
    kept = {name: data[name] for name in RESERVED if name in data}
    meta = kept.get("meta_info")
    if isinstance(meta, dict):
        absent = meta.get("absent") or ()  # where the table holds nothing, a note was shown
        seen = seen_of(
            {name: "" if name in absent else value for name, value in data.items() if name not in RESERVED}
        )
        recorded = meta.get("seen")
        kept["meta_info"] = meta | {"seen": seen | (recorded if isinstance(recorded, dict) else {})}
    return kept


def load_export(path: Path) -> list[ExportedTask]:
    """The tasks of an export file.

    Raises:
        AnnotationError: no such file, not a JSON export, or nothing in it.
    """
    if path.exists() and not path.is_file() and not path.is_dir():  # it may never end
        raise AnnotationError(f"{path} is a device or a pipe; expected a JSON export of Label Studio, a file")
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
    except RecursionError as error:
        raise AnnotationError(
            f"{path} is nested too deeply; expected a JSON export of Label Studio: export it again"
        ) from error
    except ValueError as error:  # Python reads no integer of more than 4,300 digits
        raise AnnotationError(
            f"{path} holds a number of thousands of digits; expected a JSON export of Label Studio: "
            "export it again"
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
    if all("annotation_id" in task and not _annotated(task) for task in content):
        raise AnnotationError(
            f"{source} is a JSON_MIN export, which loses cancelled annotations; export it as JSON"
        )
    if not any(_annotated(task) for task in content):
        raise AnnotationError(
            f"{source} holds {len(content)} tasks and no annotations, like a file to import; "
            "annotate them in Label Studio, then export the project as JSON"
        )
    try:
        return _adapter().validate_python(content)
    except ValidationError as error:
        raise AnnotationError(f"{source} {_problems(error)}") from error


def _annotated(task: dict[str, Any]) -> bool:
    return "annotations" in task or _BEFORE_1 in task


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

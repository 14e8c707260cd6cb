"""Editing a task's file: a few values change, every other byte stays; what changed elsewhere is noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Lock

from adaptml.errors import TaskError, listed
from adaptml.tasks.edit import put, read_file, without_positive, write_file
from adaptml.tasks.loader import load_task, parse_task
from adaptml.tasks.plain_yaml import read_yaml
from adaptml.tasks.schema import Task

_WRITING = Lock()  # two people who save in the same moment do so one after the other
_DIGITS = 16


class TaskChangedError(TaskError):
    """A task file that changed since it was read; nothing is written.

    Attributes:
        text: what it says now.
    """

    def __init__(self, message: str, text: str) -> None:
        super().__init__(message)
        self.text = text


@dataclass(frozen=True)
class Guide:
    """What annotators read about one class.

    Attributes:
        description: when to choose it.
        examples: texts for which it is right.
    """

    description: str = ""
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class TaskEdits:
    """New values of a task file; None leaves what is there.

    Attributes:
        title: what annotators are asked, 3 to 50 characters.
        description: the same at length.
        language: ISO code of the texts' language.
        positive: of two classes, the positive one; empty for none.
        feedback: whether annotators are also asked which words decided.
        guides: class → what annotators read about it.
        encoders: column that `featurize` reads → encoder of its vector.
    """

    title: str | None = None
    description: str | None = None
    language: str | None = None
    positive: str | None = None
    feedback: bool | None = None
    guides: Mapping[str, Guide] = field(default_factory=dict)
    encoders: Mapping[str, str] = field(default_factory=dict)


def digest_of(text: str) -> str:
    """What tells one text of a task file from another: 16 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()[:_DIGITS]


def edited(text: str, edits: TaskEdits) -> str:
    """The text of a task file with other values.

    Args:
        text: YAML that is a task file.
        edits: what is to be other; a class or a column that is not there is left out.

    Raises:
        TaskError: a place where the text is written such that only a person can change it.

    >>> print(edited("title: spam  # for now\\nclasses: [a, b]", TaskEdits(title="Is it spam?")))
    title: Is it spam?  # for now
    classes: [a, b]
    """
    for name in ("title", "description", "language"):
        value = getattr(edits, name)
        if value is not None and value != read_yaml(text).get(name, _USUAL[name]):
            text = put(text, [name], value)
    if edits.positive is not None:
        text = put(text, ["positive"], edits.positive) if edits.positive else without_positive(text)
    if edits.feedback is not None and edits.feedback != read_yaml(text).get("feedback", False):
        text = put(text, ["feedback"], edits.feedback)
    return _with_encoders(_with_guides(text, edits.guides), edits.encoders)


_USUAL = {"title": "", "description": "", "language": "en"}  # what a file need not say


def _with_guides(text: str, guides: Mapping[str, Guide]) -> str:
    for place, item in enumerate(read_yaml(text)["classes"]):
        said = item if isinstance(item, dict) else {"name": item}
        guide = guides.get(said["name"])
        if guide is None:
            continue
        new = dict(said)
        if guide.description != said.get("description", ""):
            new["description"] = guide.description
        if [*guide.examples] != [*(said.get("examples") or [])]:
            new["examples"] = [*guide.examples]
        if new != said:
            text = put(text, ["classes", place], new)
    return text


def _with_encoders(text: str, encoders: Mapping[str, str]) -> str:
    said = read_yaml(text).get("featurize") or []
    parts = [([], said)] if isinstance(said, dict) else [([place], part) for place, part in enumerate(said)]
    for path, part in parts:
        encoder = encoders.get(part["text"])
        if encoder is not None and part.get("vector") and encoder != part.get("encoder", "hybrid"):
            text = put(text, ["featurize", *path, "encoder"], encoder)
    return text


def edit_task(tasks_dir: Path, name: str, edits: TaskEdits, seen: str | None = None) -> Task:
    """Write other values into a task's file; comments and everything else stay.

    Args:
        tasks_dir: folder of the task folders.
        name: the task.
        edits: what is to be other.
        seen: `digest_of` the text that the editor read; None writes whatever the file says by now.

    Returns:
        The task as it is then.

    Raises:
        TaskError: no such task, or values that a task cannot have; nothing is written.
        TaskChangedError: the file says something else than what was read.
        FileError: it cannot be written.
    """
    with _WRITING:
        load_task(name, tasks_dir)
        text = _unchanged(tasks_dir, name, seen)
        return _write(tasks_dir, name, edited(text, edits))


def write_task(tasks_dir: Path, name: str, text: str, seen: str | None = None) -> Task:
    """Put another text into a task file's place; its classes must be those that they are.

    Args:
        tasks_dir: folder of the task folders.
        name: the task.
        text: what the file is to say.
        seen: as `edit_task` has it.

    Returns:
        The task as it is then.

    Raises:
        TaskError: no such task, a text with problems, or other classes; nothing is written.
        TaskChangedError: the file says something else than what was read.
        FileError: it cannot be written.
    """
    with _WRITING:
        now = load_task(name, tasks_dir)
        _unchanged(tasks_dir, name, seen)
        made = parse_task(text, tasks_dir / name, "the text")
        if (made.class_names, made.class_changes) != (now.class_names, now.class_changes):
            raise TaskError(
                f"the text has the classes {listed(made.class_names, 20)}, and task {name!r} has "
                f"{listed(now.class_names, 20)}; gold and results have to follow: change classes with "
                f"`adaptml task classes {name}` or with the form for it"
            )
        return _write(tasks_dir, name, text)


def read_task(tasks_dir: Path, name: str) -> tuple[Task, str]:
    """A task and the text of its file.

    Raises:
        TaskError: no such task, or a file with problems.
    """
    task = load_task(name, tasks_dir)
    return task, read_file(tasks_dir / name / "task.yaml")


def _unchanged(tasks_dir: Path, name: str, seen: str | None) -> str:
    text = read_file(tasks_dir / name / "task.yaml")
    if seen is not None and digest_of(text) != seen:
        raise TaskChangedError(
            f"the file of task {name!r} was changed elsewhere since it was read; nothing is written: look at "
            "what it says now, then save again",
            text,
        )
    return text


def _write(tasks_dir: Path, name: str, text: str) -> Task:
    made = parse_task(text, tasks_dir / name, "what was typed")
    write_file(tasks_dir / name / "task.yaml", text)
    return made

"""A new task as a form has it: what is wrong with which field, and the folder that is made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from adaptml.errors import FeatureError
from adaptml.features.encoders import check_encoder, encoder_takes
from adaptml.tasks.editing import Guide, TaskEdits
from adaptml.tasks.scaffold import new_task
from adaptml.tasks.schema import Column, Task, TaskFile, name_problem
from adaptml.validation import validation_problems

DEFAULT_ENCODER = "hybrid"


@dataclass(frozen=True)
class DraftClass:
    """A class as a form has it.

    Attributes:
        name: its name.
        description: when annotators should choose it.
        examples: texts for which it is right.
    """

    name: str
    description: str = ""
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class TaskDraft:
    """A new task as a form has it; values may still be wrong.

    Attributes:
        name: of its folder, tables and endpoint.
        title: what annotators are asked, 3 to 50 characters.
        description: the same at length.
        setting: `multiclass` or `multilabel`.
        classes: at least two.
        columns: what annotators see, at least one.
        language: ISO code of the texts' language.
        encoder: what makes a vector of each column of text.
    """

    name: str
    title: str = ""
    description: str = ""
    setting: str = "multiclass"
    classes: Sequence[DraftClass] = ()
    columns: Sequence[Column] = ()
    language: str = "en"
    encoder: str = DEFAULT_ENCODER

    def problems(self, tasks_dir: Path) -> dict[str, str]:
        """Field → what is wrong with it, in one sentence; empty where the task can be made.

        Fields are called as the attributes are, a class `classes.0`.

        Args:
            tasks_dir: folder of the task folders.

        >>> draft = TaskDraft("Spam", "Is it spam?", columns=[Column(name="txt")])
        >>> sorted(draft.problems(Path("tasks")))
        ['classes', 'name']
        """
        found = self._content_problems()
        name = name_problem(self.name)
        if name is None and (tasks_dir / self.name).exists():
            name = f"there is a task {self.name!r} already; choose another name"
        encoder = self._encoder_problem()
        return found | {key: text for key, text in (("name", name), ("encoder", encoder)) if text}

    def make(self, tasks_dir: Path) -> Task:
        """Make the task's folder, whole or not at all.

        Args:
            tasks_dir: folder of the task folders.

        Raises:
            TaskError: values that a task cannot have, or a name that is taken.
            FileError: nothing can be written in the folder of tasks.
        """
        edits = TaskEdits(
            title=self.title,
            description=self.description or None,
            language=self.language,
            guides={c.name: Guide(c.description, c.examples) for c in self.classes if _says(c)},
            encoders={column.name: self.encoder for column in self.columns if column.type == "text"},
        )
        names = [c.name for c in self.classes]
        return new_task(tasks_dir, self.name, names, self.setting, self.columns, edits)

    def _content_problems(self) -> dict[str, str]:
        said = {
            "title": self.title,
            "description": self.description,
            "setting": self.setting,
            "classes": [{"name": c.name, "description": c.description} for c in self.classes],
            "columns": [column.model_dump() for column in self.columns],
            "language": self.language,
            "lf_features": ["x"],
            "features": ["x"],
            "folder": Path(),
        }
        try:
            TaskFile.model_validate(said)
        except ValidationError as error:
            texts = validation_problems(error)
            places = [text.partition(": ")[0] for text in texts]
            return {_field(place): text.partition(": ")[2] for place, text in zip(places, texts, strict=True)}
        return {}

    def _encoder_problem(self) -> str | None:
        if not any(column.type == "text" for column in self.columns):
            return None
        try:
            check_encoder(self.encoder)
            takes = encoder_takes(self.encoder)
        except FeatureError as error:
            return str(error)
        return None if takes == "text" else f"{self.encoder} reads {takes}, and the columns hold texts"


def _says(one: DraftClass) -> bool:
    return bool(one.description or one.examples)


def _field(place: str) -> str:
    """The field of a place such as `classes[0].name`."""
    head, _, rest = place.partition("[")
    return f"classes.{rest.partition(']')[0]}" if head == "classes" and rest else head

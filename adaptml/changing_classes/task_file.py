"""The text of a task file, and the task that it describes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adaptml.errors import TaskError
from adaptml.project import Project
from adaptml.tasks import ClassChange, Task, load_task, parse_task
from adaptml.tasks.class_edits import PlannedClass
from adaptml.tasks.edit import read_file, write_file
from adaptml.tasks.task_text import with_classes


@dataclass(frozen=True)
class TaskText:
    """A task file.

    Attributes:
        path: where it is.
        text: what it says, with its own line ends.
        task: what that means.
    """

    path: Path
    text: str
    task: Task

    @classmethod
    def read(cls, project: Project, name: str) -> "TaskText":
        """The file of a task.

        Raises:
            TaskError: no such task, or a file with problems.
        """
        task = load_task(name, project.settings.tasks_dir)
        path = project.settings.tasks_dir / name / "task.yaml"
        return cls(path, read_file(path), task)

    def with_text(self, text: str) -> "TaskText":
        """The same file with another text.

        Raises:
            TaskError: a text with problems.
        """
        return TaskText(self.path, text, parse_task(text, self.path.parent, str(self.path)))

    def changed(
        self,
        classes: Sequence[PlannedClass],
        positive: str | None,
        changes: Sequence[ClassChange],
        said: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> "TaskText":
        """The file with other classes, see `with_classes`; it is not written.

        Raises:
            TaskError: a file that is written such that this cannot be done.
        """
        made = self.with_text(with_classes(self.text, classes, positive, changes, said))
        same = {"classes", "class_changes", "positive"}
        fits = (
            made.task.class_names == [one.name for one in classes]
            and made.task.class_changes == (*changes,)
            and made.task.positive == positive
            and made.task.model_dump(exclude=same) == self.task.model_dump(exclude=same)
        )
        if not fits:
            raise TaskError(
                f"{self.path} is written in a way that its classes cannot be changed without changing more; "
                "write them one a line, each behind a dash, and run this again"
            )
        return made

    def write(self) -> None:
        """Put the text in the file's place.

        Raises:
            FileError: it cannot be written; the file is as it was.
        """
        write_file(self.path, self.text)

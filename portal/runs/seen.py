"""What people see of data points, in rows that a room gave with their texts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adaptml.project import Project
from portal.data.cells import media_address


@dataclass(frozen=True)
class Seen:
    """How a task's columns are shown.

    Attributes:
        kinds: column → `text`, `image`, `audio`, `video` or `number`, as the task says.
        media: folder of its pictures, sounds and films.
    """

    kinds: dict[str, str] = field(default_factory=dict)
    media: Path = Path()

    def kind(self, column: str) -> str:
        """What a column holds."""
        return self.kinds.get(column, "text")

    def address(self, column: str, cell: Any) -> str:
        """Where a cell's picture, sound or film is served; empty for none."""
        return "" if self.kind(column) == "text" else media_address(cell, self.media)


def seen_of(project: Project, task: str) -> Seen:
    """How a task's columns are shown."""
    kinds = {column.name: column.type for column in project.task(task).columns}
    return Seen({**kinds}, project.settings.media)

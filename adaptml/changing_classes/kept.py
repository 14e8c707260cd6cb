"""What was before a change of classes, kept as files, so that it can be taken back.

In `annotations/<task>/class_changes/`:

    <number>/                              of the change in the task file, from 1
        before.yaml, after.yaml            the task file, byte for byte
        gold.parquet, annotations.parquet  these tables as they were
        slugs.json                         whose columns were whose in labels and predictions
        done                               everything has followed the task file
    taken_out_….parquet                    gold that could not stay when a change was taken back
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from adaptml.errors import FileError, TaskError
from adaptml.files import new_folder, write_text
from adaptml.project import Project

BEFORE, AFTER = "before.yaml", "after.yaml"
_GOLD, _ANNOTATIONS, _SLUGS, _DONE = "gold.parquet", "annotations.parquet", "slugs.json", "done"


@dataclass(frozen=True)
class Kept:
    """The files of one change.

    Attributes:
        folder: where they are.
    """

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether anything was kept."""
        return self.folder.is_dir()

    @property
    def done(self) -> bool:
        """Whether everything has followed the task file."""
        return (self.folder / _DONE).is_file()

    def set_done(self) -> None:
        """Note that everything has."""
        write_text("", self.folder / _DONE)

    def keep(
        self,
        texts: tuple[str, str] | None,
        gold: pd.DataFrame,
        annotations: pd.DataFrame,
        slugs: Mapping[str, tuple[str, int | None]],
    ) -> None:
        """Write all of them, at once or not at all.

        Args:
            texts: the task file before and after; None where it was changed elsewhere.
            gold, annotations: rows of these tables.
            slugs: name → slug and place.

        Raises:
            FileError: they cannot be written.
        """
        try:
            scratch = new_folder(self.folder.parent, ".unfinished-")
            try:
                for name, text in zip((BEFORE, AFTER), texts or (), strict=False):
                    (scratch / name).write_bytes(text.encode())
                gold.to_parquet(scratch / _GOLD, index=False)
                annotations.to_parquet(scratch / _ANNOTATIONS, index=False)
                (scratch / _SLUGS).write_text(json.dumps(slugs, ensure_ascii=False), encoding="utf-8")
                self.remove()
                scratch.rename(self.folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        except OSError as error:
            raise FileError(
                f"what is before the change cannot be kept in {self.folder}: {error.strerror or error}; free "
                "space, or see who may write there; nothing was changed"
            ) from error

    def remove(self) -> None:
        """Delete the files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def text(self, name: str) -> str | None:
        """The task file as it was; None where it was changed elsewhere."""
        path = self.folder / name
        return path.read_bytes().decode("utf-8") if path.is_file() else None

    def gold(self) -> pd.DataFrame:
        """Rows of gold as they were."""
        return self._frame(_GOLD)

    def annotations(self) -> pd.DataFrame:
        """Rows of annotations as they were."""
        return self._frame(_ANNOTATIONS)

    def slugs(self) -> dict[str, tuple[str, int | None]]:
        """Name → slug and place, as they were."""
        found: dict[str, tuple[str, int | None]] = json.loads(
            (self.folder / _SLUGS).read_text(encoding="utf-8")
        )
        return found

    def _frame(self, name: str) -> pd.DataFrame:
        try:
            frame = pd.read_parquet(self.folder / name).astype(object)
        except (OSError, ValueError) as error:
            raise TaskError(
                f"{self.folder / name}, which says what was before, cannot be read ({error}); "
                "without it the change cannot be taken back"
            ) from error
        frame = frame.where(frame.notna(), None)
        return frame.assign(label=pd.Series([[*label] for label in frame["label"]], dtype=object))


def kept(project: Project, task: str, number: int) -> Kept:
    """The files of a task's change of this number, from 1."""
    return Kept(folder_of(project, task) / str(number))


def folder_of(project: Project, task: str) -> Path:
    """Where what is kept of a task's changes lies: beside its gold, which the stack's containers share."""
    return project.settings.annotations(task) / "class_changes"

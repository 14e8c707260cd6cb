"""`adaptml task classes` on the host: gold and tables change in a container, the task file here."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adaptml.project import Project
from adaptml.stack.host import Step
from adaptml.tasks.edit import write_file

SERVICE = "label-studio-dev"  # it writes gold


class StackTask:
    """A task whose gold and tables are in the stack."""

    def __init__(self, step: Step, project: Project, task: str) -> None:
        """Name the task; nothing is asked yet.

        Args:
            step: runs `adaptml …` in a container, as `adaptml.stack.host.step` does.
            project: of the host's folder, which has the task's file.
            task: name of the task.
        """
        self._do, self._project, self._task = step, project, task

    def show(self, edits: Mapping[str, Any], undo: bool) -> None:
        """Show what would happen.

        Raises:
            StackError: the stack does not run, or the change cannot be made.
        """
        self._step(*words_of(edits, undo), "--preview")

    def change(self, edits: Mapping[str, Any], undo: bool) -> None:
        """Do it: what was before is kept in the container, the file is written here, then the tables follow.

        Raises:
            StackError: the stack does not run, or the change cannot be made.
            FileError: the task file cannot be written.
        """
        text = json.loads(self._step(*words_of(edits, undo), "--for-host", show=False))
        write_file(self._project.settings.tasks_dir / self._task / "task.yaml", text)
        self.finish()

    def finish(self) -> None:
        """Do what is left to do in the container.

        Raises:
            StackError: the stack does not run, or it cannot be done.
        """
        self._step(show=False)

    def _step(self, *words: str, show: bool = True) -> str:
        return self._do(SERVICE, "task", "classes", self._task, *words, show=show)


def words_of(edits: Mapping[str, Any], undo: bool) -> list[str]:
    """Changes as they are typed; names with commas are put in quotes."""
    words = [f"--rename={_quoted([old])}={_quoted([new])}" for old, new in edits.get("rename", {}).items()]
    words += [f"--merge={_quoted(old)}={_quoted([new])}" for new, old in edits.get("merge", {}).items()]
    words += [f"--split={_quoted([old])}={_quoted(new)}" for old, new in edits.get("split", {}).items()]
    words += [f"--{kind}={_quoted(edits[kind])}" for kind in ("add", "drop") if kind in edits]
    return words + ["--undo"] * undo


def _quoted(names: Sequence[str]) -> str:
    return ",".join(f'"{name}"' if "," in name else name for name in names)

"""What to type after an import."""

import shlex

from adaptml.errors import TaskError
from adaptml.importing.folder import Folder
from adaptml.importing.import_table import ImportedTable
from adaptml.project import Project


def next_step(project: Project, done: ImportedTable) -> str:
    """The command that goes on: the check of a task that reads such a table, or a new task.

    Args:
        project: whose tasks are looked at.
        done: what was imported.
    """
    names = set(project.database.columns(done.table))  # an earlier import may have made some
    for name in project.task_names():
        try:
            shown = {column.name for column in project.task(name).columns}
        except TaskError:
            continue
        if shown and shown <= names:
            return shlex.join(["adaptml", "task", "check", name, "--data", done.table])
    if set(Folder.columns) <= {"id", *names}:
        return shlex.join(["adaptml", "task", "new", "TASK", "--classes", "A,B", "--image", "path"])
    text = ["--text", done.text] if done.text else []
    return shlex.join(["adaptml", "task", "new", "TASK", "--classes", "A,B", *text])

"""Forgetting data points: for a person who asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adaptml.errors import FrameError, LabelStudioError, TaskError
from adaptml.forgetting import forget_in_databases, forget_in_files, forget_uploads
from adaptml.importing.record import read_records
from adaptml.masking import masked
from adaptml.project import Project
from labelstudio.annotate import delete_tasks


@dataclass(frozen=True)
class Forgotten:
    """The result of `forget`.

    Attributes:
        removed: table or kind of file → how many rows or files; where there was nothing it is not named.
        left: what only a person can do, one sentence each.

    Example:
        >>> frame = pd.DataFrame({"id": ["a", "b"], "txt": ["one", "two"]})
        >>> _ = project.import_table(frame, "letters")
        >>> project.forget("letters", ["a"]).removed
        {'letters': 1}
    """

    removed: Mapping[str, int]
    left: Sequence[str]

    def __str__(self) -> str:
        places = ", ".join(f"{name} {n}" for name, n in self.removed.items())
        return "\n".join([f"removed: {places or 'nothing, there was none'}", *self.left])


def forget(project: Project, table: str, ids: Sequence[str]) -> Forgotten:
    """Remove data points from all that steps keep: for a person who asks to be forgotten.

    They go from the data table where `import` made it, features, votes, gold, annotations, labels and
    predictions in the databases, frames, task files and pages in the home folder (the artifacts of runs among
    them), and from the tasks of Label Studio. Models that were trained on them stay as they are. Interrupted,
    it does the rest when it is run again.

    Args:
        project: holds all this.
        table: the data table.
        ids: of the points.

    Raises:
        FrameError: no ids.
        UnknownTableError: no such table, and nothing is kept of one.
        DatabaseError: a database refuses.
        FileError: a file that cannot be changed.

    Example:
        >>> frame = pd.DataFrame({"id": ["a", "b"], "txt": ["one", "two"]})
        >>> _ = project.import_table(frame, "letters")
        >>> print(project.forget("letters", ["a", "nobody"]))
        removed: letters 1
        models that were trained on these points know them still: train again and deploy
        take the rows out of the frame too, or the next import brings them back
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise FrameError("no ids to forget were given; name at least one")
    left = []
    removed: dict[str, int] = {}
    for name in project.task_names():  # first: what is there can bring the others back
        if any(project.settings.annotations(name).glob("label_studio*.sqlite3")):
            try:
                deleted = delete_tasks(project, project.task(name), table, wanted)
                removed |= {f"Label Studio tasks of {name}": deleted} if deleted else {}
            except (LabelStudioError, TaskError) as error:
                left.append(f"tasks of {name} in Label Studio are left: {error}")
    record = read_records(project.database).get(table)
    removed |= forget_in_databases(project, table, wanted) | forget_in_files(project, table, wanted)
    removed |= {} if record is None else forget_uploads(project)
    if not removed:
        project.database.columns(table)  # a table that is gone can have left something; a wrong name has not
    left.append("models that were trained on these points know them still: train again and deploy")
    if record is None:
        left.append(f"table {table} was not made by `adaptml import`: delete the rows there yourself")
    else:
        left.append(f"take the rows out of {record.files} too, or the next import brings them back")
    if project.settings.artifact_root is None:
        there = masked(project.settings.tracking_uri)
        left.append(f"artifacts of runs at {there} are left: delete the runs there")
    return Forgotten(removed, left)

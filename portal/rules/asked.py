"""What an address of the page asks for: the whole state of the view."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, Field

from adaptml.errors import DatabaseError, one_line
from adaptml.project import Project
from adaptml.tasks import Task
from portal.showing import project_of

SORTS = ("rule", "label", "votes", "overlaps", "conflicts", "accuracy", "change", "run")


class Asked(BaseModel):
    """The state of the view, all of which stands in its address.

    Attributes:
        task: name of the task.
        table: the data table; empty, in an address, for the first that has what the rules read.
        sort, down: how the table of rules is sorted; empty as in the file.
        find: a part of the names of rules that are shown.
        votes_for: only rules that vote for this class, or for a set with it.
        bucket, rule, other, label: which rows are shown, see `dataprogramming.buckets`.
        near: table and id of a row, joined by `/`, to show the rows that are near to it instead.
        offset: of the first row.
    """

    task: str = ""
    table: str = ""
    sort: str = Field(default="", pattern="^$|^(" + "|".join(SORTS) + ")$")
    down: bool = True
    find: str = ""
    votes_for: str = ""
    bucket: str = ""
    rule: str = ""
    other: str = ""
    label: str = ""
    near: str = ""
    offset: int = Field(default=0, ge=0)

    def url(self, part: str = "", /, **changes: Any) -> str:
        """The address of this view, or of a part of it, with some things changed.

        A change of the rows forgets what it was about before.
        """
        if changes.keys() & {"bucket", "near"}:
            changes = (
                dict.fromkeys(("bucket", "rule", "other", "label", "near"), "") | {"offset": 0} | changes
            )
        values = self.model_dump(exclude={"task"}) | changes
        defaults = type(self)().model_dump()
        query = urlencode({name: _said(value) for name, value in values.items() if value != defaults[name]})
        path = f"/tasks/{quote(self.task, safe='')}/rules{'/' + part if part else ''}"
        return f"{path}?{query}" if query else path

    @property
    def rows(self) -> dict[str, Any]:
        """Which rows, as `look` takes it."""
        which = self.bucket or "uncovered"
        return {
            "which": which,
            "rule": self.rule or None,
            "other": self.other or None,
            "label": self.label or None,
            "offset": self.offset,
        }


def _said(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def tables_for(project: Project, task: Task) -> tuple[list[str], str | None]:
    """The tables that have what a task's rules read; and why they cannot be listed, where they cannot."""
    needed = {"id", *task.lf_features}
    try:
        columns = {name: set(project.points.columns(name)) for name in project.database.tables()}
    except DatabaseError as error:
        return [], one_line(error)
    return [name for name, has in columns.items() if needed <= has and "table_name" not in has], None


def _asked(request: Request, task: Annotated[str, Path()], query: Annotated[Asked, Query()]) -> Asked:
    table = query.table
    if not table:
        project = project_of(request)
        table = next(iter(tables_for(project, project.task(task))[0]), "")
    return query.model_copy(update={"task": task, "table": table})


AskedFor = Annotated[Asked, Depends(_asked)]

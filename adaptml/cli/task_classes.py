"""`adaptml task classes`: a task's classes, how they came to be, and changing them."""

import csv
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptml.cli import options
from adaptml.cli.host import steps_elsewhere
from adaptml.cli.support import output, project_here
from adaptml.errors import TaskError, listed
from adaptml.project import Project
from adaptml.stack.host import is_in_container, refuse_in_container

if TYPE_CHECKING:
    from adaptml.tasks import Task


def command(
    task: options.TaskName,
    *,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="A=B", help="Call class A B from now on.", show_default=False)
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B=C", help="Make one class C of A and B; C may be one.", show_default=False),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A=B,C", help="Make B and C of A; its points are asked again.", show_default=False
        ),
    ] = None,
    add: Annotated[
        list[str] | None, typer.Option(metavar="D", help="Add class D.", show_default=False)
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="E", help="Let there be no class E any more.", show_default=False),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last change back.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: options.OnStack = None,
    for_host: Annotated[bool, typer.Option("--for-host", hidden=True)] = False,
) -> None:
    """Show a task's classes, or change them: the task file, gold and the tables of results follow.

    All changes are said in the names of now and made at once; each option can be given several times. First
    it shows what will happen, and asks. A name that holds a comma is put in quotes.

    Example: `adaptml task classes example --rename cat=feline --merge bird,horse=other --yes`
    """
    with project_here() as project:
        of_task = project.task(task)
        wanted = edits_of(of_task, rename or [], merge or [], split or [], add or [], drop or [])
        found = steps_elsewhere(project, stack) if not is_in_container() else None
        if found is not None:
            from adaptml.stack.change_classes import StackTask

            target: Any = StackTask(found, project, task)
        else:
            target = _Here(project, task)
        if for_host:
            print(json.dumps(project_text(project, task, wanted, undo=undo)))  # noqa: T201 - for a program
            return
        if not wanted and not undo:
            target.finish()
            for line in history(project.task(task)):
                output().print(line, markup=False, highlight=False)
            return
        target.show(wanted, undo)
        if preview:
            return
        refuse_in_container(f"adaptml task classes {task}")
        if not yes and not sys.stdin.isatty():
            raise TaskError(f"the classes of task {task!r} are as they were; to change them so, add --yes")
        if not yes:
            typer.confirm("Do that?", abort=True, err=True)
        target.change(wanted, undo)
        names = ", ".join(project.task(task).class_names)
    output().print(f"done: the classes of task {task} are {names}", markup=False, highlight=False)
    output().print(f"Next: `adaptml task check {task}`, then label and train again", markup=False)


def project_text(project: Project, task: str, edits: dict[str, Any], *, undo: bool) -> str:
    """The new text of a task file that lies on the host; everything but the file is done here."""
    from adaptml.changing_classes.step import text_for_host

    return text_for_host(project, task, edits, undo=undo)


class _Here:
    """A task whose file, gold and tables are all here."""

    def __init__(self, project: Project, task: str) -> None:
        self.project, self.task = project, task

    def show(self, edits: dict[str, Any], undo: bool) -> None:
        """Print what would happen."""
        for line in self.project.change_classes(self.task, **edits, undo=undo, preview=True).lines():
            output().print(line, markup=False, highlight=False)

    def change(self, edits: dict[str, Any], undo: bool) -> None:
        """Do it."""
        self.project.change_classes(self.task, **edits, undo=undo)

    def finish(self) -> None:
        """Do what an interruption left."""
        self.project.change_classes(self.task)


def edits_of(
    task: "Task",
    rename: Sequence[str],
    merge: Sequence[str],
    split: Sequence[str],
    add: Sequence[str],
    drop: Sequence[str],
) -> dict[str, Any]:
    """The arguments of `change_classes`; none where nothing was given.

    Args:
        task: whose classes tell which `=` stands between two names, where names hold some.
        rename: `A=B`.
        merge: `A,B=C`.
        split: `A=B,C`.
        add, drop: a name each, or several with commas between.

    Raises:
        TaskError: something of another form.
    """
    found: dict[str, Any] = {"rename": {}, "merge": {}, "split": {}}
    for text in rename:
        old, new = _sides(text, task, "--rename A=B")
        found["rename"][_one(old, text)] = _one(new, text)
    for text in merge:
        old, new = _sides(text, task, "--merge A,B=C")
        found["merge"].setdefault(_one(new, text), []).extend(old)
    for text in split:
        old, new = _sides(text, task, "--split A=B,C")
        found["split"][_one(old, text)] = new
    found |= {
        "add": [n for text in add for n in _some(text)],
        "drop": [n for text in drop for n in _some(text)],
    }
    return {name: value for name, value in found.items() if value}


def _sides(text: str, task: "Task", form: str) -> tuple[list[str], list[str]]:
    """The names before and behind the `=`: the first one that has classes before it."""
    sides: list[tuple[list[str], list[str]]] = []
    unread: TaskError | None = None
    for place in (place for place, sign in enumerate(text) if sign == "="):
        try:
            sides.append((_names(text[:place]), _names(text[place + 1 :])))
        except TaskError as error:  # such as the sign behind a name in quotes, which another one divides
            unread = unread or error
    if unread is not None and not sides:
        raise unread
    for old, new in sides:
        if new and old and all(name in task.class_names for name in old):
            return old, new
    if not sides or not all(sides[0]):
        raise TaskError(f"cannot make sense of {text!r}; expected {form}")
    return sides[0]


def _names(text: str) -> list[str]:
    """Names with commas between; one that holds a comma is in quotes."""
    try:
        (row,) = [*csv.reader([text], skipinitialspace=True, strict=True)] or [[]]
    except csv.Error as error:
        raise TaskError(
            f"{text!r}: {error}; a name that begins with a quote needs quotes around it"
        ) from error
    return [name.strip() for name in row if name.strip()]


def _some(text: str) -> list[str]:
    found = _names(text)
    if not found:
        raise TaskError(f"{text!r} names no class; expected a name, or several with commas between")
    return found


def _one(names: Collection[str], text: str) -> str:
    if len(names) != 1:
        raise TaskError(f"{text!r} has {listed([*names])} where one name is expected; give each change alone")
    return next(iter(names))


def history(task: "Task") -> Iterator[str]:
    """The classes of a task and how they came to be, a line each."""
    yield f"classes of task {task.name}: {', '.join(task.class_names)}"
    for change in reversed(task.class_changes):
        became = [f"{name} → {', '.join(new) or 'dropped'}" for name, new in change.becomes.items()]
        yield f"  until {change.date}: {', '.join(change.before)}" + (
            f"; {'; '.join(became)}" if became else ""
        )

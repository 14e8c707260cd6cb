"""`adaptml task new|check|list`."""

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.table import Table

from adaptml.cli.support import guarded, new_app, output
from adaptml.project import Project
from adaptml.tasks.scaffold import new_task

app = new_app(help="Make, check and list tasks.")


@app.command("new")
@guarded
def new(
    name: Annotated[str, typer.Argument(help="Name of the task: its folder, its tables, its endpoint.")],
    classes: Annotated[
        str, typer.Option(help="Names of the classes, with commas between.")
    ] = "relevant,other",
    setting: Annotated[
        str, typer.Option(help="One class a data point (multiclass), or any number (multilabel).")
    ] = "multiclass",
    text: Annotated[str, typer.Option(help="Column of the data table that holds the text.")] = "txt",
) -> None:
    """Make a task folder that runs at once; edit its two files from there.

    Example: `task new topic --classes politics,sports,other --text body`
    """
    names = [part.strip() for part in classes.split(",") if part.strip()]
    tasks_dir = Project().settings.tasks_dir
    new_task(tasks_dir, name, names, setting, text)
    folder = tasks_dir / name
    output().print(f"{folder / 'task.yaml'}  classes, columns, coding guide")
    output().print(f"{folder / 'lfs.py'}     labelling functions")
    output().print(f"Next: edit both, then `adaptml task check {name}`")


@app.command("check")
@guarded
def check(
    name: Annotated[str, typer.Argument(help="Name of the task.")],
    table: Annotated[
        str | None, typer.Option(help="Also check that this table has the task's columns.")
    ] = None,
) -> None:
    """Check a task's files: the task file, its labelling functions, the columns of a table."""
    project, console = Project(), output()
    task = project.task(name)
    console.print(
        f"task file            {task.setting}, {len(task.classes)} classes: {', '.join(task.class_names)}"
    )
    # The container for annotation has no Snorkel; the task file is all that it needs.
    if find_spec("snorkel") is None:
        console.print("labelling functions  not checked: Snorkel is not installed here")
    else:
        lfs = import_module("dataprogramming.lfs").load_lfs(task)
        console.print(f"labelling functions  {len(lfs)}")
    if table is not None:
        columns = [column.name for column in task.columns] + [*task.lf_features, *task.features]
        project.database.data_table(table, list(dict.fromkeys(columns)))
        console.print(f"table                {table} has every column of the task")


@app.command("list")
@guarded
def list_() -> None:
    """List the tasks."""
    table = Table("task", "setting", "classes", "title", box=None, pad_edge=False)
    project = Project()
    for name in project.task_names():
        task = project.task(name)
        table.add_row(name, task.setting, ", ".join(task.class_names), task.title)
    output().print(table if table.row_count else "no tasks yet; make one: `adaptml task new NAME`")

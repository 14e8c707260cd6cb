"""`adaptml task new|check|classes|list`."""

from typing import Annotated

import typer
from rich.table import Table

from adaptml.cli import options
from adaptml.cli.support import new_app, output, project_here
from adaptml.cli.task_classes import command as classes
from adaptml.errors import TaskError, listed
from adaptml.project import Project

STYLES = {"ok": "green", "warning": "yellow", "error": "bold red"}

app = new_app(help="Make, check and list tasks; change their classes.")


@app.command("new")
def new(
    name: Annotated[
        str, typer.Argument(metavar="TASK", help="Name of the task: its folder, its tables, its endpoint.")
    ],
    classes: Annotated[
        str, typer.Option(help="Names of the classes, with commas between.")
    ] = "relevant,other",
    setting: Annotated[
        str, typer.Option(help="One class a data point (multiclass), or any number (multilabel).")
    ] = "multiclass",
    text: Annotated[
        list[str] | None, typer.Option(help="Columns that hold texts; without any column: txt.")
    ] = None,
    image: Annotated[
        list[str] | None, typer.Option(help="Columns that hold paths or addresses of pictures.")
    ] = None,
    audio: Annotated[list[str] | None, typer.Option(help="The same of sounds.")] = None,
    video: Annotated[list[str] | None, typer.Option(help="The same of films.")] = None,
    number: Annotated[list[str] | None, typer.Option(help="Columns that hold numbers.")] = None,
) -> None:
    """Make a task folder that runs at once; edit its two files from there.

    Columns are named with commas between, or by giving the option more than once.

    Example: `adaptml task new topic --classes politics,sports,other --text title,body --image photo`
    """
    from adaptml.tasks.scaffold import TEXT, new_task
    from adaptml.tasks.schema import Column

    given = {"text": text, "image": image, "audio": audio, "video": video, "number": number}
    columns = [
        Column.model_construct(name=column.strip(), type=kind)  # what is wrong is told of the whole task file
        for kind, columns_given in given.items()
        for column in options.names_in(columns_given) or ([""] if columns_given else [])
    ]
    names = [part.strip() for part in classes.split(",") if part.strip()]
    with Project() as project:
        tasks_dir = project.settings.tasks_dir
    made = new_task(tasks_dir, name, names, setting, columns or TEXT)
    folder = tasks_dir / name
    output().print(f"{folder / 'task.yaml'}  classes, columns, coding guide")
    output().print(f"{folder / 'lfs.py'}     labelling functions")
    if made.problem.exclusive and len(names) == 2:
        output().print(
            f"No class is the positive one: if you look for one of {listed(names)}, say so in task.yaml, "
            f"as in positive: {names[-1]}"
        )
    output().print(f"Next: edit both, then `adaptml task check {name}`")


@app.command("check")
def check(task: options.TaskName, data: options.DataOrNone = None) -> None:
    """Rehearse a task: its file, its labelling functions, and with --data the table that it is for.

    Each labelling function is run on 20 rows; its keywords are looked for in up to 2,000. Nothing is written.

    Example: `adaptml task check example --data example_data`
    """
    with project_here(needs_home=False) as project:
        findings = project.check_task(task, data)
    console, width = output(), max(len(finding.what) for finding in findings)
    for finding in findings:
        console.print(f"{finding.level:<8} ", style=STYLES[finding.level], end="")
        console.print(f"{finding.what:<{width}}  {finding.text}")
    errors = [finding for finding in findings if finding.level == "error"]
    if errors:
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems, the first"
        raise TaskError(
            f"task {task!r} has {count}: {errors[0].what}: {errors[0].text}; fix that, then check again"
        )


app.command("classes")(classes)


@app.command("list")
def list_() -> None:
    """List the tasks."""
    table = Table("task", "setting", "classes", "title", box=None, pad_edge=False)
    project = project_here(needs_home=False)
    for name in project.task_names():
        task = project.task(name)
        table.add_row(name, task.setting, ", ".join(task.class_names), task.title)
    output().print(table if table.row_count else "no tasks yet; make one: `adaptml task new NAME`")

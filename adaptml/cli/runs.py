"""`adaptml runs [TASK]`: which runs there are, and what each found."""

from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from adaptml.cli.support import output, project_here

if TYPE_CHECKING:
    import pandas as pd


def command(
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Only this task's runs.", show_default=False)
    ] = None,
) -> None:
    """List the runs of label, train and compare with their metrics, the newest first.

    Example: `adaptml runs example`
    """
    with project_here() as project:
        found = project.list_runs(task)
        if task is not None and found.empty:
            project.task(task)  # a name that is no task's is an error
    if found.empty:
        of_task = "" if task is None else f" of task {task}"
        output().print(f"no runs{of_task} yet; make one: `adaptml label {task or 'TASK'} --data DATA`")
        return
    output().print(_table(found, with_task=task is None))
    if n := int(found["of_before"].sum()):
        output().print(
            f"* {n} made with other classes than the task has now; they are read in the names of now"
        )


def _table(found: "pd.DataFrame", *, with_task: bool) -> Table:
    numbers = ("points", "on gold", "on labels")
    names = ["started", *(["task"] if with_task else []), "step", "setting", "status", "model"]
    table = Table(*names, box=None, pad_edge=False)
    for name in numbers:
        table.add_column(name, justify="right")
    table.add_column("metric")
    table.add_column("run", no_wrap=True)
    for row in found.to_dict("records"):
        started = row["started"].to_pydatetime().astimezone()  # in the reader's time zone
        texts = [f"{started:%Y-%m-%d %H:%M}", *([row["task"]] if with_task else []), row["step"]]
        texts += [row["setting"], row["status"].lower(), row["model"], _number(row["points"], "{:.0f}")]
        texts += [_number(row["on_gold"], "{:.3f}"), _number(row["on_labels"], "{:.3f}")]
        table.add_row(*texts, row["metric"], row["run_id"] + " *" * row["of_before"])
    return table


def _number(value: float, form: str) -> str:
    return "" if isnan(value) else form.format(value)

"""`adaptml sample-tasks`: data points for people to annotate, as a file for Label Studio."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli import options
from adaptml.cli.support import output, project_here

if TYPE_CHECKING:
    from labelstudio.sample_tasks import SampledTasks


def command(
    task: options.TaskName,
    data: options.DataArg,
    n: options.Number,
    sampling: options.Sampling = "random",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            help="Columns to send, with commas between. Default: those that the task shows.",
            show_default=False,
        ),
    ] = None,
    run: options.Run = None,
    by: options.By = None,
    vector: options.VectorColumn = None,
    where: options.Where = None,
    seed: options.Seed = 0,
    to: options.To = None,
) -> None:
    """Sample data points for annotation in Label Studio.

    Writes a task file to import into a Label Studio project, the labelling configuration to paste into
    its settings, and the coding guide for the annotators.

    Example: `adaptml sample-tasks example --data example_data --n 30`
    """
    with project_here() as project:
        done = project.sample_tasks(
            task, data, n,
            sampling=sampling, columns=options.names_in(columns),
            run=run, by=by, vector=vector, seed=seed, where=where, to=to,
        )  # fmt: skip
    show(done, task, data, n)


def show(done: "SampledTasks", task: str, data: str, n: int) -> None:
    """Print what was sampled and written, and what comes next."""
    console = output()
    more = "" if done.points + done.empty == n else ", and there are no more"
    fewer = f" ({n} were asked for{more})" if done.points < n else ""
    console.print(f"{done.points} points of {data} for task {task}{fewer}, drawn as {done.name}")
    if done.partial:
        console.print(f"{done.partial} of them lack a part that annotators see: a note says so in its place")
    if done.empty:
        console.print(f"{done.empty} more were left out: there is nothing in any column that annotators see")
    console.print(f"tasks          {done.path}")
    console.print(f"configuration  {done.config}")
    console.print(f"coding guide   {done.guide}")
    console.print(
        "Next: in Label Studio make a project, paste the configuration under Labeling Interface > Code, "
        "import the tasks; when they are annotated, export as JSON and run process-annotations."
    )

"""`adaptml predict`."""

import sys
from typing import TYPE_CHECKING

from adaptml.cli import options
from adaptml.cli.support import output, project_here

if TYPE_CHECKING:
    from modelling.predict import Predicted


def command(
    task: options.TaskName,
    data: options.DataArg,
    where: options.Where = None,
    new: options.New = False,
    setting: options.SettingName = "",
    write: options.Write = False,
    to: options.To = None,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
) -> None:
    """Predict many data points with the task's champion.

    Where it was killed, the same command goes on after what was predicted and stored.

    Example: `adaptml predict example --data example_data --new --write`
    """
    from modelling.predict import predicted, write_predictions

    with project_here() as project:
        chosen = project.task(task, setting)
        with predicted(
            project,
            chosen,
            data,
            where=where,
            new=new,
            write=write,
            to=to,
            workers=workers,
            scheduler=scheduler,
            show_progress=True,
        ) as done:
            _tell(done)
            sys.stdout.flush()  # before the database is waited for
            if write:
                new_rows = write_predictions(project, chosen, done)
                output().print(f"database     {chosen.name}_predictions, {new_rows} new rows")


def _tell(done: "Predicted") -> None:
    console = output()
    console.print(f"{done.n_points} data points predicted by {done.model_name} version {done.version}")
    for name, count in done.counts.items():
        console.print(f"  {name:20} {count:8}")
    if done.answered_from:
        ways = ", ".join(f"{way} {count}" for way, count in done.answered_from.items() if count)
        console.print(f"answered from {ways}")
    if done.path is not None:
        console.print(f"predictions  {done.path}")

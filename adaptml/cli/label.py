"""`adaptml label TASK --data DATA`: votes become training data."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adaptml.cli import options
from adaptml.cli.keeping import on_host, say
from adaptml.cli.lfs import print_lf_table
from adaptml.cli.support import extra_options, output, project_here
from adaptml.errors import LabellingError

if TYPE_CHECKING:
    from adaptml.tasks import Task
    from dataprogramming.label import LabelResult

# What the task's get_lfs and the label models declare are options too.
COMMAND_OPTIONS = options.TAKES_MORE
OfRun = Annotated[
    str | None,
    typer.Option(
        "--run",
        metavar="RUN",
        help="With --write: label nothing, and write the labels of this run, where they were not written.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Log, register and write nothing.")]


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: options.DataOrNone = None,
    gold: options.Gold = "none",
    label_model: options.LabelModel = None,
    where: options.Where = None,
    new: options.New = False,
    setting: options.SettingName = "",
    seed: options.SeedIfAny = None,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
    fault_tolerant: options.FaultTolerant = False,
    fresh: options.Fresh = False,
    dry_run: DryRun = False,
    write: options.Write = False,
    run: OfRun = None,
    keep: options.Keep = False,
    stack: options.OnStack = None,
    say_kept: options.SayKept = False,
    no_texts: options.NoTexts = False,
    verbose: options.Verbose = "false",  # noqa: ARG001 - accepted, as in the original
) -> None:
    """Turn labelling functions' votes into training data.

    Applies the task's labelling functions, fits and compares label models, and logs training_data,
    development_data, votes, summaries, metrics, a report and the label model to MLflow. Parameters of
    Snorkel's label model are options too (`--n-epochs`, `--optimizer`, `--prec-init`, `--lr`, `--l2`,
    `--device`), as are those that the task's get_lfs declares: `--max-words 5`. What is not given is
    as the task file keeps it under `label`, else built in.

    Example: `adaptml label example --data example_data --gold task`
    """
    if run is not None:
        _write_those_of(ctx, task, setting, run, data, write)
        return
    if data is None:
        ctx.fail("missing option '--data'")
    if keep and on_host(ctx, "label", task, stack):
        return
    config, lf_parameters = split_options(extra_options(ctx.args, "get_lfs"))
    with project_here() as project:
        chosen = project.task(task, setting)
        done = project.label(
            chosen,
            data,
            gold,
            label_model=label_model,
            config=config if seed is None else {**config, "seed": seed},
            lf_parameters=lf_parameters,
            workers=workers,
            scheduler=scheduler,
            fault_tolerant=fault_tolerant,
            fresh=fresh,
            dry_run=dry_run,
            where=where,
            new=new,
            keep=keep,
            texts=not no_texts,
            show_progress=True,
        )
        show(done)
        sys.stdout.flush()  # before the database is waited for
        if write and done.run_id:
            from dataprogramming.write_labels import write_labels

            show_written(chosen, write_labels(project, chosen, done.run_id))
    if say_kept:
        say(done.run_id, done.to_keep)


def _write_those_of(
    ctx: typer.Context, task: str, setting: str, run: str, data: str | None, write: bool
) -> None:
    from dataprogramming.write_labels import write_labels

    if data is not None or not write or ctx.args:
        ctx.fail("--run writes the labels of a complete run: give it with --write, and nothing else")
    with project_here() as project:
        chosen = project.task(task, setting)
        show_written(chosen, write_labels(project, chosen, run))


def show_written(task: "Task", new_rows: int) -> None:
    """Print how many labels the database got."""
    from dataprogramming.write_labels import labels_table

    output().print(f"{'database':<15}{labels_table(task.name)}, {new_rows} new rows")


def split_options(given: dict[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Parameters of label models, and those that are for the task's get_lfs."""
    from dataprogramming.label_models.registry import config_fields

    known = config_fields()
    config: dict[str, Any] = {name: value for name, value in given.items() if name in known}
    return config, {name: value for name, value in given.items() if name not in known}


def show(done: "LabelResult") -> None:
    """Print a run's outcome: the run, the table of labelling functions, what looks wrong."""
    console = output()
    if not done.run_id:
        for warning in done.warnings:  # a run has shown its own while it logged them
            typer.echo(f"warning: {warning}", err=True)
    print_lf_table(console, done.lf_summary)
    for name, text in done.all_lines():
        console.print(f"{name:<15}{text}")


def checked_name(label_model: str | None, multilabel: str | None) -> str | None:
    """The label model of the two options of before, of which one is for each setting.

    Raises:
        LabellingError: both name one.
    """
    if label_model is not None and multilabel is not None:
        raise LabellingError(
            f"label_model is {label_model!r} and multilabel is {multilabel!r}; give one of them: "
            "--label-model is for both settings"
        )
    return multilabel if label_model is None else label_model

"""The options that several commands share: one name, one meaning and one help text each.

A command takes them as annotations: `def command(task: options.TaskName, data: options.DataArg) -> None`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

# Names of before, taken as if the new one had been typed, where a command has the new one.
ALIASES = {
    "--parallel": "--workers",
    "--train": "--data",
    "--train_data": "--data",
    "--test_data": "--test",
    "--table": "--data",
    "--combine": "--strategy",
}
# For a command that takes parameters of somebody else: those of the task's get_lfs, of an algorithm.
TAKES_MORE: dict[str, Any] = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}

_DATA = "a data table, `table where …`, or a file with table_name and id (.parquet, .csv, .xlsx, .jsonl)"

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="Name of the task: a folder in tasks/.")]
DataArg = Annotated[str, typer.Option("--data", metavar="DATA", help=f"Which data points: {_DATA}.")]
DataOrNone = Annotated[
    str | None,
    typer.Option("--data", metavar="DATA", help=f"Which data points: {_DATA}.", show_default=False),
]
TableArg = Annotated[str, typer.Option("--data", metavar="TABLE", help="The data table.")]
LabelledData = Annotated[
    str,
    typer.Option("--data", metavar="RUN|DATA", help="A run of `label` (its id), or a file with labels."),
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="CONDITION", help="Only rows of the table for which this SQL holds."),
]
New = Annotated[bool, typer.Option("--new", help="Only data points that have no result of this step yet.")]
Gold = Annotated[
    str,
    typer.Option(
        "--gold",
        metavar="GOLD",
        help="Gold labels: `task` (those of process-annotations), `none`, or a file with gold_label.",
    ),
]
SettingName = Annotated[
    str,
    typer.Option(
        "--setting", help="multiclass or multilabel, where neither a run nor the task file says it.",
        show_default=False,
    ),
]  # fmt: skip
LabelModel = Annotated[
    str | None,
    typer.Option(
        "--label-model",
        help="auto (the best on gold); majority_vote, weighted_vote, snorkel or dawid_skene in multiclass; "
        "union, em or knee in multilabel.",
        show_default="the task's, else auto",
    ),
]


def _at_least_one(workers: int) -> int:
    return max(1, workers)


Workers = Annotated[
    int, typer.Option("--workers", min=0, callback=_at_least_one, help="Number of processes; 0 is 1.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Have it done by workers of a scheduler (`adaptml scale`): tls://host:port; here also "
        "tcp://127.0.0.1:port.",
        show_default=False,
    ),
]
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=2**32 - 1, help="The same seed gives the same result.")
]
SeedIfAny = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=2**32 - 1,
        help="The same seed gives the same result.",
        show_default="the task's, else 0",
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep", help="Write what was used into the task file, as the task's defaults.")
]
SayKept = Annotated[bool, typer.Option("--say-kept", hidden=True)]
Number = Annotated[int, typer.Option("--n", help="How many data points.")]
Write = Annotated[bool, typer.Option("--write", help="Also write the result to the database.")]
To = Annotated[
    Path | None,
    typer.Option("--to", metavar="FILE", help="File to write. Default: one in the home folder."),
]
NoTexts = Annotated[bool, typer.Option("--no-texts", help="Leave the data points' texts out of the report.")]
FaultTolerant = Annotated[
    bool, typer.Option("--fault-tolerant", help="Count labelling functions' failures as abstentions.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Compute every vote anew, also those that were kept.")]
Verbose = Annotated[str, typer.Option("--verbose", hidden=True)]

Sampling = Annotated[
    str,
    typer.Option(
        "--sampling",
        help="random, stratified, diverse, uncertain, disagreement, uncovered, or a mixture such as "
        "uncertain:0.5,random:0.5.",
    ),
]
Run = Annotated[
    str | None, typer.Option("--run", metavar="RUN", help="MLflow run that the sampling looks at.")
]
By = Annotated[str | None, typer.Option("--by", metavar="COLUMN", help="Column of stratified.")]
VectorColumn = Annotated[
    str | None,
    typer.Option(
        "--vector", metavar="COLUMN", help="Vector column of diverse; default: the task's first feature."
    ),
]
Features = Annotated[
    list[str] | None,
    typer.Option("--features", help="Feature column; several are concatenated. Default: the task's."),
]
SoftLabels = Annotated[
    bool | None, typer.Option("--soft-labels/--hard-labels", help="Train on the label model's probabilities.")
]
OnStack = Annotated[
    bool | None,
    typer.Option(
        "--stack/--no-stack",
        help="In the Docker stack, or without it. Default: in the stack where only that was set up here.",
        show_default=False,
    ),
]


def names_in(given: Sequence[str] | None) -> list[str]:
    """The names in `--features a,b --features c`, in this order."""
    return [name for text in given or [] for name in text.split(",") if name]

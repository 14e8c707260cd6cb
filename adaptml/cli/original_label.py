"""`python -m dataprogramming.label`: the original's order, also of `mlflow run dataprogramming`.

MLflow writes parameters as they are named, `--dev_data 1`, so every option is known in both spellings.
"""

from typing import Annotated

import typer

from adaptml.cli import label, options
from adaptml.cli.support import extra_options

COMMAND_OPTIONS = options.TAKES_MORE
GOLD_FLAG = "--gold"

Data = Annotated[
    str,
    typer.Option("--data", "--train-data", "--train_data", help="Points to label: a frame, or a table."),
]
DevData = Annotated[
    str,
    typer.Option(
        "--dev-data",
        "--dev_data",
        help="Gold labels: `0` none, `1` those of process-annotations, or a path to a frame.",
    ),
]
LabelModel = Annotated[
    str | None, typer.Option("--label-model", "--label_model", help="auto, or a label model.")
]
Multilabel = Annotated[str | None, typer.Option("--multilabel", hidden=True)]
Workers = Annotated[int, typer.Option("--workers", "--parallel", min=0, help="Number of processes; 0 is 1.")]
FaultTolerant = Annotated[
    bool, typer.Option("--fault-tolerant", help="Count labelling functions' failures as abstentions.")
]


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: Data,
    dev_data: DevData = "none",
    gold: Annotated[bool, typer.Option(GOLD_FLAG, help="The same as --dev-data 1.")] = False,
    setting: options.SettingName = "",
    label_model: LabelModel = None,
    multilabel: Multilabel = None,
    seed: options.SeedIfAny = None,
    workers: Workers = 1,
    fault_tolerant: FaultTolerant = False,
    write: options.Write = False,
    verbose: options.Verbose = "false",
) -> None:
    """Turn labelling functions' votes into training data: the original's order of `adaptml label`.

    Every other option is a parameter of Snorkel's label model (`--n-epochs 100`) or of the task's get_lfs.
    """
    extra_options(ctx.args, "get_lfs")  # says what is no option before anything is done
    label.command(
        ctx,
        task,
        data,
        "task" if gold and dev_data == "none" else dev_data,
        label.checked_name(label_model, multilabel),
        setting=setting,
        seed=seed,
        workers=max(1, workers),
        fault_tolerant=fault_tolerant,
        write=write,
        verbose=verbose,
    )

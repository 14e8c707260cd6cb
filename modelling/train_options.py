"""The options that `train` and `compare` share."""

from collections.abc import Sequence
from typing import Annotated

import typer

from modelling.algorithms import algorithms

DEFAULT_ALGORITHM = "logistic_regression"
# What an algorithm takes is left over for it to read.
COMMAND_OPTIONS = {"context_settings": {"allow_extra_args": True, "ignore_unknown_options": True}}

TaskName = Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")]
TrainData = Annotated[str, typer.Option("--train", help="A run of `label` (its id), or a frame with labels.")]
AlgorithmName = Annotated[str, typer.Option("--algorithm", help=f"One of {', '.join(algorithms())}.")]
Features = Annotated[
    list[str] | None,
    typer.Option("--features", help="Feature column; several are concatenated. Default: the task's."),
]
SoftLabels = Annotated[
    bool, typer.Option("--soft-labels/--hard-labels", help="Train on the label model's probabilities.")
]
SettingName = Annotated[
    str, typer.Option("--setting", help="multiclass or multilabel. Default: as the task file says.")
]


def feature_names(features: Sequence[str] | None) -> list[str]:
    """The names in `--features a,b --features c`, in this order."""
    return [name for given in features or [] for name in given.split(",") if name]

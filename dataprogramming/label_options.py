"""The options of `label`, and what is made of their values."""

from pathlib import Path
from typing import Annotated

import typer

EPOCHS_CHOSEN = "auto"
_SNORKEL = "Snorkel's label model"

TaskName = Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")]
Data = Annotated[
    Path, typer.Option("--data", "--train-data", help="Frame of the points to label: table_name, id.")
]
GoldFlag = Annotated[bool, typer.Option("--gold", help="Compare label models on the task's gold labels.")]
DevData = Annotated[
    str, typer.Option(help="Gold labels: `0` none, `1` those of process-annotations, or a path to a frame.")
]
SettingName = Annotated[
    str, typer.Option(help="multiclass or multilabel; the task file's where not given.", show_default=False)
]
Multiclass = Annotated[
    str,
    typer.Option(help="In multiclass: auto (the best on gold), majority_vote, weighted_vote or snorkel."),
]
Multilabel = Annotated[str, typer.Option(help="In multilabel: auto (the best on gold), union, em or knee.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same labels.")]
Epochs = Annotated[
    str, typer.Option(help=f"{_SNORKEL}: epochs, at most, or auto: as many as are best on gold.")
]
Optimizer = Annotated[str, typer.Option(help=f"{_SNORKEL}: sgd, adam or adamax.")]
PrecInit = Annotated[float, typer.Option(help=f"{_SNORKEL}: precision of labelling functions to start with.")]
LearningRate = Annotated[float, typer.Option(help=f"{_SNORKEL}: learning rate.")]
L2 = Annotated[float, typer.Option(help=f"{_SNORKEL}: L2 regularisation.")]
Device = Annotated[str, typer.Option(help=f"{_SNORKEL}: cpu or cuda.")]
Parallel = Annotated[int, typer.Option(min=1, help="Processes that apply labelling functions.")]
FaultTolerant = Annotated[
    bool, typer.Option("--fault-tolerant", help="Count labelling functions' failures as abstentions.")
]
Write = Annotated[bool, typer.Option("--write", help="Also write labels to TASK_labels in the database.")]
Verbose = Annotated[str, typer.Option(help=f"{_SNORKEL}: true shows its epochs.")]

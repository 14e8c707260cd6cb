"""`adaptml process-annotations`: gold labels from a Label Studio export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli import options
from adaptml.cli.support import output, project_here

if TYPE_CHECKING:
    from labelstudio.process_annotations import ProcessedAnnotations

CHOICE_HELP = (
    "Which labels are gold: `majority` (ties are dropped), `random` (ties are settled at random), `drop` "
    "(only points on which all agree), `dawid-skene` (annotators count by their estimated reliability), "
    "`ground-truth` (annotations that are marked so), or an annotator's id."
)
Choice = Annotated[str, typer.Option("--choice", help=CHOICE_HELP)]
PerClass = Annotated[
    bool,
    typer.Option("--per-class", help="With majority: vote on each class, not on the whole label set."),
]
Write = Annotated[
    bool, typer.Option("--write", help="Also write who said what to TASK_annotations in the database.")
]

AcceptClaims = Annotated[
    bool,
    typer.Option(
        "--accept-claims",
        help="Count annotations that were imported into Label Studio for those whom they name.",
    ),
]


def command(
    task: options.TaskName,
    file: Annotated[Path, typer.Argument(help="Label Studio's export, as JSON (not JSON-MIN).")],
    choice: Choice = "majority",
    per_class: PerClass = False,
    seed: options.Seed = 0,
    write: Write = False,
    accept_claims: AcceptClaims = False,
) -> None:
    """Turn a Label Studio export into annotations and gold labels.

    Writes ann_df (all points, a column per annotator), task_df (points with two or more annotators),
    gold_df (gold labels) and sample_df (how the points were drawn) to annotations/TASK/ in the home folder,
    the gold labels to TASK_gold in the database, and says what was left out and why.

    Example: `adaptml process-annotations example export.json --choice majority`
    """
    with project_here() as project:
        done = project.process_annotations(
            task, file, choice, per_class=per_class, seed=seed, write=write, accept_claims=accept_claims
        )
    show(done)


def show(done: "ProcessedAnnotations") -> None:
    """Print what was read, left out, decided and written, and what comes next."""
    from labelstudio.process_annotations import summary

    for line in summary(done):
        output().print(line)
    output().print("Next: annotator-agreement, to see whether these labels can be relied on.")

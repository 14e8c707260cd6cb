"""`python -m labelstudio.process_annotations FILE TASK CHOICE`, as the original project was typed."""

from pathlib import Path
from typing import Annotated

import typer

from adaptml.cli import options
from adaptml.cli.process_annotations import CHOICE_HELP, AcceptClaims, PerClass, Write, show
from adaptml.cli.support import project_here


def command(
    file: Annotated[Path, typer.Argument(help="Label Studio's export, as JSON (not JSON-MIN).")],
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    choice: Annotated[str, typer.Argument(help=CHOICE_HELP)],
    per_class: PerClass = False,
    seed: options.Seed = 0,
    write: Write = False,
    accept_claims: AcceptClaims = False,
) -> None:
    """Turn an export into gold labels: the original's form of `adaptml process-annotations`.

    Example: `python -m labelstudio.process_annotations export.json example majority`
    """
    with project_here() as project:
        done = project.process_annotations(
            task, file, choice, per_class=per_class, seed=seed, write=write, accept_claims=accept_claims
        )
    show(done)

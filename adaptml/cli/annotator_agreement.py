"""`adaptml annotator-agreement`: Krippendorff's alpha, a verdict, and what to fix next."""

from typing import Annotated

import typer
from rich.console import Console

from adaptml.cli import options
from adaptml.cli.support import output, project_here


def command(
    task: options.TaskName,
    seed: options.Seed = 0,
    no_texts: options.NoTexts = False,
    width: Annotated[
        float,
        typer.Option("--width", help="How narrow alpha's interval is wanted; the report says what it takes."),
    ] = 0.1,
) -> None:
    """Measure how far annotators agree: Krippendorff's alpha, a verdict, and what to fix next.

    Reads the annotations that process-annotations wrote; writes agreement.txt, agreement.json and
    report.html beside them. Alpha is 1 for perfect agreement and 0 for what chance would give: rely on
    labels from 0.8 on, draw tentative conclusions from 0.667 on, and start again below.

    Example: `adaptml annotator-agreement example`
    """
    from labelstudio.agreement_report import show
    from labelstudio.annotator_agreement import REPORTS

    with project_here() as project:
        found = project.annotator_agreement(task, seed=seed, texts=not no_texts, width=width)
        folder = project.settings.annotations(task)
    show(found, Console())
    output().print(f"written to {folder}: {', '.join(REPORTS)}")

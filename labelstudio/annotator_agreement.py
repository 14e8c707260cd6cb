"""How far annotators agree, and whether their labels can be relied on."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from pydantic import TypeAdapter
from rich.console import Console

from adaptml.cli.support import run_command
from adaptml.errors import AnnotationError
from adaptml.files import write_text
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.agreement import Agreement, agreement
from labelstudio.agreement_report import as_text, show
from labelstudio.drawn import sample_warning

SEED = 0


def annotator_agreement(project: Project, task: Task, seed: int = SEED) -> Agreement:
    """Measure agreement on the annotations that `process_annotations` wrote.

    Writes `agreement.json` (everything) and `agreement.txt` (the report) beside them.

    Args:
        project: where the annotations lie.
        task: the task that was annotated.
        seed: seed of the bootstrap interval.

    Raises:
        AnnotationError: no annotations yet, or no point with two annotators.
    """
    folder = project.settings.annotations(task.name)
    path = folder / "ann_df.parquet"
    if not path.is_file():
        raise AnnotationError(
            f"no annotations of task {task.name!r} in {folder}; run process-annotations on an export first"
        )
    drawn = folder / "sample_df.parquet"
    sample_df = pd.read_parquet(drawn) if drawn.is_file() else None
    return report(read_frame(path), sample_df, task, seed, folder)


def report(
    ann_df: pd.DataFrame, sample_df: pd.DataFrame | None, task: Task, seed: int, folder: Path
) -> Agreement:
    """As `annotator_agreement`, from frames that were read already.

    Args:
        ann_df, sample_df: as `process_annotations` gives them; None where the draw is not on record.
        task, seed: as for `annotator_agreement`.
        folder: where the report goes.
    """
    found = agreement(ann_df, task, seed)
    if sample_df is not None:
        found = replace(found, sample_warning=sample_warning(sample_df))
    as_json = TypeAdapter(Agreement).dump_json(found, indent=1).decode()
    write_text(as_json + "\n", folder / "agreement.json")
    write_text(as_text(found), folder / "agreement.txt")
    return found


def command(
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap interval.")] = SEED,
) -> None:
    """Measure how far annotators agree: Krippendorff's alpha, a verdict, and what to mend next.

    Reads the annotations that process-annotations wrote; writes agreement.txt and agreement.json beside
    them. Alpha is 1 for perfect agreement and 0 for what chance would give: rely on labels from 0.8 on,
    draw tentative conclusions from 0.667 on, and start again below.

    Example: `annotator-agreement example`
    """
    with Project() as project:
        found = annotator_agreement(project, project.task(task), seed)
        folder: Path = project.settings.annotations(task)
    show(found, Console())
    plain = Console(soft_wrap=True, highlight=False, markup=False)
    plain.print(f"written to {folder}: agreement.txt, agreement.json")


if __name__ == "__main__":
    run_command(command)

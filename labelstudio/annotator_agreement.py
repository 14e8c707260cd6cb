"""How far annotators agree, and whether their labels can be relied on."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter

from adaptml.errors import AnnotationError
from adaptml.files import write_text
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.agreement import Agreement, measure_agreement
from labelstudio.agreement_report import as_text
from labelstudio.sampling_record import sample_warning


def annotator_agreement(
    project: Project, task: Task | str, *, seed: int = 0, texts: bool = True
) -> Agreement:
    """Measure agreement on the annotations that `process_annotations` wrote.

    Writes `agreement.json` (everything) and `agreement.txt` (the report) beside them.

    Args:
        project: where the annotations lie.
        task: the task that was annotated, or its name.
        seed: seed of the bootstrap interval.
        texts: show the texts of disputed points in the report.

    Raises:
        AnnotationError: no annotations yet, or no point with two annotators.
        TaskError: labels that are not classes of the task.
        FileError: a report that cannot be written.

    Example:
        >>> project.annotator_agreement("example").alpha.value  # doctest: +SKIP
        0.606
    """
    task = project.task(task)
    folder = project.settings.annotations(task.name)
    path = folder / "ann_df.parquet"
    if not path.is_file():
        raise AnnotationError(
            f"no annotations of task {task.name!r} in {folder}; run process-annotations on an export first"
        )
    sampled = folder / "sample_df.parquet"
    sample_df = pd.read_parquet(sampled) if sampled.is_file() else None
    return report(read_frame(path), sample_df, task, seed, folder)


def report(
    ann_df: pd.DataFrame, sample_df: pd.DataFrame | None, task: Task, seed: int, folder: Path
) -> Agreement:
    """As `annotator_agreement`, from frames that were read already.

    Args:
        ann_df, sample_df: as `process_annotations` gives them; None where the sampling is not on record.
        task, seed: as for `annotator_agreement`.
        folder: where the report goes.
    """
    found = measure_agreement(ann_df, task, seed)
    if sample_df is not None:
        found = replace(found, sample_warning=sample_warning(sample_df))
    as_json = TypeAdapter(Agreement).dump_json(found, indent=1).decode()
    write_text(as_json + "\n", folder / "agreement.json")
    write_text(as_text(found), folder / "agreement.txt")
    return found


if __name__ == "__main__":
    from adaptml.cli.original_annotator_agreement import main

    main()

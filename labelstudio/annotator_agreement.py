"""How far annotators agree, and whether their labels can be relied on."""

from dataclasses import replace

import pandas as pd
from pydantic import TypeAdapter

from adaptml.errors import AnnotationError
from adaptml.files import write_text
from adaptml.frames import read_frame
from adaptml.project import Project
from adaptml.tasks import Task
from labelstudio.agreement import Agreement, measure_agreement
from labelstudio.agreement_report import as_text
from labelstudio.precision import WIDTH
from labelstudio.report_page import agreement_report_page
from labelstudio.sampling_record import sample_warning

TEXT, JSON, PAGE = REPORTS = ("agreement.txt", "agreement.json", "report.html")


def annotator_agreement(
    project: Project, task: Task | str, *, seed: int = 0, texts: bool = True, width: float = WIDTH
) -> Agreement:
    """Measure agreement on the annotations that `process_annotations` wrote.

    Writes `agreement.json` (everything), `agreement.txt` (the report) and `report.html` (a page with the
    disputed points) beside them.

    Args:
        project: where the annotations lie.
        task: the task that was annotated, or its name.
        seed: seed of the bootstrap interval.
        texts: show the texts of disputed points in the report.
        width: how narrow alpha's interval is wanted; the report says how many more points or people do that.

    Raises:
        AnnotationError: no annotations yet, no point with two annotators, or a width that is not above 0.
        TaskError: labels that are not classes of the task.
        FileError: a report that cannot be written.

    Example:
        >>> agreement = project.annotator_agreement("spam")
        >>> round(agreement.alpha.value, 3)
        0.839
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
    return report(project, task, read_frame(path), sample_df, seed=seed, texts=texts, width=width)


def report(
    project: Project,
    task: Task,
    ann_df: pd.DataFrame,
    sample_df: pd.DataFrame | None,
    *,
    seed: int = 0,
    texts: bool = True,
    width: float = WIDTH,
) -> Agreement:
    """As `annotator_agreement`, from frames that were read already.

    Args:
        project, task, seed, texts, width: as for `annotator_agreement`.
        ann_df, sample_df: as `process_annotations` gives them; None where the sampling is not on record.
    """
    folder = project.settings.annotations(task.name)
    found = measure_agreement(ann_df, task, seed, width)
    if sample_df is not None:
        found = replace(found, sample_warning=sample_warning(sample_df))
    as_json = TypeAdapter(Agreement).dump_json(found, indent=1).decode()
    write_text(as_json + "\n", folder / JSON)
    write_text(as_text(found), folder / TEXT)
    write_text(_page(project, task, found, texts), folder / PAGE)
    return found


def _page(project: Project, task: Task, found: Agreement, texts: bool) -> str:
    """The report as a page."""
    if not (texts and found.disputed):
        return agreement_report_page(found)
    from adaptml.reports.reading import texts_of_task  # SQLAlchemy takes a third of a second

    return agreement_report_page(found, read_texts=texts_of_task(project.database, task))


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("annotator_agreement")

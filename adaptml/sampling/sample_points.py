"""Choose data points of a table: to annotate, or to label and train on."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from adaptml.cli.support import output, run_command
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.sampling import RANDOM, Sample, Source, draw_sample
from adaptml.tasks import Task


def sample_points(
    project: Project,
    task: Task,
    table: str,
    n: int,
    sampling: str,
    run: str | None,
    by: str | None,
    vector: str | None,
    seed: int,
    folder: Path,
) -> Sample:
    """Draw points of a table with what the task and a run know of them.

    Args:
        project: holds the table and the run.
        task: its first feature is the default vector of `diverse`.
        table: a data table.
        n: how many points, at least 1.
        sampling: as `random` or `uncertain:0.5,random:0.5`.
        run: an MLflow run, or None.
        by: the column of `stratified`, or None.
        vector: the vector column of `diverse`, or None.
        seed: the same arguments and seed give the same points.
        folder: a run's files may be copied there.

    Raises:
        AnnotationError: the sampling cannot be done, or finds no point.
    """
    files = None
    if run is not None:
        from adaptml.runs.label_run import RunFiles  # MLflow takes a second

        files = RunFiles(project, run, folder)
    source = Source(project.database, table, by, vector or task.features[0], files)
    return draw_sample(source, sampling, n, seed)


def command(
    table: Annotated[str, typer.Argument(help="Data table to sample from.")],
    n: Annotated[int, typer.Argument(help="How many points.")],
    task: Annotated[str, typer.Argument(help="Name of the task: a folder in tasks/.")],
    sampling: Annotated[
        str,
        typer.Option(
            help="random, stratified, diverse, uncertain, disagreement, uncovered, or a mixture such as "
            "uncertain:0.5,random:0.5."
        ),
    ] = RANDOM,
    run: Annotated[str | None, typer.Option(help="MLflow run that the sampling looks at.")] = None,
    by: Annotated[str | None, typer.Option(help="Column of stratified.")] = None,
    vector: Annotated[
        str | None, typer.Option(help="Vector column of diverse; default: the task's first feature.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same points.")] = 0,
    filename: Annotated[
        Path | None, typer.Option(help="File to write. Default: unlabeled_data/ in the home folder.")
    ] = None,
) -> None:
    """Choose points of a table to label and to train on: a frame of table_name, id, inclusion_prob.

    Example: `sample-points example_data 100 example --sampling diverse`
    """
    with Project() as project, TemporaryDirectory(prefix="adaptml-") as folder:
        settings = project.settings
        sample = sample_points(
            project, project.task(task), table, n, sampling, run, by, vector, seed, Path(folder)
        )
    kinds = sampling.replace(":", "_").replace(",", "_")
    path = filename or settings.unlabeled_data / f"{table}_{kinds}_{n}_seed{seed}.parquet"
    write_frame(sample.frame.assign(sampling=sample.name), path)
    console = output()
    console.print(f"{len(sample.frame)} points of {table}, drawn as {sample.name}")
    console.print(f"written to {path}")


if __name__ == "__main__":
    run_command(command)

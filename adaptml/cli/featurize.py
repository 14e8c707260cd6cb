"""`adaptml featurize`: features of a table's texts."""

from typing import Annotated

import typer

from adaptml.cli import options
from adaptml.cli.support import EXIT_INTERRUPTED, output, project_here


def command(
    task: options.TaskName,
    data: options.TableArg,
    text: Annotated[str | None, typer.Option(help="Column to read.", show_default=False)] = None,
    lemmas: Annotated[
        str | None, typer.Option(help="Name of the lists of lemmas.", show_default=False)
    ] = None,
    vector: Annotated[str | None, typer.Option(help="Name of the vectors.", show_default=False)] = None,
    answer: Annotated[
        str | None, typer.Option(help="Name of what is read in pictures.", show_default=False)
    ] = None,
    score: Annotated[str | None, typer.Option(help="Name of how sure that is.", show_default=False)] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Encoder of vectors and answers.", show_default=False)
    ] = None,
    all_rows: Annotated[
        bool, typer.Option("--all", help="Every row again, not only those that are new or changed.")
    ] = False,
    workers: options.Workers = 1,
    scheduler: options.Scheduler = None,
) -> None:
    """Compute features of a table's texts, pictures, sounds or numbers and keep them in tables beside it.

    Only rows that are new or whose text has changed are computed, so run it whenever the table has grown.
    Options win over what the task file says.

    Example: `adaptml featurize example --data example_data`
    """
    try:
        with project_here() as project:
            done = project.featurize(
                task, data,
                text=text, lemmas=lemmas, vector=vector, answer=answer, score=score, encoder=encoder,
                all_rows=all_rows, workers=workers, scheduler=scheduler, show_progress=True,
            )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo("interrupted; the rows done so far are kept, run it again for the rest", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    counts = f"{done.new} new, {done.changed} changed, {done.empty} without text"
    gone = f", {done.gone} values of rows that are gone were dropped" if done.gone else ""
    output().print(
        f"{done.rows} rows of {data} featurised ({counts}), {done.kept} had their features already{gone}: "
        f"{', '.join(done.features)}"
    )

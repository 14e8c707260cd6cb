"""`adaptml annotate setup|push|pull`: a task's project in Label Studio, from points to gold."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli import options
from adaptml.cli.process_annotations import AcceptClaims, Choice, PerClass, Write
from adaptml.cli.support import new_app, output
from adaptml.project import Project

if TYPE_CHECKING:
    from adaptml.sampling import Sample
    from labelstudio.annotate import Pulled
    from labelstudio.push import Pushed

app = new_app(help="Annotate in Label Studio: make the project, send points, fetch annotations.")


@app.command("setup")
def setup_command(
    task: options.TaskName,
    annotators: Annotated[
        int | None, typer.Option(min=1, help="How many people see each point; 2 in a new project.")
    ] = None,
) -> None:
    """Make or update the task's project: labelling page and instructions from the task file.

    Run it again after each change of the task file; without one it changes nothing.

    Example: `adaptml annotate setup example`
    """
    from labelstudio.annotate import setup

    with Project() as project:
        done = setup(project, task, annotators)
    changed = "made" if done.created else "changed" if done.changes else "nothing to change"
    separator = " " if done.created else ": "
    output().print(f"project {done.project}{separator}{changed}: {done.url}")
    for change in done.changes:
        output().print(f"  {change}")
    output().print(f"Next: adaptml annotate push {task} --data TABLE --n 60")


@app.command("push")
def push_command(
    task: options.TaskName,
    data: options.DataArg,
    n: options.Number,
    sampling: options.Sampling = "random",
    predictions: Annotated[
        str | None, typer.Option(help="MLflow run whose labels are shown as pre-annotations.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(help="MLflow run that the sampling looks at; default: that of --predictions."),
    ] = None,
    by: options.By = None,
    vector: options.VectorColumn = None,
    where: options.Where = None,
    seed: options.Seed = 0,
) -> None:
    """Sample data points and send those that have no task yet.

    The same call sends nothing again; a larger --n or another --seed sends more.

    Example: `adaptml annotate push example --data example_data --n 60`
    """
    from labelstudio.annotate import push

    with Project() as project:
        sample, done = push(
            project, task, data, n, sampling=sampling, predictions=predictions, run=run, by=by, vector=vector,
            seed=seed, where=where, show_progress=True,
        )  # fmt: skip
    _show_pushed(sample, done, data, n)
    if predictions is not None:
        output().print(
            f"{done.predicted} pre-annotations sent, {done.unpredicted} points of which the run says nothing"
        )
    if sample.frame["inclusion_prob"].isna().any():
        output().print(
            "warning: how likely each point was to be drawn is unknown; shares cannot be weighted back"
        )
    output().print(f"Next: people annotate; then adaptml annotate pull {task}")


def _show_pushed(sample: "Sample", done: "Pushed", data: str, n: int) -> None:
    console = output()
    fewer = f" ({n} were asked for)" if done.asked < n else ""
    console.print(f"{done.asked} points of {data}{fewer}, drawn as {sample.name}")
    console.print(f"{done.sent} sent, {done.there} there already, {len(done.refused)} refused")
    for key, reason in done.refused.items():
        console.print(f"  refused: {sample.table}/{key}: {reason}")
    if done.duplicates_deleted:
        console.print(f"{done.duplicates_deleted} duplicated tasks that nobody had touched: deleted")


@app.command("pull")
def pull_command(
    task: options.TaskName,
    choice: Choice = "majority",
    per_class: PerClass = False,
    seed: options.Seed = 0,
    write: Write = False,
    accept_claims: AcceptClaims = False,
    no_texts: options.NoTexts = False,
) -> None:
    """Fetch what people annotated since the last time: annotations, gold labels, agreement.

    Writes the files that process-annotations and annotator-agreement write.

    Example: `adaptml annotate pull example`
    """
    from labelstudio.annotate import pull

    with Project() as project:
        found = pull(
            project, task, choice, per_class=per_class, seed=seed, write=write,
            accept_claims=accept_claims, texts=not no_texts, show_progress=True,
        )  # fmt: skip
    _show_pulled(found)
    output().print(f"Next: adaptml annotator-agreement {task}, for where annotators differ.")


def _show_pulled(found: "Pulled") -> None:
    from labelstudio.process_annotations import summary

    console = output()
    console.print(f"{found.read} new or changed tasks read")
    for line in summary(found.done):
        console.print(line)
    for person, n in found.unlabelled.items():
        console.print(f"{person}: {n} of {len(found.done.ann_df)} points still unlabelled")
    if found.agreement is None:
        console.print("no point has two annotators yet, so agreement cannot be measured")
        return
    console.print(f"agreement: {found.agreement.verdict}. {found.agreement.reason}")
    if found.agreement.sample_warning:
        console.print(f"warning: {found.agreement.sample_warning}")

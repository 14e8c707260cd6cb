"""`adaptml annotate setup|push|pull`: a task's project in Label Studio, from points to gold."""

from typing import TYPE_CHECKING, Annotated

import typer

from adaptml.cli import options
from adaptml.cli.process_annotations import AcceptClaims, Choice, PerClass, Write
from adaptml.cli.support import new_app, output, project_here

if TYPE_CHECKING:
    from adaptml.sampling import Sample
    from labelstudio.annotate import Pulled
    from labelstudio.project import Setup
    from labelstudio.push import Pushed

app = new_app(help="Annotate in Label Studio: make the project, send points, fetch annotations.")


@app.command("setup")
def setup_command(
    task: options.TaskName,
    annotators: Annotated[
        str | None,
        typer.Option(
            help="How many people see each point (2 in a new project), or e-mail addresses with commas "
            "between: a project for each of them, blind to the others."
        ),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(help="With addresses: share of the points that everybody gets; 0.2 without it."),
    ] = None,
) -> None:
    """Make or update the task's project: labelling page and instructions from the task file.

    Run it again after each change of the task file; without one it changes nothing.

    Example: `adaptml annotate setup example`
    """
    from labelstudio.annotate import setup, setup_people
    from labelstudio.people import OVERLAP

    emails = [] if annotators is None or annotators.isdecimal() else options.names_in([annotators])
    if overlap is not None and not emails:
        raise typer.BadParameter("--overlap goes with --annotators ADDRESS,ADDRESS")
    if annotators is not None and not emails and int(annotators) < 1:
        raise typer.BadParameter("--annotators is below 1; expected how many people see each point")
    with project_here() as project:
        if emails:
            made = setup_people(project, task, emails, OVERLAP if overlap is None else overlap)
        else:
            made = {"": setup(project, task, None if annotators is None else int(annotators))}
    for email, done in made.items():
        _show_setup(done, email)
    output().print(f"Next: adaptml annotate push {task} --data TABLE --n 60")


def _show_setup(done: "Setup", email: str) -> None:
    changed = "made" if done.created else "changed" if done.changes else "nothing to change"
    separator = " " if done.created else ": "
    of = f" of {email}" if email else ""
    output().print(f"project {done.project}{of}{separator}{changed}: {done.url}")
    for change in done.changes:
        output().print(f"  {change}")


@app.command("push")
def push_command(
    task: options.TaskName,
    data: options.DataArg,
    n: options.Number,
    sampling: Annotated[
        str,
        typer.Option(
            help="random, stratified, diverse, uncertain, disagreement, uncovered, a mixture such as "
            "uncertain:0.5,random:0.5; or disputed, for somebody else to settle; or suspicious, what looks "
            "wrong to --run; or changed, to ask again; or again, to ask again about the named points."
        ),
    ] = "random",
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

    with project_here() as project:
        sample, done = push(
            project, task, data, n, sampling=sampling, predictions=predictions, run=run, by=by, vector=vector,
            seed=seed, where=where, show_progress=True,
        )  # fmt: skip
    _show_pushed(sample, done, data, n)
    if predictions is not None:
        output().print(
            f"{done.predicted} pre-annotations sent, {done.unpredicted} points of which the run says nothing"
        )
    if sampling == "disputed":
        output().print("Somebody who has not annotated these points settles them: what they say is gold.")
    elif sampling == "suspicious":
        output().print("Somebody else settles those that have a gold label: what they say is gold then.")
    elif sampling not in ("changed", "again") and sample.frame["inclusion_prob"].isna().any():
        output().print(
            "warning: how likely each point was to be drawn is unknown; shares cannot be weighted back"
        )
    output().print(f"Next: people annotate; then adaptml annotate pull {task}")


def _show_pushed(sample: "Sample", done: "Pushed", data: str, n: int) -> None:
    console = output()
    fewer = f" ({n} were asked for)" if done.asked < n else ""
    console.print(f"{done.asked} points of {data}{fewer}, drawn as {sample.name}")
    console.print(f"{done.sent} sent, {done.there} there already, {len(done.refused)} refused")
    if done.empty:
        console.print(f"{done.empty} left out: there is nothing in any column that annotators see")
    for person, part in done.people.items():
        console.print(f"  {person}: {part.sent} sent, {part.there} there already")
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

    with project_here() as project:
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
        asked = found.asked.get(person, len(found.done.ann_df))
        console.print(f"{person}: {n} of {asked} points still unlabelled")
    for person, n in found.strayed.items():
        console.print(f"warning: {n} annotations in the project of {person} are another's")
    if found.agreement is None:
        console.print("no point has two annotators yet, so agreement cannot be measured")
        return
    console.print(f"agreement: {found.agreement.verdict}. {found.agreement.reason}")
    if found.agreement.sample_warning:
        console.print(f"warning: {found.agreement.sample_warning}")

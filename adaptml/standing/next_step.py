"""What to do next, from where a task stands: the first thing that the loop is waiting for."""

from adaptml.errors import listed
from adaptml.standing.core import NextStep, Standing

FEWEST_GOLD = 50  # with fewer, an interval of accuracy is wider than 0.2
GROWN = 0.1  # so many new rows, as a share of those of the last run, make another one worth it


def next_step(standing: Standing) -> NextStep:
    """What to do next.

    Args:
        standing: where the task stands.
    """
    for look in (_data, _rules, _gold, _runs, _models, _new_rows):
        found = look(standing)
        if found is not None:
            return found
    task = standing.task
    return NextStep(
        text="All is done: the champion is deployed; watch it as new rows come",
        place="runs",
        command=f"adaptml watch {task}",
    )


def _data(standing: Standing) -> NextStep | None:
    task, data = standing.task, standing.data
    if data.problem:
        return NextStep(
            text=f"The data cannot be read: {data.problem}",
            place="overview",
            command=f"adaptml task check {task}",
        )
    if data.table is None or data.points is None or not data.points.rows:
        missing = "No table has the columns of this task" if data.table is None else f"{data.table} is empty"
        return NextStep(
            text=f"{missing}: import a file of rows",
            place="import",
            command=f"adaptml import FILE {data.table or 'TABLE'}",
        )
    if data.unmade:
        return NextStep(
            text=f"Compute what rules and models read: {listed(data.unmade)}",
            place="overview",
            command=f"adaptml featurize {task} --data {data.table}",
        )
    return None


def _rules(standing: Standing) -> NextStep | None:
    labelling = standing.labelling
    if labelling.problem or labelling.votes is not None or labelling.label is not None:
        return None
    return NextStep(
        text="Write rules and see what they hit",
        place="rules",
        command=f"adaptml lfs {standing.task} --data {standing.data.table}",
    )


def _gold(standing: Standing) -> NextStep | None:
    task, data = standing.task, standing.data
    if data.gold.again:
        return NextStep(
            text=f"{_points(data.gold.again)} changed since they were labelled: label them again",
            place="annotation",
            command=f"adaptml gold {task} --changed",
        )
    if data.gold.points:
        return None
    if data.unguided:
        return NextStep(
            text=f"Say when to choose {listed(data.unguided)}, before anybody labels by hand",
            place="overview",
            command=f"adaptml task check {task}",
        )
    return NextStep(
        text=f"Label {FEWEST_GOLD} points by hand: without gold nobody knows how good the rules are",
        place="annotation",
        command=f"adaptml annotate push {task} --data {data.table} --n {FEWEST_GOLD}",
    )


def _runs(standing: Standing) -> NextStep | None:
    labelling, modelling, run = standing.labelling, standing.modelling, f"adaptml run {standing.task}"
    problem = labelling.problem or modelling.problem
    if problem:
        return NextStep(
            text=f"The runs cannot be read: {problem}", place="runs", command=f"adaptml runs {standing.task}"
        )
    if labelling.label is None:
        return NextStep(text="Run everything: label, train and compare", place="runs", command=run)
    if modelling.newest is None:
        return NextStep(text="Train an end model on the labels", place="runs", command=run)
    return None


def _models(standing: Standing) -> NextStep | None:
    models = standing.modelling
    if models.other_classes:
        return NextStep(
            text="The champion answers with the classes of before: run everything anew and deploy",
            place="runs",
            command=f"adaptml run {standing.task} --deploy-if-better",
        )
    if models.champion is None:
        return NextStep(
            text=f"Deploy version {models.newest}, so that it is served",
            place="models",
            command=f"adaptml deploy {models.model} --version {models.newest}",
        )
    return None


def _new_rows(standing: Standing) -> NextStep | None:
    task, data, label, watch = (
        standing.task,
        standing.data,
        standing.labelling.label,
        standing.labelling.watch,
    )
    if label is None:
        return None
    if watch is not None and watch.moved and watch.started > label.started:
        what = "comparison" if watch.moved == 1 else "comparisons"
        return NextStep(
            text=f"{watch.moved} {what} moved in {watch.new_rows:,} new rows: look at them",
            place="runs",
            command=f"adaptml watch {task}",
        )
    came = (data.points.rows if data.points is not None else 0) - (label.points or 0)
    if label.points and label.data == data.table and came >= label.points * GROWN:
        return NextStep(
            text=f"{came:,} rows came since the last run: run everything again",
            place="runs",
            command=f"adaptml run {task}",
        )
    if data.gold.points < FEWEST_GOLD:
        more = FEWEST_GOLD - data.gold.points
        return NextStep(
            text=f"Label {more} more points by hand: {_points(data.gold.points)} of gold judge only roughly",
            place="annotation",
            command=f"adaptml annotate push {task} --data {data.table} --n {more}",
        )
    return None


def _points(n: int) -> str:
    return "1 point" if n == 1 else f"{n:,} points"

"""Is weak supervision worth it here? Gold alone, weak labels alone and both, judged on held-out gold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from rich.table import Table

from adaptml.cli.support import extra_options, output, run_command
from adaptml.data import TASK_GOLD, Data, described, read_gold, read_labels
from adaptml.errors import ModelError
from adaptml.frames import write_preview
from adaptml.labelled import labelled
from adaptml.project import Project
from adaptml.tasks import ProblemType, Task
from modelling import train_options as options
from modelling.algorithms import get_algorithm
from modelling.combine import FOLDS, Gold, HeldOut, Learner, Weak, cross_validate
from modelling.sources import TRAINING_DATA, Reader, targets, warn_left_out

# way → what it is called here; in this order
WAYS = {
    "gold": "gold labels only",
    "weak": "label-model labels only",
    "union": "both, side by side",
    "stacked": "both, gold judges weak labels",
    "relabelled": "both, the rest labelled anew",
}
DRAWS = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Row:
    """One way to train.

    Attributes:
        way: its name in `train --combine`.
        figure: accuracy (multiclass) or F1 over samples (multilabel) on held-out gold.
        low: lower end of the bootstrap interval.
        high: upper end.
        log_loss: on held-out gold; lower is better.
    """

    way: str
    figure: float
    low: float
    high: float
    log_loss: float


@dataclass(frozen=True)
class Comparison:
    """What a comparison came to.

    Attributes:
        run_id: the MLflow run.
        measure: `accuracy` or `f1_samples`.
        rows: one per way that could be trained.
        sentence: what it means, plainly.
        n_gold: gold points.
        n_weak: weakly labelled points.
    """

    run_id: str
    measure: str
    rows: Sequence[Row]
    sentence: str
    n_gold: int
    n_weak: int


def compare(
    project: Project,
    task: str | Task,
    train_source: Data,
    gold: Data = TASK_GOLD,
    *,
    algorithm: str = "logistic_regression",
    features: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
    soft_labels: bool = False,
    seed: int = 0,
    show_progress: bool = False,
) -> Comparison:
    """Train each way in cross-validation on gold and compare, in one MLflow run.

    Args:
        project: holds the features, the gold and the runs.
        task: the task or its name.
        train_source: a run of the label step, or a frame with label (and label_probs).
        gold: `task`, or a frame with gold_label.
        algorithm: name of the algorithm.
        features: columns to learn from; default: the task file's.
        params: the algorithm's parameters, as values or text.
        soft_labels: train on the label model's probabilities.
        seed: of the folds, the training and the bootstrap.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; the run is then marked FAILED.
    """
    task = project.task(task)
    columns = list(features) or list(task.features)
    chosen = get_algorithm(algorithm)
    learner = Learner(chosen, task.problem, chosen.parse(params or {}), soft_labels, seed)
    shown = {
        "task": task.name,
        "setting": task.setting,
        "algorithm": algorithm,
        "train_data": described(train_source),
        "gold": described(gold),
        "features": ",".join(columns),
        "soft_labels": soft_labels,
        "seed": seed,
        **(learner.params.model_dump() if learner.params else {}),
    }
    source = described(train_source)
    with project.runs.run(task.name, f"compare {algorithm} {task.setting}", shown) as recorder:
        reader = Reader(project.database, columns, show_progress)
        truth = read_gold(project, gold, task)
        if truth is None:
            raise ModelError("comparing needs gold labels; give --gold task or a frame")
        if len(truth) < 2 * FOLDS:
            raise ModelError(
                f"{len(truth)} gold points are too few to compare by; expected {2 * FOLDS} or more"
            )
        training = labelled(read_labels(project, train_source, TRAINING_DATA), task, "label", source)
        warn_left_out(recorder.log, truth, described(gold))
        warn_left_out(recorder.log, training, source)
        training = training.without(truth.keys)
        weak = Weak(reader.read(training.keys), targets(training, source, soft_labels))
        held_out = cross_validate(list(WAYS), learner, weak, Gold(reader.read(truth.keys), truth.Y))
        rows, draws = _rows(task.problem, truth.Y, held_out, seed)
        measure = task.problem.measure
        for row in rows:
            recorder.metrics |= {f"{row.way}_{measure}": row.figure, f"{row.way}_log_loss": row.log_loss}
        write_preview(pd.DataFrame(rows), recorder.folder / "comparison.html")
        sentence = verdict(rows, draws)
        recorder.log.info(sentence)
    return Comparison(recorder.run_id, measure, rows, sentence, len(truth), len(training))


Draws = npt.NDArray[np.float64]


def _rows(
    problem: ProblemType, Y: npt.NDArray[np.int8], held_out: Mapping[str, HeldOut], seed: int
) -> tuple[list[Row], dict[str, Draws]]:
    """A row per way, and its figure in each bootstrap draw: the same draws of points for every way."""
    picks = np.random.default_rng(seed).integers(0, len(Y), size=(DRAWS, len(Y)))
    rows, draws = [], {}
    for way in (way for way in WAYS if way in held_out):
        scores = problem.scores(Y, problem.decide(held_out[way].probs))
        draws[way] = scores[picks].mean(axis=1)
        low, high = np.quantile(draws[way], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        rows.append(Row(way, float(scores.mean()), float(low), float(high), held_out[way].log_loss))
    return rows, draws


def verdict(rows: Sequence[Row], draws: Mapping[str, Draws]) -> str:
    """One plain sentence: the best way with weak labels against gold alone."""
    by_way = {row.way: row for row in rows}
    others = [row for row in rows if row.way != "gold"]
    if "gold" not in by_way or not others:
        return "Not every way could be trained on this data, so weak supervision cannot be judged here."
    best = max(others, key=lambda row: row.figure)
    gain = draws[best.way] - draws["gold"]
    low, high = np.quantile(gain, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    span = f"{best.figure - by_way['gold'].figure:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}"
    what = f"{WAYS[best.way]} against gold labels only: {span}"
    if low > 0:
        return f"Weak supervision is worth it here ({what})."
    if high < 0:
        return f"Weak supervision does harm here: train on gold alone ({what})."
    return f"This gold set cannot tell whether weak supervision is worth it ({what}); annotate more points."


COMMAND_OPTIONS = options.COMMAND_OPTIONS


def command(
    ctx: typer.Context,
    task: options.TaskName,
    train_data: options.TrainData,
    gold: Annotated[str, typer.Option(help="`1` (that of process-annotations), or a frame.")] = TASK_GOLD,
    algorithm: options.AlgorithmName = options.DEFAULT_ALGORITHM,
    features: options.Features = None,
    soft_labels: options.SoftLabels = False,
    setting: options.SettingName = "",
    seed: Annotated[int, typer.Option(min=0, help="Of folds, training and bootstrap.")] = 0,
) -> None:
    """Is weak supervision worth it here? Judge each way to train on gold that it did not see.

    Further options are the algorithm's parameters, as in `train`.

    Example: `compare example --train RUN_ID`
    """
    with Project() as project:
        done = compare(
            project,
            project.task(task, setting),
            train_data,
            gold,
            algorithm=algorithm,
            features=options.feature_names(features),
            params=extra_options(ctx.args, algorithm),
            soft_labels=soft_labels,
            seed=seed,
            show_progress=True,
        )
    show(done)


def show(done: Comparison) -> None:
    """Print a comparison: one table, one sentence."""
    table = Table(
        "trained on", done.measure, "95 % interval", "log loss", "--combine", box=None, pad_edge=False
    )
    for row in done.rows:
        interval = f"{row.low:.3f} to {row.high:.3f}"
        table.add_row(WAYS[row.way], f"{row.figure:.3f}", interval, f"{row.log_loss:.3f}", row.way)
    console = output()
    console.print(
        f"{done.n_gold} gold points, {done.n_weak} weakly labelled; {FOLDS}-fold cross-validation on gold"
    )
    console.print(table)
    console.print(done.sentence)
    console.print(
        "The label model itself was chosen on this gold, so rows with its labels are a little hopeful."
    )
    console.print(f"run {done.run_id}")


if __name__ == "__main__":
    run_command(command, **COMMAND_OPTIONS)

"""Train an end model: features and labels in; an evaluated, registered classifier out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import pandas as pd
import typer

from adaptml.cli.support import extra_options, output, run_command
from adaptml.data import NO_GOLD, Data, described, read_gold, read_labels
from adaptml.errors import ModelError
from adaptml.frames import KEYS, write_preview
from adaptml.labelled import GOLD_LABEL, LABEL, Labelled, labelled
from adaptml.project import Project
from adaptml.runs.tracking import Recorder
from adaptml.tasks import Task
from modelling import train_options as options
from modelling.algorithms import EndModel, get_algorithm
from modelling.combine import AUTO, Combined, Gold, Learner, Weak, combine, cross_validate, list_ways
from modelling.registration import model_to_log, registered_name
from modelling.report import predictions, report, write_predictions
from modelling.sources import DEVELOPMENT_DATA, TRAINING_DATA, Reader, targets, warn_left_out


@dataclass(frozen=True)
class Sources:
    """Where labels come from: each a run of the label step, or a frame that the user named.

    Attributes:
        train: table_name, id, `label` and maybe `label_probs`.
        test: the same for evaluation; `label` is what `lm_…` figures compare with, `gold_label` what
            `gold_…` figures do. Points that stand here too are not trained on.
        gold: a frame with `gold_label` to learn from too, or None. The `gold_…` figures then come from
            cross-validation: each gold point is predicted by a model that did not see it.
    """

    train: Data
    test: Data | None = None
    gold: Data | None = None


@dataclass(frozen=True)
class Trained:
    """What a training run came to.

    Attributes:
        run_id: the MLflow run.
        artifact_uri: where its artifacts lie.
        model: name of the registered model.
        version: the version that the registry gave it.
        way: how gold and weak labels were combined, and why.
        n_train: weakly labelled data points that it was trained on.
        n_gold: gold data points that it was trained on too.
        n_held_out: points of the training frame that were left out because they are gold or tested on.
        metrics: `lm_…` against the label model's labels, `gold_…` against gold.
    """

    run_id: str
    artifact_uri: str
    model: str
    version: str
    way: str
    n_train: int
    n_gold: int
    n_held_out: int
    metrics: Mapping[str, float]


def train(
    project: Project,
    task: str | Task,
    algorithm: str,
    sources: Sources,
    *,
    features: Sequence[str] = (),
    params: Mapping[str, object] | None = None,
    soft_labels: bool = False,
    way: str = AUTO,
    seed: int = 0,
    show_progress: bool = False,
) -> Trained:
    """Train, evaluate and register an end model in one MLflow run.

    Args:
        project: holds the features, the gold and the runs.
        task: the task or its name; the model is registered as `<setting>_<task>`.
        algorithm: name of the algorithm.
        sources: where labels come from.
        features: columns to learn from, concatenated in this order; default: the task file's.
        params: the algorithm's parameters, as values or text.
        soft_labels: train on `label_probs` (noise-aware) in place of `label`.
        way: how gold and weak labels are combined where there is gold: `auto` or one of
            `combine.list_ways()`.
        seed: the same inputs and seed give the same model on the same machine.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: an input cannot be used; the run is then marked FAILED.
    """
    task = project.task(task)
    columns = list(features) or list(task.features)
    chosen = get_algorithm(algorithm)
    if soft_labels and not chosen.takes_weights:
        raise ModelError(
            f"{algorithm} takes no sample weights, which soft labels need; train it on hard labels"
        )
    learner = Learner(chosen, task.problem, chosen.parse(params or {}), soft_labels, seed)
    shown = _parameters(task, algorithm, sources, learner, columns, way)
    source = described(sources.train)
    with project.runs.run(task.name, f"train {algorithm} {task.setting}", shown) as recorder:
        reader = Reader(project.database, columns, show_progress)
        data = _read(project, task, sources)
        warn_left_out(recorder.log, data.training, source)
        if data.gold is not None:
            warn_left_out(recorder.log, data.gold, described(sources.gold))
        weak = Weak(reader.read(data.training.keys), targets(data.training, source, soft_labels))
        gold = None if data.gold is None else Gold(reader.read(data.gold.keys), data.gold.Y)
        done = combine(AUTO if gold is None else way, learner, weak, gold)
        recorder.log.info("trained the way %s: %s", done.way, done.reason)
        recorder.metrics |= {"train_points": len(data.training), "train_points_held_out": data.held_out}
        write_preview(data.training.keys, recorder.folder / "training_data.html")
        if data.gold is not None and gold is not None:
            _evaluate_held_out(task, learner, weak, gold, done, data.gold, recorder)
        if data.test is not None:
            _evaluate(task, done.model, reader, data.test, described(sources.test), recorder)
        example, width = data.training.keys, weak.X.shape[1]
        recorder.model = model_to_log(task, done.model, columns, width, example, recorder.folder)
    return Trained(
        run_id=recorder.run_id,
        artifact_uri=recorder.artifact_uri,
        model=registered_name(task),
        version=str(recorder.model_version),
        way=f"{done.way}: {done.reason}",
        n_train=len(data.training),
        n_gold=0 if data.gold is None else len(data.gold),
        n_held_out=data.held_out,
        metrics=dict(recorder.metrics),
    )


def _parameters(
    task: Task, algorithm: str, sources: Sources, learner: Learner, columns: Sequence[str], way: str
) -> dict[str, object]:
    """What the run records of how it was called."""
    return {
        "task": task.name,
        "setting": task.setting,
        "algorithm": algorithm,
        "features": ",".join(columns),
        "train_data": described(sources.train),
        "test_data": described(sources.test),
        "gold": described(sources.gold),
        "combine": way if sources.gold is not None else "weak",
        "soft_labels": learner.soft_labels,
        "seed": learner.seed,
        **(learner.params.model_dump() if learner.params else {}),
    }


@dataclass(frozen=True)
class _Data:
    """The labels of a run, such that no point is both trained and tested on."""

    training: Labelled
    held_out: int
    gold: Labelled | None
    test: pd.DataFrame | None


def _read(project: Project, task: Task, sources: Sources) -> _Data:
    source = described(sources.train)
    everything = labelled(read_labels(project, sources.train, TRAINING_DATA), task, LABEL, source)
    test = None if sources.test is None else read_labels(project, sources.test, DEVELOPMENT_DATA)
    gold = read_gold(project, sources.gold, task)
    if gold is not None and test is not None:
        learned = pd.MultiIndex.from_frame(gold.keys)
        test = test.loc[~pd.MultiIndex.from_frame(test[KEYS]).isin(learned)].reset_index(drop=True)
        test = test if len(test) else None
    training = everything
    for others in (test, None if gold is None else gold.keys):
        if others is not None:
            training = training.without(others)
    if not len(training):
        raise ModelError(
            "every point of the training data is also tested on; name other training or test data"
        )
    return _Data(training, len(everything) - len(training), gold, test)


def _evaluate(
    task: Task, model: EndModel, reader: Reader, test: pd.DataFrame, source: str, recorder: Recorder
) -> None:
    """Predict the test points once; compare with each kind of label that they have."""
    probs = model.predict_proba(reader.read(test[KEYS]))
    write_predictions(predictions(task, test[KEYS], probs), recorder.folder)
    place = pd.MultiIndex.from_frame(test[KEYS])
    for prefix, column, whose in (
        ("lm", LABEL, "the label model's labels"),
        ("gold", GOLD_LABEL, "gold"),
    ):
        if column in test.columns:
            truth = labelled(test, task, column, source)
            rows = place.get_indexer(pd.MultiIndex.from_frame(truth.keys))
            title = f"End model against {whose}, {len(truth)} points"
            recorder.metrics |= report(recorder.folder, task, truth, probs[rows], prefix, title)


def _evaluate_held_out(
    task: Task, learner: Learner, weak: Weak, gold: Gold, done: Combined, truth: Labelled, recorder: Recorder
) -> None:
    """Figures on gold that was trained on: by cross-validation."""
    held_out = done.held_out.get(done.way) or cross_validate([done.way], learner, weak, gold)[done.way]
    title = f"End model against gold, {len(truth)} points, by cross-validation"
    recorder.metrics |= report(recorder.folder, task, truth, held_out.probs, "gold", title)
    recorder.log.info("gold figures are by cross-validation: the model itself is trained on all gold")
    for way, figures in done.held_out.items():
        recorder.metrics |= {f"way_{way}/log_loss": figures.log_loss, f"way_{way}/figure": figures.figure}


COMMAND_OPTIONS = options.COMMAND_OPTIONS


def command(
    ctx: typer.Context,
    task: options.TaskName,
    train_data: options.TrainData,
    algorithm: options.AlgorithmName = options.DEFAULT_ALGORITHM,
    test_data: Annotated[
        str, typer.Option("--test", help="A run of `label` or a frame to evaluate on; it is not trained on.")
    ] = "",
    features: options.Features = None,
    gold: Annotated[
        str, typer.Option(help="Also learn from gold: `1` (that of process-annotations) or a frame.")
    ] = NO_GOLD,
    combine_way: Annotated[
        str, typer.Option("--combine", help=f"How: auto (the best on gold), {', '.join(list_ways())}.")
    ] = AUTO,
    soft_labels: options.SoftLabels = False,
    setting: options.SettingName = "",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same model.")] = 0,
) -> None:
    """Train, evaluate and register an end model.

    Further options are the algorithm's parameters, such as `--c 3` or `--hidden-layer-sizes 100,50`.

    Example: `train example --train RUN_ID --test RUN_ID --algorithm mlp --max-iter 300`
    """
    with Project() as project:
        chosen = project.task(task, setting)
        sources = Sources(train_data, test_data or None, None if gold in {"0", "none"} else gold)
        done = train(
            project,
            chosen,
            algorithm,
            sources,
            features=options.feature_names(features),
            params=extra_options(ctx.args, algorithm),
            soft_labels=soft_labels,
            way=combine_way,
            seed=seed,
            show_progress=True,
        )
    for name, text in summary(chosen, done):
        output().print(f"{name:<16}{text}")


def summary(task: Task, done: Trained) -> list[tuple[str, str]]:
    """A run's outcome as names and texts, for people to read."""
    gold = f" and {done.n_gold} gold points" if done.n_gold else ""
    others = "gold or tested on" if done.n_gold else "tested on instead"
    held_out = f", {done.n_held_out} more are {others}" if done.n_held_out else ""
    lines = [("trained on", f"{done.n_train} weakly labelled points{gold}{held_out}"), ("way", done.way)]
    figure = task.problem.measure
    for prefix, whose in (("lm", "label model"), ("gold", "gold")):
        if f"{prefix}_{figure}" in done.metrics:
            points = int(done.metrics[f"{prefix}_points"])
            lines.append(
                (f"on {whose}", f"{figure} {done.metrics[f'{prefix}_{figure}']:.3f} on {points} points")
            )
    registered = f"{done.model} version {done.version}; make it the champion: adaptml deploy {done.model}"
    return [*lines, ("registered", registered), ("run", done.run_id), ("artifacts", done.artifact_uri)]


if __name__ == "__main__":
    run_command(command, **COMMAND_OPTIONS)

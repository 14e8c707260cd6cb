"""`adaptml train`."""

from typing import Annotated, Any

import typer

from adaptml.cli import options
from adaptml.cli.keeping import on_host, say
from adaptml.cli.support import extra_options, output, project_here
from adaptml.errors import ModelError

COMMAND_OPTIONS: dict[str, Any] = options.TAKES_MORE
AlgorithmName = Annotated[
    str | None,
    typer.Option(
        "--algorithm",
        help="One of hist_gradient_boosting, knn, linear_svm, logistic_regression, mlp, setfit, transformer.",
        show_default="the task's, else logistic_regression",
    ),
]


def command(
    ctx: typer.Context,
    task: options.TaskName,
    data: options.LabelledData,
    algorithm: AlgorithmName = None,
    test: Annotated[
        str,
        typer.Option(
            "--test",
            metavar="RUN|DATA|SHARE",
            help="What to evaluate on, and not to train on: a run, a file, or a share such as 0.2.",
        ),
    ] = "",
    gold: options.Gold = "none",
    strategy: Annotated[
        str | None,
        typer.Option(
            "--strategy",
            help="How gold and weak labels are combined: auto (the best on gold), constant, "
            "label_model, gold, weak, union, stacked, stacked_votes, relabelled, relabelled_votes.",
            show_default="the task's, else auto",
        ),
    ] = None,
    features: options.Features = None,
    soft_labels: options.SoftLabels = None,
    labels: Annotated[
        str, typer.Option("--labels", hidden=True, help="hard or soft, as mlflow run has it.")
    ] = "",
    setting: options.SettingName = "",
    seed: options.SeedIfAny = None,
    search: Annotated[
        int | None,
        typer.Option(
            "--search", metavar="N", help="Try N settings of the algorithm's parameters; the best is taken."
        ),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(
            "--max-memory",
            metavar="SIZE",
            help="About how much memory it may take in all, such as 4GB; points that do not fit are learned "
            "from a block at a time.",
            show_default="half of what is free",
        ),
    ] = None,
    keep: options.Keep = False,
    stack: options.OnStack = None,
    say_kept: options.SayKept = False,
    no_texts: options.NoTexts = False,
) -> None:
    """Train, evaluate and register an end model.

    Further options are the algorithm's parameters, such as `--C 3` or `--hidden-layer-sizes 100,50`. What is
    not given is as the task file keeps it under `train`, else built in.

    Example: `adaptml train example --data RUN_ID --test RUN_ID --algorithm mlp --max-iter 300`
    """
    if keep and on_host(ctx, "train", task, stack):
        return
    with project_here() as project:
        done = project.train(
            project.task(task, setting) if setting else task,
            data,
            algorithm=algorithm,
            test=test or None,
            gold=gold,
            features=options.names_in(features),
            params=extra_options(ctx.args, algorithm or "the algorithm"),
            soft_labels=soft(labels) if soft_labels is None else soft_labels,
            strategy=strategy,
            seed=seed,
            search=search,
            keep=keep,
            max_memory=max_memory,
            texts=not no_texts,
            show_progress=True,
        )
    for name, text in done.lines:
        output().print(f"{name:<16}{text}")
    if say_kept:
        say(done.run_id, done.to_keep)


def soft(labels: str) -> bool | None:
    """What the words of `mlflow run` mean; None for none.

    Raises:
        ModelError: another word.
    """
    if labels not in ("", "hard", "soft"):
        raise ModelError(f"labels is {labels!r}; expected hard or soft")
    return {"hard": False, "soft": True}.get(labels)

"""`adaptml …`: one command a step; each is imported only when it is asked for."""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from adaptml.cli.orders import order_of_now
from adaptml.cli.support import Group, command_app, new_app

# name → module that holds the function `command` (or the Typer app `app`), and its line in the list
STEPS = {
    "import": ("adaptml.cli.import_table", "Make a data table from files, or bring it up to date."),
    "forget": ("adaptml.cli.forget", "Remove data points from everything that is kept."),
    "tables": ("adaptml.cli.tables", "List the tables and what is known of them."),
    "find": ("adaptml.cli.find", "Find the rows of a table that meet conditions, and count them."),
    "task": ("adaptml.cli.task", "Make, check and list tasks."),
    "featurize": ("adaptml.cli.featurize", "Compute lemmas and vectors of a table's texts."),
    "features": ("adaptml.cli.features", "List the versions of features; compare and drop them."),
    "lemmas": ("adaptml.cli.lemmas", "Show what becomes of the words of a text."),
    "sample-tasks": ("adaptml.cli.sample_tasks", "Sample data points for annotation."),
    "sample-points": ("adaptml.cli.sample_points", "Choose data points to label and to train on."),
    "annotate": ("adaptml.cli.annotate", "Annotate in Label Studio: project, tasks, annotations."),
    "process-annotations": (
        "adaptml.cli.process_annotations",
        "Turn an annotation export into gold labels.",
    ),
    "gold": ("adaptml.cli.gold", "Show gold labels, and take in some written by hand."),
    "annotator-agreement": (
        "adaptml.cli.annotator_agreement",
        "Krippendorff's alpha, and what to fix.",
    ),
    "lfs": ("adaptml.cli.lfs", "Try labelling functions on a sample and look at the rows."),
    "label": ("adaptml.cli.label", "Turn labelling functions' votes into training data."),
    "train": ("adaptml.cli.train", "Train, evaluate and register an end model."),
    "compare": ("adaptml.cli.compare", "Is weak supervision worth it here?"),
    "deploy": ("adaptml.cli.deploy", "Make a version of a model the champion."),
    "export": ("adaptml.cli.export", "Write an end model into a folder, to serve it anywhere."),
    "serve": ("adaptml.cli.serve", "Serve champions, or exported models, over HTTP."),
    "predict": ("adaptml.cli.predict", "Predict many data points at once."),
    "watch": ("adaptml.cli.watch", "Say what moved in the rows that came since the training."),
    "run": ("adaptml.cli.run", "Do everything, from new rows to a comparison with the champion."),
    "runs": ("adaptml.cli.runs", "List runs with their metrics."),
    "jobs": ("adaptml.cli.jobs", "List, start and cancel jobs: steps that run in the background."),
    "worker": ("adaptml.cli.worker", "Run the jobs of this container, or of this project."),
    "scale": ("adaptml.cli.scale", "Have steps done on other machines: a scheduler, and its workers."),
    "ui": ("adaptml.cli.ui", "Open the page: rules at work, and everything run from it."),
    "up": ("adaptml.stack.up", "Start the Docker stack and wait until it is healthy."),
    "down": ("adaptml.stack.down", "Stop the Docker stack; its data stay."),
    "status": ("adaptml.cli.status", "Show stores, runs, models and disk, and what is wrong with them."),
    "logs": ("adaptml.stack.logs", "Show what the Docker stack's services say."),
    "backup": ("adaptml.cli.backup", "Copy all that the project, or its Docker stack, keeps."),
    "restore": ("adaptml.cli.restore", "Fill an empty home folder or Docker stack from a backup."),
    "secrets": ("adaptml.stack.rotate", "Give the Docker stack new passwords, tokens and keys."),
    "settings": ("adaptml.cli.settings", "Show the settings and where they come from."),
}


class _Steps(Group):
    """The steps, listed without being imported: torch and MLflow take seconds."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Names of the steps, in the order of the work."""
        return list(STEPS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the step's name and line, for lists."""
        return TyperCommand(cmd_name, help=STEPS[cmd_name][1]) if cmd_name in STEPS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The step itself, imported now; an order of before is answered with the order of now."""
        step = args[0]
        if step not in STEPS and not step.startswith("-"):
            alike = [name for name in STEPS if name.startswith(step)] or get_close_matches(step, STEPS)
            ctx.fail(f"no command {step!r}" + (f"; did you mean {' or '.join(alike)}?" if alike else ""))
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, stand_in, rest
        order = order_of_now(name, rest)
        if order is not None:
            ctx.fail(f"this order is of before; it is now: `{order}`")
        module = import_module(STEPS[name][0])
        app = (
            module.app
            if hasattr(module, "app")
            else command_app(module.command, name=name, **getattr(module, "COMMAND_OPTIONS", {}))
        )
        return name, typer.main.get_command(app), rest


app = new_app(cls=_Steps)


@app.callback()
def about() -> None:
    """Data programming: from a growing table and rules about it to a classifier that is served."""


def main() -> None:
    """Run the command line."""
    app()

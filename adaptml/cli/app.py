"""`adaptml …`: one command a step; each is imported only when it is asked for."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from adaptml.cli.support import command_app, new_app

# name → module that holds the function `command` (or the Typer app `app`), and its line in the list
STEPS = {
    "task": ("adaptml.cli.task", "Make, check and list tasks."),
    "featurize": ("adaptml.features.featurize", "Compute lemmas and vectors of a table's texts."),
    "sample-tasks": ("labelstudio.sample_tasks", "Sample data points for annotation."),
    "sample-points": ("adaptml.sampling.sample_points", "Choose data points to label and to train on."),
    "annotate": ("labelstudio.annotate", "Annotate in Label Studio: project, tasks, annotations."),
    "process-annotations": ("labelstudio.process_annotations", "Turn an annotation export into gold labels."),
    "annotator-agreement": ("labelstudio.annotator_agreement", "Krippendorff's alpha and what to mend."),
    "label": ("dataprogramming.label", "Turn labelling functions' votes into training data."),
    "train": ("modelling.train", "Train, evaluate and register an end model."),
    "compare": ("modelling.compare", "Is weak supervision worth it here?"),
    "deploy": ("modelling.deploy", "Make a version of a model the champion."),
    "serve": ("modelling.serve", "Serve every champion over HTTP."),
    "predict": ("modelling.predict", "Predict many data points at once."),
    "up": ("adaptml.stack.up", "Start the Docker stack and wait until it is healthy."),
    "down": ("adaptml.stack.down", "Stop the Docker stack; its data stay."),
    "status": ("adaptml.stack.status", "Show the Docker stack's health, versions and disk."),
    "logs": ("adaptml.stack.logs", "Show what the Docker stack's services say."),
    "backup": ("adaptml.stack.backup", "Copy all data of the Docker stack into a folder."),
    "restore": ("adaptml.stack.restore", "Fill an empty Docker stack from a backup."),
    "settings": ("adaptml.cli.settings", "Show the settings and where they come from."),
}


class _Steps(TyperGroup):
    """The steps, listed without being imported: torch and MLflow take seconds."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Names of the steps, in the order of the work."""
        return list(STEPS)

    def get_command(self, _ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the step's name and line, for lists."""
        return TyperCommand(cmd_name, help=STEPS[cmd_name][1]) if cmd_name in STEPS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The step itself, imported now."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, stand_in, rest
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

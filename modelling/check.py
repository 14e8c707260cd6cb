"""Whether the champions load: what the service and `predict` would stop at."""

from collections.abc import Iterator

from mlflow.exceptions import MlflowException

from adaptml.errors import AdaptmlError, one_line
from adaptml.project import Project
from adaptml.runs.registry import CHAMPION, end_models
from adaptml.tasks.check import Finding
from modelling.champion import load_champion


def check_champions(project: Project) -> Iterator[Finding]:
    """Load every champion; a model without one, and one that does not load, are told.

    Args:
        project: whose registry can be used.

    Raises:
        TrackingError: the registry cannot be used.
    """
    client = project.runs.client
    for model in end_models(client):
        version = model.aliases.get(CHAMPION)
        if version is None:
            text = f"{model.name} has no champion; choose a version: `adaptml deploy {model.name}`"
            yield Finding("warning", "model", text)
            continue
        try:
            champion = load_champion(client, project.points, model.name, str(version))
        except (MlflowException, AdaptmlError) as error:
            text = f"champion {model.name} version {version} does not load: {one_line(error)}; train it again"
            yield Finding("error", "model", text)
            continue
        yield Finding("ok", "model", f"{model.name} version {version}, {len(champion.classes)} classes")

"""Deploy an end model: give one of its versions the alias that the prediction service follows."""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from adaptml.errors import ModelError, TrackingError, listed, one_line
from adaptml.features.uses import note_uses
from adaptml.project import Project
from adaptml.runs.class_lists import CLASSES_TAG
from adaptml.runs.registry import CHAMPION, end_models
from modelling.champion import load_champion, note_on_classes
from modelling.keyed import KeyedModel

MAX_LISTED = 20
# On a version that is or was the champion: who made it that, when (UTC, ISO 8601), in place of which version.
BY_TAG, AT_TAG, REPLACED_TAG = "adaptml.deployed_by", "adaptml.deployed_at", "adaptml.replaced"


@dataclass(frozen=True)
class Deployed:
    """The result of deploying.

    Attributes:
        model: name in the registry.
        version: the version that is the champion now.
        previous: the version that was it before, or None.
        note: that the model was made with other classes than its task has now; else empty.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled)
        >>> project.deploy(trained.model_name).version == trained.version
        True
    """

    model: str
    version: str
    previous: str | None
    note: str = ""


def deploy(project: Project, model: str, version: str | None = None, *, by: str = "") -> Deployed:
    """Make a version of a registered end model the champion; a running service takes it within 10 s.

    Args:
        project: whose registry it is.
        model: name in the registry, such as `multiclass_example`.
        version: the version; default: the latest.
        by: name of who decided it, which is kept with the version, as are the time and the version that it
            took the place of.

    Raises:
        ModelError: no such end model or version, or one that the service would not load.
        TrackingError: the registry cannot be used.
        DatabaseError: that the champion uses its features cannot be noted in the database.

    Example:
        >>> labelled = project.label("spam", "comments", label_model="majority_vote")
        >>> trained = project.train("spam", labelled)
        >>> project.deploy("multiclass_spam", trained.version).model
        'multiclass_spam'
    """
    version, previous = version_and_champion(project, model, version)
    client = project.runs.client
    try:
        loaded = load_champion(client, project.points, model, version)
        assert isinstance(loaded.model, KeyedModel)  # noqa: S101 - what `load_champion` loads
        note_uses(project.results, model, loaded.model.reads)
        client.set_registered_model_alias(model, CHAMPION, version)
        if version != previous:
            _note(client, model, version, by=by, replaced=previous)
        now = client.get_registered_model(model).tags.get(CLASSES_TAG)
    except MlflowException as error:
        raise TrackingError(
            f"{model} could not be deployed: {one_line(error)}; see that MLflow runs"
        ) from error
    return Deployed(
        model, version, previous, note_on_classes(f"{model} version {version}", loaded.classes, now)
    )


def _note(client: MlflowClient, model: str, version: str, *, by: str, replaced: str | None) -> None:
    """Keep with a version who made it the champion, when, and in place of which."""
    said = {BY_TAG: by, AT_TAG: datetime.now(UTC).isoformat(timespec="seconds"), REPLACED_TAG: replaced or ""}
    for tag, value in said.items():
        client.set_model_version_tag(model, version, tag, value)


def version_and_champion(project: Project, model: str, version: str | None) -> tuple[str, str | None]:
    """A version of a registered end model, the latest for None; and the one that is the champion, if any.

    Raises:
        ModelError: no such end model or version.
        TrackingError: the registry cannot be used.
    """
    client = project.runs.client
    try:
        known = {found.name: found for found in end_models(client)}
        registered = known.get(model)
        if registered is None:
            names = listed(sorted(known), MAX_LISTED) or "none"
            raise ModelError(f"no end model {model!r} in the registry; it has {names}: train it first")
        champion = registered.aliases.get(CHAMPION)
        return _version(client, model, version), None if champion is None else str(champion)
    except MlflowException as error:
        raise TrackingError(
            f"{model} cannot be looked up: {one_line(error)}; see that MLflow runs"
        ) from error


def _version(client: MlflowClient, model: str, wanted: str | None) -> str:
    found = client.search_model_versions(f"name = '{model}'", max_results=10_000)
    ready = sorted((int(v.version) for v in found if v.status == "READY"), reverse=True)
    if not ready:
        raise ModelError(f"end model {model!r} has no version that is ready; train it first")
    if wanted is None:
        return str(ready[0])
    if wanted not in map(str, ready):
        has = listed(ready, MAX_LISTED)
        raise ModelError(f"end model {model!r} has no version {wanted!r}; it has {has}: name one of those")
    return wanted


if __name__ == "__main__":
    from adaptml.cli.support import run_file

    run_file("deploy")

"""The versions of a task's end models: which is the champion, how good each is, who deployed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from adaptml.errors import TrackingError, one_line
from adaptml.project import Project
from adaptml.runs.class_lists import CLASSES_TAG, classes_text
from adaptml.runs.opening import store_errors
from adaptml.runs.registry import CHAMPION, end_models
from adaptml.tasks import PROBLEM_TYPES, Task
from modelling.deploy import AT_TAG, BY_TAG, REPLACED_TAG
from modelling.registration import registered_name


@dataclass(frozen=True)
class Version:
    """One version of a registered end model.

    Attributes:
        version: its number, as text.
        made: when it was registered (UTC).
        is_champion: whether the prediction service answers with it.
        run_id: the run that trained it; empty where that is gone.
        params, metrics: of that run.
        of_before: whether it was trained with other classes than its task has now.
        deployed_by, deployed_at: who made it the champion last, and when (ISO 8601); empty where nobody did.
        replaced: the version that was the champion before it; empty where there was none.
    """

    version: str
    made: datetime
    is_champion: bool
    run_id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    of_before: bool
    deployed_by: str
    deployed_at: str
    replaced: str


@dataclass(frozen=True)
class RegisteredVersions:
    """A registered end model of a task.

    Attributes:
        name: in the registry; its endpoint is `/predict_<name>`.
        measure: `accuracy` or `f1_samples`.
        champion: the version that is the champion; None where none is.
        versions: the newest first.
    """

    name: str
    measure: str
    champion: str | None
    versions: Sequence[Version]

    @property
    def before(self) -> str | None:
        """The version to roll back to: that which was the champion before the one of now; None for none."""
        now = next((found for found in self.versions if found.is_champion), None)
        there = {found.version for found in self.versions}
        return now.replaced if now is not None and now.replaced in there else None


def model_versions(project: Project, task: str | Task) -> list[RegisteredVersions]:
    """A task's registered end models, one for each setting that it was trained in.

    Args:
        project: whose registry it is.
        task: the task or its name.

    Raises:
        TrackingError: the registry cannot be used.
    """
    task = project.task(task)
    names = {registered_name(task.with_setting(setting)): setting for setting in PROBLEM_TYPES}
    client = project.runs.client
    try:
        known = [found for found in end_models(client) if found.name in names]
        classes = classes_text(task.class_names)
        return [_versions(project, one, PROBLEM_TYPES[names[one.name]].measure, classes) for one in known]
    except store_errors() as error:
        said = one_line(error)
        raise TrackingError(f"the registry cannot be read: {said}; see that MLflow runs") from error


def _versions(project: Project, model: RegisteredModel, measure: str, classes: str) -> RegisteredVersions:
    champion = model.aliases.get(CHAMPION)
    found = project.runs.client.search_model_versions(f"name = '{model.name}'", max_results=10_000)
    ready = sorted((one for one in found if one.status == "READY"), key=lambda one: -int(one.version))
    versions = [_version(one, _run(project, one), str(champion), classes) for one in ready]
    return RegisteredVersions(model.name, measure, None if champion is None else str(champion), versions)


def _version(found: ModelVersion, run: Run | None, champion: str, classes: str) -> Version:
    made_with = "" if run is None else run.data.tags.get(CLASSES_TAG, "")
    return Version(
        version=str(found.version),
        made=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
        is_champion=str(found.version) == champion,
        run_id="" if run is None else run.info.run_id,
        params={} if run is None else dict(run.data.params),
        metrics={} if run is None else dict(run.data.metrics),
        of_before=bool(made_with) and made_with != classes,
        deployed_by=found.tags.get(BY_TAG, ""),
        deployed_at=found.tags.get(AT_TAG, ""),
        replaced=found.tags.get(REPLACED_TAG, ""),
    )


def _run(project: Project, found: ModelVersion) -> Run | None:
    """The run that trained a version; None where it was removed."""
    try:
        return project.runs.client.get_run(str(found.run_id))
    except MlflowException:
        return None

"""The model registry: which end models there are, and which version of each is the champion."""

import posixpath
from collections.abc import Sequence
from pathlib import Path

from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient

from adaptml.runs.models import END_MODEL, KIND_TAG, on_this_machine

CHAMPION = "champion"


def end_models(client: MlflowClient) -> list[RegisteredModel]:
    """All registered end models; label models are registered too and are left out.

    Raises:
        MlflowException: the registry does not answer.
    """
    found: list[RegisteredModel] = []
    token: str | None = None
    while True:
        page = client.search_registered_models(f"tags.`{KIND_TAG}` = '{END_MODEL}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def model_files(client: MlflowClient, name: str, version: str, folder: Path, wanted: Sequence[str]) -> Path:
    """The folder of a registered version's files: where they lie on this machine, else a copy of some.

    Args:
        client: of the registry.
        name: name of the registered model.
        version: its version.
        folder: files that lie elsewhere are copied there, and nothing else that the server lists.
        wanted: which, as paths in the model's folder; those that are not there are left out.

    Raises:
        MlflowException: no such version, or its files cannot be fetched.
    """
    uri = client.get_model_version_download_uri(name, version)
    here = on_this_machine(uri)
    if here is not None:
        if here.is_dir():
            return here
        raise MlflowException(f"its files are not in {here}")
    repository = get_artifact_repository(uri, tracking_uri=client.tracking_uri)
    for parent in dict.fromkeys(map(posixpath.dirname, wanted)):
        there = {found.path for found in repository.list_artifacts(parent or None) if not found.is_dir}
        for path in wanted:
            if path in there and posixpath.dirname(path) == parent:
                repository.download_artifacts(path, str(folder))  # type: ignore[no-untyped-call]
    return folder

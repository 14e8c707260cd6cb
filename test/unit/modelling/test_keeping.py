"""`--keep` typed on the host of the Docker stack: a container does the step, the host writes its task file."""

import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adaptml.cli.support import command_app
from adaptml.cli.train import COMMAND_OPTIONS, command
from adaptml.project import Project
from adaptml.tasks import Task

# Docker as far as it is used here: a process of its own that does what is typed in the container.
DOCKER = """#!/bin/sh
while [ "$1" != adaptml ]; do shift; done
shift
STACK_SERVICE=modelling-mlflow exec {python} -m adaptml.cli "$@"
"""


@pytest.fixture
def docker(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that is found under the name docker, beside a project with a Compose file."""
    (project.settings.root / "docker-compose.yml").write_text("services: {}\n")
    file = tmp_path / "bin" / "docker"
    file.parent.mkdir()
    file.write_text(DOCKER.format(python=sys.executable))
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{file.parent}{os.pathsep}{os.environ['PATH']}")
    return file


def typed(*words: str) -> str:
    return CliRunner().invoke(command_app(command, **COMMAND_OPTIONS), list(words)).output


def test_the_host_writes_what_the_container_used(
    project: Project, task: Task, data: str, docker: Path
) -> None:
    printed = typed("side", "--data", data, "--algorithm", "knn", "--n-neighbors", "3", "--stack", "--keep")
    path = project.settings.tasks_dir / "side" / "task.yaml"
    assert path.read_text().endswith("train:\n  algorithm: knn\n  params: {n_neighbors: 3}\n"), printed
    assert "trained on      40 weakly labelled points" in printed
    assert f"kept            {path}, train: algorithm knn, params (n_neighbors 3)" in printed
    assert '"values"' not in printed


def test_a_container_of_an_earlier_version_is_said(
    project: Project, task: Task, data: str, docker: Path
) -> None:
    docker.write_text("#!/bin/sh\necho trained\n")
    printed = typed("side", "--data", data, "--stack", "--keep")
    assert (
        "modelling-mlflow did not say what there is to keep but 'trained'; expected an image of this version"
        in printed
    )


def test_a_container_says_to_type_it_on_the_host(
    project: Project, task: Task, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STACK_SERVICE", "modelling-mlflow")
    printed = typed("side", "--data", data, "--keep")
    assert (
        "`adaptml train side … --keep` was typed in the container modelling-mlflow; expected on the host"
        in printed
    )
    assert project.list_runs().empty

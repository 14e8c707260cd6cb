"""The example, labelled and predicted: what a task knows of rows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import adaptml
from adaptml.database import WritebackKind, write_back
from adaptml.project import Project


@pytest.fixture(scope="module")
def spam(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Project]:
    """The example project after `label --write`, with predictions of 3 rows."""
    made = adaptml.example_project(tmp_path_factory.mktemp("browsing") / "project")
    shutil.copy(empty_store, made.settings.home / "mlflow.db")
    with made as project:
        project.label("spam", "comments", label_model="majority_vote", gold="task", write=True)
        predicted = pd.DataFrame(
            {
                "table_name": "comments",
                "id": ["h0", "h1", "s0"],
                "label": [["ham"], ["spam"], ["spam"]],
                "label_probs": [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]],
                "model": "spam/1",
            }
        )
        write_back(project.results, project.task("spam"), WritebackKind.PREDICTIONS, predicted, "r1")
        yield project

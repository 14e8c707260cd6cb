import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from programs import program

from adaptml.database import Database
from adaptml.features.encoders import get_encoder
from adaptml.frames import read_frame
from adaptml.project import Project
from example_data import example_data_import as module
from example_data.example_data_import import import_example_data


@pytest.fixture
def here(database: Database) -> Iterator[Project]:
    with Project(database_url=database.engine.url.render_as_string(hide_password=False)) as project:
        yield project


def test_posts_features_and_id_frames(database: Database, here: Project) -> None:
    done = import_example_data(here)
    assert (done.posts, done.new, done.featurized.rows) == (440, 440, 440)
    assert list(database.columns("example_data")) == ["id", "txt"]
    key = pd.DataFrame({"table_name": ["example_data"], "id": ["001"]})
    row = here.points.read(key, ["txt", "txt_clean_lemma", "txt_vec"]).iloc[0]
    assert row["txt"] == module.read_posts()["txt"][0]
    assert row["txt_clean_lemma"]
    alone = get_encoder("hybrid").encode([row["txt"]])[0]  # the import encoded it in a batch
    assert row["txt_vec"] @ alone > 0.9999 * np.linalg.norm(row["txt_vec"]) * np.linalg.norm(alone)

    frames = {name: read_frame(path) for name, path in done.frames.items()}
    assert {name: len(frame) for name, frame in frames.items()} == {"multiclass": 175, "multilabel": 175}
    assert done.frames["multiclass"] == here.settings.unlabeled_data / "multiclass.parquet"
    ids = pd.concat(frames.values())
    assert set(ids["table_name"]) == {"example_data"}
    assert ids["id"].is_unique
    assert len(database.read(ids, ["txt"])) == 350


def test_importing_again_changes_nothing(database: Database, here: Project) -> None:
    first = import_example_data(here)
    frames = {name: read_frame(path) for name, path in first.frames.items()}
    again = import_example_data(here)
    assert (again.posts, again.new, again.featurized.rows) == (440, 0, 0)
    assert database.count("example_data") == 440
    for name, path in again.frames.items():
        assert read_frame(path).equals(frames[name])


@pytest.mark.parametrize("how", ["as a module", "as a script"])
def test_it_runs(clean_room: Path, how: str) -> None:
    if how == "as a module":
        done = program("example_data.example_data_import")
    else:
        command = [sys.executable, module.__file__]
        done = subprocess.run(command, capture_output=True, text=True, cwd=clean_room)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "440 posts in table example_data (440 new), 440 featurised"
    assert (clean_room / "workspace" / "unlabeled_data" / "multilabel.parquet").is_file()

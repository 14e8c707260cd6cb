"""What a label run left behind of its points: its own votes, and those of runs before votes had keys."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adaptml.errors import AnnotationError, TrackingError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.runs.label_run import RunFiles
from adaptml.runs.label_run_before import votes_of_before
from adaptml.settings import Settings

KEYS = pd.DataFrame({"table_name": ["posts"] * 4 + ["other"], "id": ["1", "2", "3", "4", "1"]})
L = np.array(
    [[0, 1], [0, -1], [-1, -1], [1, 1], [0, 1]], np.int8
)  # disputed, one vote, none, agreed, disputed


def recorded(project: Project, tmp_path: Path, *, with_keys: bool) -> RunFiles:
    covered = (L >= 0).any(axis=1)
    training = KEYS[covered].assign(label=[["x"]] * 4, label_probs=[[0.5, 0.5]] * 4)
    write_frame(KEYS, project.settings.root / "points.parquet")
    with project.runs.run(
        "t", "label", {"setting": "multiclass", "train_data": "points.parquet"}
    ) as recorder:
        write_frame(training, recorder.folder / "training_data.parquet")
        if with_keys:
            write_frame(KEYS.assign(a=L[:, 0], b=L[:, 1]), recorder.folder / "votes.parquet")
        else:
            np.save(recorder.folder / "train_label_matrix.npy", L)
    folder = tmp_path / "files"
    folder.mkdir()
    return RunFiles(project, recorder.run_id, folder)


def ids(stream: object) -> list[str]:
    return [key for keys, scores in stream for key in keys.tolist() if scores.all()]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("tracking")
@pytest.mark.parametrize("with_keys", [True, False])
def test_disputed_and_uncovered_points_of_a_table(project: Project, tmp_path: Path, with_keys: bool) -> None:
    run = recorded(project, tmp_path, with_keys=with_keys)
    assert ids(run.disputed("posts")) == ["1"]
    assert ids(run.uncovered("posts")) == ["3"]
    assert ids(run.disputed("other")) == ["1"]
    assert ids(run.uncovered("other")) == []


@pytest.mark.usefixtures("tracking")
def test_votes_with_keys_need_no_frame(project: Project, tmp_path: Path) -> None:
    run = recorded(project, tmp_path, with_keys=True)
    (project.settings.root / "points.parquet").unlink()
    assert ids(run.uncovered("posts")) == ["3"]


@pytest.mark.usefixtures("tracking")
def test_votes_of_before_need_the_frame_as_it_was(project: Project, tmp_path: Path) -> None:
    run = recorded(project, tmp_path, with_keys=False)
    write_frame(KEYS.iloc[::-1], project.settings.root / "points.parquet")
    with pytest.raises(
        AnnotationError, match=f"has changed since run {run.run_id} labelled it; run `adaptml label`"
    ):
        ids(run.uncovered("posts"))
    (project.settings.root / "points.parquet").unlink()
    with pytest.raises(AnnotationError, match="labelled a frame that is gone"):
        ids(run.uncovered("posts"))


def test_a_run_that_is_not_there(project: Project, tracking: Settings, tmp_path: Path) -> None:
    assert tracking.home == project.settings.home
    with pytest.raises(TrackingError, match="run nothing cannot be read"):
        ids(RunFiles(project, "nothing", tmp_path).uncovered("posts"))


def test_a_pickle_that_a_run_names_is_not_opened(tmp_path: Path) -> None:
    """Whoever writes to MLflow could name one; nobody typed its path here."""
    np.save(tmp_path / "matrix.npy", np.zeros((1, 1), np.int8))
    pd.DataFrame({"table_name": ["t"], "id": ["1"]}).to_pickle(tmp_path / "points.pkl")
    read = votes_of_before(
        "f" * 32, tmp_path / "matrix.npy", tmp_path / "points.pkl", tmp_path / "labels.parquet"
    )
    with pytest.raises(AnnotationError, match=r"points\.pkl is a pickle, which can run code"):
        next(read)

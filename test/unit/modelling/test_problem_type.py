"""Which problem a model is trained for."""

from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from side_task import side, write
from typer.testing import CliRunner

from adaptml.cli.app import app
from adaptml.errors import ModelError
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task
from modelling.compare import compare
from modelling.train import train


class TestProblemType:
    """Which problem a model is trained for."""

    SAID: ClassVar[dict[str, object]] = {
        "task": "side",
        "setting": "multilabel",
        "classes": ["left", "right"],
    }

    def frame(self, path: Path, said: dict[str, object] | None = None) -> str:
        source = write(path, list(range(40)))
        write_frame(pd.read_parquet(source), path, said or self.SAID)
        return source

    def test_a_name_takes_what_the_labels_were_made_for(
        self, project: Project, task: Task, tmp_path: Path
    ) -> None:
        done = train(project, "side", self.frame(tmp_path / "many.parquet"))
        assert (done.model_name, done.task.setting) == ("multilabel_side", "multilabel")
        gold = write(tmp_path / "gold.parquet", list(range(20, 60)), gold_label=side)
        assert compare(project, "side", tmp_path / "many.parquet", gold).measure == "f1_samples"

    def test_a_run_says_it_in_its_parameters_where_the_frame_does_not(
        self, project: Project, task: Task, data: str
    ) -> None:
        with project.runs.run("side", "label multilabel", {"setting": "multilabel"}) as run:
            write_frame(pd.read_parquet(data), run.folder / "training_data.parquet")
        assert train(project, "side", run.run_id).model_name == "multilabel_side"
        with pytest.raises(
            ModelError, match=f"the task is multiclass, and {run.run_id} was labelled as multil"
        ):
            train(project, task, run.run_id)

    def test_a_contradiction_is_one_line(
        self, project: Project, task: Task, tmp_path: Path, data: str
    ) -> None:
        source = self.frame(tmp_path / "many.parquet")
        with pytest.raises(
            ModelError, match=r"^the task is multiclass, and .* was labelled as multilabel; leave"
        ):
            train(project, task, source)
        result = CliRunner().invoke(app, ["train", "side", "--data", source, "--setting", "multiclass"])
        assert result.exit_code == 1
        assert result.stderr.startswith("error: the task is multiclass, and ")
        assert result.stderr.count("\n") == 1
        one = self.frame(tmp_path / "one.parquet", self.SAID | {"setting": "multiclass"})
        with pytest.raises(
            ModelError, match=r"one\.parquet is multilabel|many.parquet is multilabel|labelled as"
        ):
            train(project, "side", source, test=one)

    def test_labels_of_other_classes_are_refused(self, project: Project, task: Task, tmp_path: Path) -> None:
        said = {"setting": "multiclass", "classes": ["right", "left"]}
        with pytest.raises(
            ModelError, match=r"labelled with the classes right, left, and task 'side' has left"
        ):
            train(project, "side", self.frame(tmp_path / "swapped.parquet", said))

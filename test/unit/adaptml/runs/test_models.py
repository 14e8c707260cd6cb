"""The folder that a model is written to is what MLflow's own `save_model` writes, and MLflow loads it."""

from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
import yaml
from mlflow.models import Model, infer_signature

from adaptml.runs.models import ModelToLog, save_model

CODE = """
from pathlib import Path
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

class Adds(PythonModel):
    def load_context(self, context):
        self.number = int(Path(context.artifacts["number"]).read_text())

    def predict(self, context, model_input, params=None):
        return pd.DataFrame({"sum": model_input["n"] + self.number})

set_model(Adds())
"""
EXAMPLE = pd.DataFrame({"n": [1, 2], "name": ["ä", 'a "b"']})
REQUIREMENTS = ["mlflow-skinny==3.17.2", "pandas==3.1.1"]


@pytest.fixture
def model(tmp_path: Path) -> ModelToLog:
    """A model that adds the number in its file."""
    (tmp_path / "adds.py").write_text(CODE)
    (tmp_path / "number.txt").write_text("40")
    return ModelToLog(
        registered_name="adds",
        kind="end_model",
        code=tmp_path / "adds.py",
        files={"number": tmp_path / "number.txt"},
        signature=infer_signature(EXAMPLE, pd.DataFrame({"sum": [1]})),
        input_example=EXAMPLE,
        requirements=REQUIREMENTS,
    )


def test_mlflow_loads_it_and_reads_its_example_and_requirements(model: ModelToLog, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save_model(model, folder)
    model.code.unlink()
    model.files["number"].unlink()
    loaded = mlflow.pyfunc.load_model(str(folder))
    example = Model.load(str(folder)).load_input_example(str(folder))
    pd.testing.assert_frame_equal(example, EXAMPLE)
    assert loaded.predict(example)["sum"].tolist() == [41, 42]
    requirements = mlflow.pyfunc.get_model_dependencies(str(folder))
    assert Path(requirements).read_text().split() == REQUIREMENTS
    assert str(tmp_path) not in (folder / "MLmodel").read_text()


def test_it_says_what_mlflow_s_own_says(model: ModelToLog, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    save_model(model, ours)
    mlflow.pyfunc.save_model(
        theirs,
        python_model=str(model.code),
        artifacts={"number": str(model.files["number"])},
        signature=model.signature,
        input_example=EXAMPLE,
        pip_requirements=REQUIREMENTS,
    )
    names = sorted(str(path.relative_to(theirs)) for path in theirs.rglob("*"))
    assert sorted(str(path.relative_to(ours)) for path in ours.rglob("*")) == names
    said, expected = described(ours), described(theirs)
    assert said == expected
    for name in ("requirements.txt", "input_example.json", "serving_input_example.json", "python_env.yaml"):
        # JSON is YAML; what pip and setuptools were at hand is no part of a model.
        read = [yaml.safe_load((folder / name).read_text()) for folder in (ours, theirs)]
        for found in read:
            if isinstance(found, dict):
                found.pop("build_dependencies", None)
        assert read[0] == read[1], name


def described(folder: Path) -> dict[str, Any]:
    """What `MLmodel` says, without ids, dates, and what is noted of this machine."""
    found: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text())
    for name in ("model_uuid", "utc_time_created", "model_size_bytes"):
        found.pop(name, None)
    pyfunc = found["flavors"]["python_function"]
    pyfunc["model_code_path"] = Path(pyfunc["model_code_path"]).name
    pyfunc["artifacts"] = {name: artifact["path"] for name, artifact in pyfunc["artifacts"].items()}
    for name in ("cloudpickle_version", "code"):  # of models that are pickles, or bring a folder of code
        pyfunc.pop(name, None)
    return found

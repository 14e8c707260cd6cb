"""Models as MLflow keeps them: code, plain files, a signature, pinned requirements; no pickle."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING
from urllib.parse import urlparse
from urllib.request import url2pathname

import yaml

from adaptml.files import write_text

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

KIND_TAG = "adaptml.kind"  # on a registered model: end_model or label_model
END_MODEL, LABEL_MODEL = "end_model", "label_model"
MODEL_FOLDER = "model"  # in the artifacts of the run that made it
FILES_FOLDER = "artifacts"  # of a model's folder: the files that it reads
# The other files of a model's folder, under MLflow's names.
REQUIREMENTS, PYTHON_ENV, CONDA_ENV = "requirements.txt", "python_env.yaml", "conda.yaml"
EXAMPLE, SERVING_EXAMPLE = "input_example.json", "serving_input_example.json"


@dataclass(frozen=True)
class ModelToLog:
    """A model from code and plain files, registered when its run is complete.

    Attributes:
        registered_name: name in the registry.
        kind: `end_model` or `label_model`, a tag of the registered model.
        code: the Python file that defines the model (MLflow's "models from code"); no pickle.
        files: name → file that the model reads when it is loaded.
        signature: columns in, columns out.
        input_example: a frame that the model accepts.
        requirements: pip requirements, pinned.
        tags: on the registered model; those of its last version count.
    """

    registered_name: str
    kind: str
    code: Path
    files: Mapping[str, Path]
    signature: "ModelSignature"
    input_example: "pd.DataFrame"
    requirements: list[str]
    tags: Mapping[str, str] = field(default_factory=dict)


def save_model(model: ModelToLog, folder: Path) -> None:
    """Write a model as an MLflow pyfunc, in MLflow's storage format: `MLmodel` and the files that it names.

    MLflow's own `save_model` takes a second more: it runs the code, looks through every installed package,
    and notes where the files were on this machine.

    Args:
        model: what to write.
        folder: a new folder, made here; the model's files lie in its FILES_FOLDER.
    """
    from mlflow.models import Model

    places = {name: f"{FILES_FOLDER}/{path.name}" for name, path in model.files.items()}
    (folder / FILES_FOLDER).mkdir(parents=True)
    for name, path in model.files.items():
        shutil.copyfile(path, folder / places[name])
    shutil.copyfile(model.code, folder / model.code.name)
    _write_environment(model.requirements, folder)
    described = Model(
        signature=model.signature, saved_input_example_info=_write_example(model.input_example, folder)
    )
    described.add_flavor(
        "python_function",
        loader_module="mlflow.pyfunc.loaders.code_model",
        model_code_path=model.code.name,
        artifacts={name: {"path": place, "uri": place} for name, place in places.items()},
        python_version=python_version(),
        env={"conda": CONDA_ENV, "virtualenv": PYTHON_ENV},
        streamable=False,
    )
    described.save(str(folder / "MLmodel"))


def _write_environment(requirements: list[str], folder: Path) -> None:
    """What `mlflow models serve` builds an environment from, with virtualenv or with conda."""
    write_text("\n".join(requirements) + "\n", folder / REQUIREMENTS)
    python_env = {"python": python_version(), "dependencies": [f"-r {REQUIREMENTS}"]}
    write_text(yaml.safe_dump(python_env), folder / PYTHON_ENV)
    dependencies = [f"python={python_version()}", "pip", {"pip": requirements}]
    conda_env = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": dependencies}
    write_text(yaml.safe_dump(conda_env), folder / CONDA_ENV)


def _write_example(example: "pd.DataFrame", folder: Path) -> dict[str, str]:
    """The example as a frame and as a request to `mlflow models serve`; what `MLmodel` says of it."""
    frame = example.to_json(orient="split", index=False, force_ascii=False)
    write_text(frame, folder / EXAMPLE)
    write_text(f'{{"dataframe_split": {frame}}}', folder / SERVING_EXAMPLE)
    return {
        "artifact_path": EXAMPLE,
        "serving_input_path": SERVING_EXAMPLE,
        "type": "dataframe",
        "pandas_orient": "split",
    }


def on_this_machine(uri: str) -> Path | None:
    """The path behind the address of a local folder; None where it lies elsewhere."""
    parsed = urlparse(uri)
    if parsed.scheme not in {"", "file"} or parsed.netloc not in {"", "localhost"}:
        return None
    return Path(url2pathname(parsed.path) if parsed.scheme else uri)

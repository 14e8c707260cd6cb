"""Models as MLflow keeps them: code, plain files, a signature, pinned requirements; no pickle."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

from mlflow.models.signature import ModelSignature

KIND_TAG = "adaptml.kind"  # on a registered model: end_model or label_model
END_MODEL, LABEL_MODEL = "end_model", "label_model"
MODEL_FOLDER = "model"  # in the artifacts of the run that made it
_SAVING = Lock()  # MLflow hands the code's model over in a global variable


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
    """

    registered_name: str
    kind: str
    code: Path
    files: Mapping[str, Path]
    signature: ModelSignature
    input_example: Any
    requirements: list[str]


def save_model(model: ModelToLog, folder: Path) -> None:
    """Write a model as an MLflow pyfunc; its files lie in `artifacts/`.

    MLflow would fetch the files as if they came from elsewhere, with a progress bar, and note where they
    were: they are copied here instead, and noted where they are.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    with _SAVING:
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(model.code),
            signature=model.signature,
            input_example=model.input_example,
            pip_requirements=model.requirements,
        )
    described = Model.load(str(folder))
    places = {name: f"artifacts/{path.name}" for name, path in model.files.items()}
    (folder / "artifacts").mkdir()
    for name, path in model.files.items():
        shutil.copyfile(path, folder / places[name])
    noted = {name: {"path": place, "uri": place} for name, place in places.items()}
    described.flavors["python_function"]["artifacts"] = noted
    described.save(str(folder / "MLmodel"))


def on_this_machine(uri: str) -> Path | None:
    """The path behind the address of a local folder; None where it lies elsewhere."""
    parsed = urlparse(uri)
    if parsed.scheme not in {"", "file"} or parsed.netloc not in {"", "localhost"}:
        return None
    return Path(url2pathname(parsed.path) if parsed.scheme else uri)

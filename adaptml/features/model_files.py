"""The files of a model: settings in JSON, tensors in safetensors (https://github.com/huggingface/safetensors)."""

import json
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, one_line

Floats = npt.NDArray[np.float32]
READABLE = ("F32", "F16")  # numpy has no BF16


def shown(path: Path) -> str:
    """A file by its folder and name, for messages.

    >>> shown(Path("models/LaBSE/1_Pooling/config.json"))
    '1_Pooling/config.json'
    """
    return Path(*path.parts[-2:]).as_posix()


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        FeatureError: no such file, or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FeatureError(f"{shown(path)} is missing") from None
    except (OSError, ValueError) as error:
        raise FeatureError(f"{shown(path)} is no JSON ({one_line(error)})") from error


def read_settings(path: Path) -> dict[str, Any]:
    """What a JSON file of settings holds.

    Raises:
        FeatureError: no such file, no JSON, or no object.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise FeatureError(f"{shown(path)} holds a {type(found).__name__}; expected an object of settings")
    return found


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def file_sums(source: Path) -> dict[str, str]:
    """Each file of a folder, or the file itself → its SHA-256; none where there is nothing of that name.

    Raises:
        FeatureError: a file that cannot be read.
    """
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    try:
        return {path.relative_to(source).as_posix(): file_sha256(path) for path in files if path.is_file()}
    except OSError as error:
        raise FeatureError(f"{error.filename} cannot be read: {error.strerror}; allow it") from error


class Weights:
    """Tensors by name, each copied and checked when it is read.

    Args:
        path: the file.
        prefix: what all names may begin with, as those of a model that was saved with a head do.

    Raises:
        FeatureError: no such file, or one that is no whole safetensors file.
    """

    def __init__(self, path: Path, prefix: str = "") -> None:
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            raise FeatureError(f"{shown(path)} is missing")
        try:
            file: Any = safe_open(path, framework="np")
        except (OSError, SafetensorError) as error:
            raise FeatureError(f"{shown(path)} is no whole safetensors file ({one_line(error)})") from error
        self._path, self._file = path, file
        self._names = {name.removeprefix(prefix): name for name in file.keys()}  # noqa: SIM118

    def read(self, name: str, *shape: int) -> Floats:
        """A copy of one tensor, float32 of this shape.

        Raises:
            FeatureError: no such tensor, or one of another shape or of numbers that are not read.
        """
        if name not in self._names:
            raise FeatureError(f"{shown(self._path)} has no tensor {name}")
        tensor = self._file.get_slice(self._names[name])
        found, kind = tuple(tensor.get_shape()), tensor.get_dtype()
        if found != shape:
            raise FeatureError(
                f"tensor {name} of {shown(self._path)} has the shape {found}; the configuration says {shape}"
            )
        if kind not in READABLE:
            raise FeatureError(
                f"tensor {name} of {shown(self._path)} holds {kind}; expected {' or '.join(READABLE)}"
            )
        return np.asarray(self._file.get_tensor(self._names[name]), dtype=np.float32)

"""Data sets in the format of the WRENCH benchmark (arXiv 2109.11377), as they lie in their folder."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import FrameError


@dataclass(frozen=True)
class Rows:
    """The n rows of one split.

    Attributes:
        ids: their keys.
        texts: of each.
        y: number of each one's class, int64 (n,).
        L: label matrix, int8 (n, m), values in {-1, 0 … k-1}.
    """

    ids: list[str]
    texts: list[str]
    y: npt.NDArray[np.int64]
    L: npt.NDArray[np.int8]


def read_classes(folder: Path) -> list[str]:
    """Class names in the order of their numbers.

    Raises:
        FrameError: no label.json, or one that is something else.
    """
    found = _read(folder / "label.json")
    if not isinstance(found, dict) or sorted(found, key=str) != sorted(map(str, range(len(found)))):
        raise FrameError(f"{folder / 'label.json'} is no map from class numbers 0, 1 … to names")
    return [str(found[str(c)]) for c in range(len(found))]


def read_rows(folder: Path, name: str, k: int) -> Rows:
    """One split of a data set with k classes.

    Raises:
        FrameError: no such file, or a row that is not in WRENCH's format.
    """
    path = folder / f"{name}.json"
    rows = _read(path)
    try:
        texts = [str(row["data"]["text"]) for row in rows.values()]
        y = np.array([row["label"] for row in rows.values()], dtype=np.int64)
        L = np.array([row["weak_labels"] for row in rows.values()], dtype=np.int8)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FrameError(
            f"{path} is not in WRENCH's format ({type(error).__name__}: {error}); "
            "expected key → data.text, label, weak_labels"
        ) from error
    if not len(y) or L.ndim != 2 or L.min() < -1 or max(L.max(), y.max()) >= k or y.min() < 0:
        raise FrameError(f"{path} holds no rows, or numbers that are none of the {k} classes of label.json")
    return Rows([*rows], texts, y, L)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FrameError(
            f"{path} cannot be read; expected a folder with label.json, train.json, valid.json and test.json"
        ) from error
    except ValueError as error:
        raise FrameError(f"{path} is not JSON: {error}") from error

"""Data sets in the format of the WRENCH benchmark (arXiv 2109.11377), as they lie in their folder.

Their rows are texts (`data.text`), texts with two entities (`span1` and `span2` beside it: from which
character of the text to which) or numbers (`data.feature`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.preprocessing import StandardScaler

from adaptml.errors import FrameError

TRAIN, VALID, TEST = "train", "valid", "test"
TEXT, BETWEEN = "txt", "between"
UNKNOWN = -1


@dataclass(frozen=True)
class Rows:
    """The n rows of one split.

    Attributes:
        ids: their keys.
        texts: what there is to read of each, by name: TEXT, and BETWEEN where the rows are about two
            entities; empty where they are numbers.
        numbers: float32 (n, d), or None where the rows are texts.
        y: number of each one's class, int64 (n,); UNKNOWN of `train`, whose labels nobody may use.
        L: label matrix, int8 (n, m), values in {-1, 0 … k-1}.
    """

    ids: list[str]
    texts: Mapping[str, list[str]]
    numbers: npt.NDArray[np.float32] | None
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


def read_splits(folder: Path, names: Sequence[str], k: int) -> dict[str, Rows]:
    """Some splits of a data set with k classes, `train` among them; numbers are standardised by `train`.

    Raises:
        FrameError: a missing file, a row that is not in WRENCH's format, or splits that do not fit together.
    """
    splits = {name: read_rows(folder, name, k) for name in names}
    train = splits[TRAIN]
    for name, split in splits.items():
        if split.L.shape[1] != train.L.shape[1]:
            raise FrameError(
                f"{folder / name}.json has votes of {split.L.shape[1]} labelling functions and train.json of "
                f"{train.L.shape[1]}; expected the same"
            )
        if _held(split) != _held(train):
            raise FrameError(
                f"{folder / name}.json holds {_held(split)} and train.json {_held(train)}; expected the same"
            )
    if train.numbers is None:
        return splits
    scaler = StandardScaler().fit(train.numbers)
    length = np.sqrt(train.numbers.shape[1])  # a row's numbers together weigh about as much as a text
    return {
        name: replace(split, numbers=(scaler.transform(split.numbers) / length).astype(np.float32))
        for name, split in splits.items()
    }


def read_rows(folder: Path, name: str, k: int) -> Rows:
    """One split of a data set with k classes, as it stands.

    Raises:
        FrameError: no such file, or a row that is not in WRENCH's format.
    """
    path = folder / f"{name}.json"
    rows = _read(path)
    try:
        data = [row["data"] for row in rows.values()]
        texts, numbers = _texts(data), _numbers(data)
        labels = [UNKNOWN if name == TRAIN else row["label"] for row in rows.values()]
        y = np.array(labels, dtype=np.int64)
        L = np.array([row["weak_labels"] for row in rows.values()], dtype=np.int8)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise FrameError(
            f"{path} is not in WRENCH's format ({type(error).__name__}: {error}); "
            "expected key → data.text or data.feature, label, weak_labels"
        ) from error
    lowest = UNKNOWN if name == TRAIN else 0
    if not len(y) or L.ndim != 2 or L.min() < -1 or max(L.max(), y.max()) >= k or y.min() < lowest:
        raise FrameError(f"{path} holds no rows, or numbers that are none of the {k} classes of label.json")
    return Rows([*rows], texts, numbers, y, L)


def between(text: str, first: Sequence[int], second: Sequence[int]) -> str:
    """What stands between two entities, in signs that tell which of them comes first (R-BERT's,
    https://arxiv.org/abs/1905.08284).

    Args:
        text: in which they are.
        first: from which character to which the first one of the relation stands.
        second: the same of the second one.

    >>> between("the flu is caused by a virus", (23, 28), (4, 7))
    '#  is caused by a  $'
    """
    signs, ends = ("$", "#"), (first, second)
    if second[0] < first[0]:
        signs, ends = signs[::-1], ends[::-1]
    return f"{signs[0]} {text[ends[0][1] : ends[1][0]]} {signs[1]}"


def _texts(data: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    if data and "feature" in data[0]:
        return {}
    found = {TEXT: [str(row["text"]) for row in data]}
    if data and "span1" in data[0]:
        found[BETWEEN] = [between(str(row["text"]), row["span1"], row["span2"]) for row in data]
    return found


def _numbers(data: Sequence[Mapping[str, Any]]) -> npt.NDArray[np.float32] | None:
    if not data or "feature" not in data[0]:
        return None
    numbers = np.array([row["feature"] for row in data], dtype=np.float32)
    if numbers.ndim != 2 or not np.isfinite(numbers).all():
        raise ValueError("data.feature is no list of finite numbers, as many in each row")
    return numbers


def _held(rows: Rows) -> str:
    """What there is of each row, for people."""
    return ", ".join(rows.texts) if rows.numbers is None else f"{rows.numbers.shape[1]} numbers"


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FrameError(
            f"{path} cannot be read; expected a folder with label.json, train.json, valid.json and test.json"
        ) from error
    except ValueError as error:
        raise FrameError(f"{path} is not JSON: {error}") from error

"""Classifiers of pictures in ONNX, with the names of their classes beside them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adaptml.errors import FeatureError, one_line
from adaptml.features.encoders import Answer
from adaptml.features.model_files import shown
from adaptml.features.onnx_pictures import LABELS, OnnxPictures
from adaptml.features.values_to_encode import Picture

Numbers = npt.NDArray[np.float64]

LOGITS = "logits"  # the result of that name is taken, or else the first
SUM_ATOL = 1e-3  # of probabilities


class OnnxClassifier:
    """A classifier of pictures that is ready to run.

    Args:
        folder: holds the model; labels.txt, a class a line in the order of the model's numbers; and perhaps
            preprocessor_config.json.

    Raises:
        FeatureError: a library that is not installed, a folder that cannot be read, or a model that does not
            give a number for each class.
    """

    def __init__(self, folder: Path) -> None:
        self._labels = read_labels(folder / LABELS)
        self._model = OnnxPictures(folder)
        self._probabilities(np.zeros((32, 32, 3), dtype=np.uint8))

    def answer(self, pictures: Sequence[Picture]) -> list[Answer]:
        """The best class of each picture, uint8 (h, w, 3), and its probability.

        Raises:
            FeatureError: onnxruntime fails.
        """
        return [self._best(self._probabilities(picture)) for picture in pictures]

    def _best(self, probabilities: Numbers) -> Answer:
        best = int(probabilities.argmax())
        return Answer(self._labels[best], float(probabilities[best]))

    def _probabilities(self, picture: Picture) -> Numbers:
        """Of the k classes, float64 (k,): what the model gives, by softmax unless they are probabilities."""
        results = self._model.results(picture)
        result = np.asarray(results.get(LOGITS, next(iter(results.values()))), dtype=np.float64)
        if result.size != len(self._labels):
            raise FeatureError(
                f"the model gives {result.size} numbers a picture, and {LABELS} names {len(self._labels)} "
                "classes; write a class a line, as many as the model knows"
            )
        return probabilities(result.ravel())


def probabilities(numbers: Numbers) -> Numbers:
    """Softmax of k numbers, unless they are probabilities already: none below 0, with the sum 1.

    >>> probabilities(np.log(np.array([1.0, 3.0]))).round(6).tolist()
    [0.25, 0.75]
    >>> probabilities(np.array([0.2, 0.8])).tolist()
    [0.2, 0.8]
    """
    if (numbers >= 0).all() and abs(numbers.sum() - 1) <= SUM_ATOL:
        return numbers
    powers = np.exp(numbers - numbers.max())
    return np.asarray(powers / powers.sum())


def read_labels(path: Path) -> list[str]:
    """The names of the classes, a line each, at least two and all different.

    Raises:
        FeatureError: no such file, no text, or a name that is missing or duplicated.
    """
    try:
        labels = [line.strip() for line in path.read_text(encoding="utf-8-sig").rstrip().splitlines()]
    except FileNotFoundError:
        raise FeatureError(
            f"{shown(path)} is missing, which names the classes of a classifier, a line each"
        ) from None
    except (OSError, ValueError) as error:
        raise FeatureError(f"{shown(path)} is no text in UTF-8 ({one_line(error)})") from error
    name, times = Counter(labels).most_common(1)[0] if labels else ("", 0)
    if "" in labels:
        raise FeatureError(f"line {labels.index('') + 1} of {shown(path)} is empty; expected a class a line")
    if times > 1:
        raise FeatureError(f"{shown(path)} names the class {name!r} {times} times; expected each once")
    if len(labels) < 2:
        raise FeatureError(f"{shown(path)} names {len(labels)} classes; expected 2 or more")
    return labels

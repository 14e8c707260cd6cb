"""Algorithms that learn from texts themselves: an encoder is trained, not only what reads its vectors."""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from adaptml.errors import FeatureError, ModelError
from adaptml.features.sentence_encoders import minilm_folder
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from modelling.algorithms import storage
from modelling.algorithms.core import Floats, WeighingAlgorithm
from modelling.algorithms.transformer_model import TextClassifier


def tensors_beside(path: Path | str) -> Path:
    """Where the tensors of a saved model are.

    >>> tensors_beside("files/classifier.skops").name
    'classifier.safetensors'
    """
    return Path(path).with_suffix(".safetensors")


def encoder_folder(given: str | None) -> Path:
    """Where the sentence-transformer is that training begins with; none given: the installed one.

    Raises:
        ModelError: none is installed.
    """
    try:
        return Path(given) if given else minilm_folder()
    except FeatureError as error:
        raise ModelError(str(error)) from error


class TextAlgorithm(WeighingAlgorithm):
    """An algorithm that learns from texts.

    Attributes:
        enough_gold: from so many gold points on, it learns from gold alone where nobody says otherwise.
    """

    enough_gold: ClassVar[int]
    takes_texts = True
    takes_sparse = False
    random_state: int | None

    def fit_targets(
        self,
        X: Any,
        Y: Floats,
        weights: Floats | None = None,
        *,
        problem: ProblemType = MULTICLASS,
        n_gold: int = 0,
        start: TextClassifier | None = None,
        show_progress: bool = False,
    ) -> TextClassifier:
        """Learn from hard or soft labels.

        Args:
            X: n texts, as `texts_of` takes them.
            Y: float64 (n, k), values in [0, 1]; rows sum to 1 where classes exclude each other.
            weights: how much each row counts, float64 (n,), values >= 0; default: all alike.
            problem: one class a text, or any number.
            n_gold: how many of the last rows are gold.
            start: a model that learned from other rows and goes on with these; default: the encoder.
            show_progress: draw a progress bar.

        Raises:
            ModelError: a library that is not installed, texts or an encoder that cannot be used.
        """
        raise NotImplementedError

    def predict_proba(self, X: Any) -> npt.NDArray[np.floating]:
        """Probabilities (n, k) of n texts, in the order of `classes_`, values in [0, 1]."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(X))

    def save(self, path: Path | str) -> None:
        """Write the fitted classifier to a file and its tensors to another, `.safetensors`, beside it."""
        content = {"algorithm": self.name, "params": self.get_params(), "classes": self.classes_}
        storage.dump(content | {"estimator": None}, Path(path))
        self.estimator_.save(tensors_beside(path))

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is absent, holds another algorithm, or types that no algorithm here uses.
        """
        content = storage.load(Path(path), cls.skops_types, "estimator")
        if content["algorithm"] != cls.name:
            raise ModelError(f"{path} holds a {content['algorithm']} model; expected {cls.name}: load that")
        model = cls.from_options(content["params"])
        model.estimator_ = TextClassifier.load(tensors_beside(path))
        model.classes_ = content["classes"]
        return model

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        self.from_options(self.get_params())  # refuses values out of bounds
        problem: ProblemType
        y = np.asarray(y)
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        if y.ndim == 2:
            self.classes_, Y, problem = np.arange(y.shape[1]), y.astype(np.float64), MULTILABEL
        else:
            self.classes_, places = np.unique(y, return_inverse=True)
            Y, problem = np.eye(len(self.classes_))[places], MULTICLASS
        if len(self.classes_) < 2:
            raise ValueError(f"{self.name} needs two classes or more to learn; the data hold 1 class")
        self.estimator_ = self.fit_targets(X, Y, weights, problem=problem)
        return self

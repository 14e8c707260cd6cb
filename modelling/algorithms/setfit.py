"""Fine-tuning on few gold labels: the encoder learns which texts are alike, then a head the classes."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, ProblemType
from modelling.algorithms.core import Floats, RandomState, none_if_blank, texts_of
from modelling.algorithms.setfit_training import Settings, fit
from modelling.algorithms.text_algorithm import TextAlgorithm, encoder_folder
from modelling.algorithms.transformer_model import TextClassifier
from modelling.algorithms.transformer_training import Rows


@dataclass(eq=False, repr=False, kw_only=True)
class SetFitAlgorithm(TextAlgorithm):
    """SetFit: pairs of texts of one class, or of two, are brought together or apart, then a head is fitted.

    Tunstall et al. 2022, https://arxiv.org/abs/2209.11055.

    Example:
        >>> made = adaptml.SetFitAlgorithm(steps=40)  # fit(texts, classes) needs the extra setfit
        >>> made.takes_texts, made.batch_size
        (True, 16)
    """

    name = "setfit"
    summary = "Fine-tunes the sentence-transformer on pairs of texts; made for few gold labels."
    enough_gold: ClassVar[int] = 16  # what it is made for: 8 texts of each of two classes in the paper

    encoder: Annotated[
        str | None,
        BeforeValidator(none_if_blank),
        Field(description="folder of a sentence-transformer in safetensors; none: the installed one"),
    ] = None
    steps: Annotated[
        Annotated[int, Field(ge=1, le=100_000)] | None,
        BeforeValidator(none_if_blank),
        Field(description="steps on pairs; none: as many as see every pair once, 300 at most"),
    ] = None
    learning_rate: Annotated[
        float, Field(gt=0, le=0.1, description="highest learning rate of the encoder")
    ] = 2e-5
    batch_size: Annotated[int, Field(ge=2, le=4096, description="pairs per step")] = 16
    max_length: Annotated[
        int, Field(ge=8, le=8192, description="pieces of words that are read of a text; the rest is not")
    ] = 128
    random_state: RandomState = None

    def fit_targets(
        self,
        X: Any,
        Y: Floats,
        weights: Floats | None = None,
        *,
        problem: ProblemType = MULTICLASS,
        n_gold: int = 0,  # noqa: ARG002 - nothing is held out: the number of steps is known
        start: TextClassifier | None = None,
        show_progress: bool = False,
    ) -> TextClassifier:
        """See `TextAlgorithm.fit_targets`."""
        _check_libraries()
        counts = np.ones(len(Y)) if weights is None else np.asarray(weights, np.float64)
        rows = Rows(texts_of(X), np.asarray(Y, np.float64), counts)
        return fit(
            start or encoder_folder(self.encoder),
            problem,
            rows.at(counts > 0),
            Settings(
                steps=self.steps,
                learning_rate=self.learning_rate,
                batch_size=self.batch_size,
                max_length=self.max_length,
                seed=self.random_state or 0,
            ),
            show_progress=show_progress,
        )


def _check_libraries() -> None:
    try:
        import sentence_transformers  # noqa: F401
        import setfit  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"setfit needs a library that is not installed ({error}); install the extra: "
            "pip install -e '.[setfit]'"
        ) from error

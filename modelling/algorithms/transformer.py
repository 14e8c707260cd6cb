"""Fine-tuning: a sentence-transformer learns the task, where other algorithms learn from its vectors."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BeforeValidator, Field

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, ProblemType, folds
from modelling.algorithms.core import Floats, RandomState, none_if_blank, texts_of
from modelling.algorithms.text_algorithm import TextAlgorithm, encoder_folder
from modelling.algorithms.transformer_model import TextClassifier
from modelling.algorithms.transformer_training import Rows, Settings, fine_tune

HELD_OUT = 10  # one of so many parts says when to stop
MIN_GOLD = 20  # with fewer gold points, weakly labelled ones say it


@dataclass(eq=False, repr=False, kw_only=True)
class TransformerAlgorithm(TextAlgorithm):
    """An encoder of the BERT kind and a linear head, trained together on texts.

    A tenth of the gold points, without gold of all rows, is not learned from: it says after which epoch the
    model is best.

    Example:
        >>> made = adaptml.TransformerAlgorithm(epochs=3, device="cpu")  # fit(texts, classes) needs PyTorch
        >>> made.takes_texts, made.batch_size
        (True, 16)
    """

    name = "transformer"
    summary = "Fine-tunes the sentence-transformer itself, on texts; takes minutes on a CPU."

    # Of so many gold points it learned more than from weak labels and them: usage.md has the figures.
    enough_gold: ClassVar[int] = 200

    encoder: Annotated[
        str | None,
        BeforeValidator(none_if_blank),
        Field(description="folder of a sentence-transformer in safetensors; none: the installed one"),
    ] = None
    epochs: Annotated[
        Annotated[int, Field(ge=1, le=100)] | None,
        BeforeValidator(none_if_blank),
        Field(description="most passes over the texts; none: 2 to 20, those of 300 steps"),
    ] = None
    learning_rate: Annotated[
        float,
        Field(gt=0, le=0.1, description="highest learning rate of the encoder; the head's is 10 times that"),
    ] = 1e-4
    batch_size: Annotated[int, Field(ge=1, le=4096, description="texts per step")] = 16
    max_length: Annotated[
        int, Field(ge=8, le=8192, description="pieces of words that are read of a text; the rest is not")
    ] = 128
    trained_layers: Annotated[
        Annotated[int, Field(ge=0)] | None,
        BeforeValidator(none_if_blank),
        Field(description="how many of the upper layers are trained; none: all; embeddings never"),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda"], Field(description="auto: a graphics card where there is one")
    ] = "auto"
    random_state: RandomState = None

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
        """See `TextAlgorithm.fit_targets`."""
        _check_libraries()
        seed = self.random_state or 0
        counts = np.ones(len(Y)) if weights is None else np.asarray(weights, np.float64)
        rows = Rows(texts_of(X), np.asarray(Y, np.float64), counts)
        outside = held_out(problem, rows.Y, n_gold, seed)
        inside = ~outside & (rows.weights > 0)
        tuned = fine_tune(
            start or encoder_folder(self.encoder),
            problem,
            rows.at(inside),
            rows.at(outside),
            Settings(
                epochs=self.epochs,
                learning_rate=self.learning_rate,
                batch_size=self.batch_size,
                max_length=self.max_length,
                trained_layers=self.trained_layers,
                device=self.device,
                seed=seed,
            ),
            show_progress=show_progress,
        )
        best, n = int(np.argmin(tuned.losses)), int(outside.sum())
        whose = "gold points" if n_gold >= MIN_GOLD else "rows, as there is too little gold,"
        note = (
            f"best after {best + 1} of {len(tuned.losses)} passes over {int(inside.sum())} texts: log loss "
            f"{tuned.losses[best]:.3f} on {n} {whose} that were held out"
        )
        return TextClassifier(tuned.content, note)


def held_out(problem: ProblemType, Y: Floats, n_gold: int, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are not learned from, bool (n,): a tenth of the gold points, which are the last `n_gold`.

    With too few of them it is a tenth of all rows.

    Raises:
        ModelError: fewer than two rows.
    """
    first = len(Y) - n_gold if n_gold >= MIN_GOLD else 0
    if len(Y) - first < 2:
        raise ModelError(f"{len(Y)} texts are too few to fine-tune on; expected hundreds")
    chosen = np.zeros(len(Y), dtype=bool)
    chosen[first:] = folds(problem.decide(Y[first:]), HELD_OUT, seed) == 0
    return chosen


def _check_libraries() -> None:
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise ModelError(
            f"fine-tuning needs a library that is not installed ({error}); install the extra: "
            "pip install -e '.[transformer]'"
        ) from error

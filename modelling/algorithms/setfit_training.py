"""SetFit's two steps: the library setfit trains the encoder on pairs, then a head is fitted on its vectors.

Tunstall et al. 2022, https://arxiv.org/abs/2209.11055. What comes out is a file for `TextClassifier`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from adaptml.progress import progress
from adaptml.tasks import ProblemType
from modelling.algorithms.core import Floats
from modelling.algorithms.transformer_model import HEAD, TextClassifier, written
from modelling.algorithms.transformer_network import Network, continued, untrained
from modelling.algorithms.transformer_training import Rows

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MOST_STEPS = 300  # where nobody says how many
MOST_TEXTS = 1000  # that pairs are made of: the library lists all pairs, half a million of these
NEVER = -30.0  # log-odds of a class that no row has

Kinds = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settings:
    """How it is trained; see the algorithm's parameters of these names."""

    steps: int | None
    learning_rate: float
    batch_size: int
    max_length: int
    seed: int


def fit(
    start: Path | TextClassifier,
    problem: ProblemType,
    rows: Rows,
    settings: Settings,
    *,
    show_progress: bool,
) -> TextClassifier:
    """Train the encoder on pairs of texts, and the head on all texts.

    Args:
        start: the folder of a sentence-transformer, or of a model of the BERT kind alone; or a model that was
            fine-tuned on other rows and goes on learning.
        problem: one class a text, or any number.
        rows: what is learned from; pairs are made of what is most probable, the head learns soft labels.
        settings: how it is trained.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the folder cannot be used.
    """
    k = rows.Y.shape[1]
    network = (
        continued(start)
        if isinstance(start, TextClassifier)
        else untrained(start, problem, k, settings.max_length)
    )
    chosen = _drawn(rows.weights, settings.seed)
    kinds, texts = _kinds(problem, rows.Y[chosen]), rows.at(chosen).texts
    alike, different = pairs(kinds)
    steps = 0
    if different:
        steps = settings.steps or min(MOST_STEPS, -(-2 * max(alike, different) // settings.batch_size))
        with progress("fine-tuning", steps, shown=show_progress, unit="steps") as advance:
            _train(network, [network.model.prompt + text for text in texts], kinds, steps, settings, advance)
    model, state = network.model.model_copy(update={"unit": True}), network.state()
    vectors = TextClassifier(written(model, state)).vectors(rows.texts)
    head = _head(problem, vectors, rows)
    note = f"{steps} steps of {settings.batch_size} pairs of {len(chosen)} texts, then a head on {len(rows)}"
    return TextClassifier(written(model, state | head), note)


def pairs(kinds: Kinds) -> tuple[int, int]:
    """How many pairs of n texts share a class, and how many share none; a text and itself are one pair.

    Args:
        kinds: what each text is, (n, c).

    >>> pairs(np.array([[1, 0], [1, 0], [0, 1]], bool))
    (4, 2)
    """
    shared = np.triu(kinds.astype(np.float32) @ kinds.T.astype(np.float32)) > 0
    n = len(kinds)
    alike = int(shared.sum())
    return alike, n * (n + 1) // 2 - alike


def _drawn(weights: Floats, seed: int) -> npt.NDArray[np.int64]:
    """Numbers of the rows that pairs are made of, in order; what counts more is drawn more often."""
    if len(weights) <= MOST_TEXTS:
        return np.arange(len(weights))
    share = weights / weights.sum()
    return np.sort(np.random.default_rng(seed).choice(len(weights), MOST_TEXTS, replace=False, p=share))


def _kinds(problem: ProblemType, Y: Floats) -> Kinds:
    """The classes of each row, (n, c): those that tell rows apart, and last that it has none of these."""
    found = problem.decide(Y).astype(bool)
    found = found[:, ~found.all(axis=0)]
    return np.column_stack([found, ~found.any(axis=1)])


def _train(
    network: Network,
    texts: list[str],
    kinds: Kinds,
    steps: int,
    settings: Settings,
    advance: Callable[[int], None],
) -> None:
    """Train the encoder of a network; nothing is sent or asked anywhere."""
    from setfit import SetFitModel, Trainer, TrainingArguments
    from setfit import logging as of_setfit
    from torch.cuda import is_available
    from transformers import PrinterCallback, ProgressCallback, TrainerCallback

    class Step(TrainerCallback):  # type: ignore[misc] # its library is not followed
        def on_step_end(self, *_: Any, **__: Any) -> None:
            advance(1)

    of_setfit.set_verbosity_error()
    with TemporaryDirectory(prefix="adaptml-") as scratch:
        body = _body(network, Path(scratch))
        trainer = Trainer(
            SetFitModel(body, multi_target_strategy="one-vs-rest"),
            TrainingArguments(
                output_dir=scratch,
                max_steps=steps,
                batch_size=settings.batch_size,
                body_learning_rate=settings.learning_rate,
                seed=settings.seed,
                report_to="none",
                logging_strategy="no",
                save_strategy="no",
            ),
            callbacks=[Step()],
        )
        for shown in (PrinterCallback, ProgressCallback):
            trainer.remove_callback(shown)
        trainer.st_trainer.args.dataloader_pin_memory = is_available()
        trainer.train_embeddings(texts, kinds.astype(int).tolist())
    network.encoder.load_state_dict(body[0].auto_model.state_dict())


def _body(network: Network, folder: Path) -> "SentenceTransformer":
    """The network without its head, as the library sentence-transformers reads it from files."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import PreTrainedTokenizerFast
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    disable_progress_bar()  # of reading the weights
    set_verbosity_error()  # it would say that the tokenizer below names no marker but the padding
    network.encoder.save_pretrained(folder)
    padding = network.tokenizer.id_to_token(network.encoder.config.pad_token_id or 0)
    PreTrainedTokenizerFast(
        tokenizer_object=network.tokenizer, pad_token=padding, model_max_length=network.model.max_pieces
    ).save_pretrained(folder)
    encoder = Transformer(str(folder))
    return SentenceTransformer(modules=[encoder, Pooling(network.config.hidden_size, network.model.pooling)])


def _head(problem: ProblemType, vectors: npt.NDArray[np.float32], rows: Rows) -> dict[str, Any]:
    """Logistic regression on the vectors (n, d): the head's weight (k, d) and bias (k,)."""
    k = rows.Y.shape[1]
    weight, bias = np.zeros((k, vectors.shape[1]), np.float32), np.full(k, NEVER, np.float32)
    if problem.exclusive:
        fitted = _logistic(vectors, rows.Y, rows.weights)
        classes, W, b = fitted.classes_, fitted.coef_, fitted.intercept_
        if len(classes) == 2:  # one row says how much more the second is
            W, b = np.vstack([-W, W]) / 2, np.concatenate([-b, b]) / 2
        weight[classes], bias[classes] = W, b
        return {f"{HEAD}.weight": weight, f"{HEAD}.bias": bias}
    for c, share in enumerate(rows.Y.mean(axis=0)):
        if 0 < share < 1:
            fitted = _logistic(vectors, np.column_stack([1 - rows.Y[:, c], rows.Y[:, c]]), rows.weights)
            weight[c], bias[c] = fitted.coef_[0], fitted.intercept_[0]
        elif share:
            bias[c] = -NEVER
    return {f"{HEAD}.weight": weight, f"{HEAD}.bias": bias}


def _logistic(vectors: npt.NDArray[np.float32], Y: Floats, weights: Floats) -> LogisticRegression:
    """Soft labels (n, k) are learned from as rows once per class, weighted by its probability."""
    at, classes = np.nonzero(Y > 0)
    return LogisticRegression(max_iter=1000).fit(
        vectors[at], classes, sample_weight=weights[at] * Y[at, classes]
    )

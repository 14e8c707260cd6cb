"""Fine-tuning in PyTorch: an encoder of the BERT kind and a linear head, trained together.

Devlin et al. 2019, https://arxiv.org/abs/1810.04805. What comes out is a file for `TextClassifier`. Dropout
is off and the head begins at zero, so that the order of the texts is all that is drawn at random.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adaptml.errors import ModelError
from adaptml.progress import progress
from adaptml.tasks import ProblemType
from modelling.algorithms.core import Floats
from modelling.algorithms.transformer_model import TextClassifier, written
from modelling.algorithms.transformer_network import Network, continued, untrained

WARM_UP = 0.1  # share of the steps in which the learning rates rise; then they fall to zero
HEAD_RATE = 10.0  # how many times the encoder's learning rate the head's is, which begins at nothing
MAX_NORM = 1.0  # longer gradients are cut
DECAY = 0.01
POOL_BATCHES = 50  # texts of so many batches are sorted by length, so that little is padded
PATIENCE = 3  # epochs without a better one after which it stops
STEPS, LEAST, MOST = 300, 2, 20  # where nobody says how many epochs: those of so many steps, within these

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Texts and what they are.

    Attributes:
        texts: n texts.
        Y: float64 (n, k), values in [0, 1]: rows sum to 1 in multiclass.
        weights: how much each row counts, float64 (n,), values > 0.
    """

    texts: Sequence[str]
    Y: Floats
    weights: Floats

    def __len__(self) -> int:
        return len(self.texts)

    def at(self, rows: npt.NDArray[Any]) -> "Rows":
        """Some of the rows, by number or as a mask."""
        texts = np.array(self.texts, dtype=object)[rows].tolist()
        return Rows(texts, self.Y[rows], self.weights[rows])


@dataclass(frozen=True)
class Settings:
    """How it is trained; see the algorithm's parameters of these names."""

    epochs: int | None
    learning_rate: float
    batch_size: int
    max_length: int
    trained_layers: int | None
    device: str
    seed: int


@dataclass(frozen=True)
class Tuned:
    """The result.

    Attributes:
        content: the bytes of the model's file.
        losses: log loss on the held-out rows after each epoch; the model is that of the lowest.
    """

    content: bytes
    losses: Sequence[float]


def fine_tune(
    start: Path | TextClassifier,
    problem: ProblemType,
    rows: Rows,
    held_out: Rows,
    settings: Settings,
    *,
    show_progress: bool,
) -> Tuned:
    """Train on rows until held-out rows get no better.

    Args:
        start: the folder of a sentence-transformer, or of a model of the BERT kind alone; or a model that was
            fine-tuned on other rows and goes on learning.
        problem: softmax and cross-entropy where classes exclude each other; else each class by itself.
        rows: what is learned from.
        held_out: what says after which epoch the model is best.
        settings: how it is trained.
        show_progress: draw a progress bar.

    Raises:
        ModelError: the folder cannot be used, or the device is not there.
    """
    import torch

    device = _device(settings.device)
    network = (
        continued(start, settings.trained_layers)
        if isinstance(start, TextClassifier)
        else untrained(start, problem, rows.Y.shape[1], settings.max_length, settings.trained_layers)
    )
    network.to(device)
    epochs = settings.epochs or min(MOST, max(LEAST, -(-STEPS * settings.batch_size // len(rows))))
    training = _Training(network, device, rows, settings, epochs)
    best, losses = network.state(), []
    with progress("fine-tuning", epochs * len(rows), shown=show_progress, unit="texts") as advance:
        for _ in range(epochs):
            training.epoch(advance)
            with torch.inference_mode():
                losses.append(_loss(network, held_out, settings.batch_size, device))
            if losses[-1] <= min(losses):
                best = network.state()
            elif len(losses) - 1 - int(np.argmin(losses)) >= PATIENCE:
                break
    return Tuned(written(network.model, best), losses)


class _Training:
    """AdamW with a learning rate that rises and falls (Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101)."""

    def __init__(self, network: Network, device: Any, rows: Rows, settings: Settings, epochs: int) -> None:
        import torch

        self._network, self._device, self._size = network, device, settings.batch_size
        self._pieces = network.pieces(rows.texts)
        self._targets = torch.tensor(rows.Y, dtype=torch.float32)
        self._weights = torch.tensor(rows.weights / rows.weights.mean(), dtype=torch.float32)
        self._random = np.random.default_rng(settings.seed)
        groups = [
            {"params": network.parameters()[:-2], "lr": settings.learning_rate},
            {"params": network.parameters()[-2:], "lr": HEAD_RATE * settings.learning_rate},
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
        steps = epochs * -(-len(rows) // settings.batch_size)
        rises = max(1, round(WARM_UP * steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda at: min((at + 1) / rises, (steps - at) / max(1, steps - rises))
        )

    def epoch(self, advance: Any) -> None:
        """Each row once."""
        import torch

        for rows in batches([len(own) for own in self._pieces], self._size, self._random):
            losses = self._network.losses(
                [self._pieces[row] for row in rows], self._targets[rows], self._device
            )
            (losses * self._weights[rows].to(self._device)).mean().backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), MAX_NORM)
            self._optimizer.step()
            self._schedule.step()
            self._optimizer.zero_grad()
            advance(len(rows))


def batches(lengths: Sequence[int], size: int, random: np.random.Generator) -> Iterator[Numbers]:
    """Numbers of n texts in batches of `size`, about equally long in each, in random order."""
    order, pool = random.permutation(len(lengths)), POOL_BATCHES * size
    made = []
    for start in range(0, len(order), pool):
        some = order[start : start + pool]
        some = some[np.argsort(np.array(lengths)[some], kind="stable")]
        made += [some[at : at + size] for at in range(0, len(some), size)]
    for at in random.permutation(len(made)):
        yield made[at]


def _loss(network: Network, rows: Rows, size: int, device: Any) -> float:
    """Mean loss of the rows, which all count alike."""
    import torch

    pieces, targets = network.pieces(rows.texts), torch.tensor(rows.Y, dtype=torch.float32)
    order = np.argsort([len(own) for own in pieces], kind="stable")
    parts = [order[at : at + size] for at in range(0, len(order), size)]
    sums = [
        float(network.losses([pieces[row] for row in some], targets[some], device).sum()) for some in parts
    ]
    return sum(sums) / len(rows)


def _device(name: str) -> Any:
    import torch

    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise ModelError(
            f"device is cuda, and PyTorch {torch.__version__} finds no graphics card; install its "
            "build for CUDA, or train with device cpu"
        )
    return torch.device("cuda" if there and name != "cpu" else "cpu")

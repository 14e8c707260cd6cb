"""PyTorch's optimisers as plain arithmetic: from a gradient to what is taken off the parameters.

They work on arrays of numpy and tensors of PyTorch alike, with PyTorch's defaults and Snorkel's momentum.
"""

from collections.abc import Callable
from typing import Any, Literal

MOMENTUM = 0.9
BETA_1, BETA_2 = 0.9, 0.999
EPS = 1e-8


class SGD:
    """Gradient descent with momentum: v ← 0.9 v + g; the step is lr v."""

    def __init__(self, lr: float) -> None:
        self.lr, self.velocity = lr, 0.0

    def step(self, gradient: Any) -> Any:
        """What this epoch's gradient takes off the parameters, of the same shape."""
        self.velocity = MOMENTUM * self.velocity + gradient
        return self.lr * self.velocity


class Adam:
    """Kingma & Ba (2015), https://arxiv.org/abs/1412.6980, algorithm 1: the step is lr m̂ / (√v̂ + ε)."""

    def __init__(self, lr: float) -> None:
        self.lr, self.mean, self.square, self.t = lr, 0.0, 0.0, 0

    def step(self, gradient: Any) -> Any:
        """What this epoch's gradient takes off the parameters, of the same shape."""
        self.t += 1
        self.mean = BETA_1 * self.mean + (1 - BETA_1) * gradient
        self.square = BETA_2 * self.square + (1 - BETA_2) * gradient * gradient
        spread = (self.square / (1 - BETA_2**self.t)) ** 0.5
        return self.lr / (1 - BETA_1**self.t) * self.mean / (spread + EPS)


class Adamax:
    """The same paper, algorithm 2: u ← max(0.999 u, |g| + ε); the step is lr m̂ / u."""

    def __init__(self, lr: float) -> None:
        self.lr, self.mean, self.norm, self.t = lr, 0.0, 0.0, 0

    def step(self, gradient: Any) -> Any:
        """What this epoch's gradient takes off the parameters, of the same shape."""
        self.t += 1
        self.mean = BETA_1 * self.mean + (1 - BETA_1) * gradient
        self.norm = (abs(gradient) + EPS).clip(BETA_2 * self.norm)
        return self.lr / (1 - BETA_1**self.t) * self.mean / self.norm


OPTIMIZERS: dict[Literal["sgd", "adam", "adamax"], Callable[[float], SGD | Adam | Adamax]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamax": Adamax,
}

"""Training Snorkel's LabelModel: Ratner et al. (2019), https://arxiv.org/abs/1810.02840.

The predictions are those of Snorkel's own code on the same seed. What differs is how they are computed: for
several class balances at once, only with the (LF, class) pairs that occur (the parameters of the others stay
0), and with the gradient written out, which spares the product of all pairs. `scoring` predicts.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from adaptml.errors import LabellingError
from adaptml.linear_algebra import one_thread
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Floats
from dataprogramming.label_models.devices import CPU, Device, find_device
from dataprogramming.label_models.optimizers import OPTIMIZERS
from dataprogramming.label_models.overlaps import Overlaps

Parameters = npt.NDArray[np.float32]
LOOK_EPOCHS = 10  # how often it is looked whether the parameters are numbers still
MOST_HALVINGS = 40


@dataclass(frozen=True)
class Trained:
    """What training for some number of epochs gives.

    Attributes:
        seen: what it was trained on.
        balance: float64 (k,), the share of each class.
        mu: float32 (a, k): how likely the votes of each pair are on points of each class, within Snorkel's
            bounds.
        lr: the learning rate that it was trained with.
    """

    seen: Overlaps
    balance: Floats
    mu: Parameters
    lr: float

    @property
    def table(self) -> Floats:
        """What votes add to the log-probability of each class: float64 (m, k + 1, k)."""
        m, k = self.seen.m, self.seen.k
        table = np.full((m, k + 1, k), np.log(np.float32(lowest(self.seen.n))), np.float64)
        table[:, 0] = 0
        table[self.seen.lfs, self.seen.classes + 1] = np.log(self.mu)
        return table

    @property
    def weights(self) -> Floats:
        """The estimated share of each LF's votes that are right: float64 (m,); nan for no votes."""
        lfs, classes, coverage = self.seen.lfs, self.seen.classes, self.seen.coverage
        right = np.full((self.seen.m, self.seen.k), lowest(self.seen.n))
        right[lfs, classes] = self.mu[np.arange(len(lfs)), classes]
        shares = np.divide(
            right @ self.balance, coverage, out=np.full(len(coverage), np.nan), where=coverage > 0
        )
        return np.asarray(np.clip(shares, 1e-6, 1.0))


def lowest(n: int) -> float:
    """What Snorkel takes for the lowest probability of a vote, on n rows."""
    return float(min(0.01, 1 / 10 ** np.ceil(np.log10(n))))


def train_snorkel(
    seen: Overlaps, balances: Sequence[Floats], config: SnorkelConfig, epochs: Sequence[Sequence[int]]
) -> list[dict[int, Trained]]:
    """Train once for each class balance, and keep the model after each of several numbers of epochs.

    Where the parameters stop being numbers, training starts again with half the learning rate.

    Args:
        seen: the overlaps of the label matrix; at least MIN_LFS LFs.
        balances: float64 (k,) each, sums to 1, all above 0.
        config: how to train; its `n_epochs` is not used.
        epochs: for each balance the numbers of epochs after which a model is kept.

    Returns:
        For each balance: number of epochs → what training with that number gives.

    Raises:
        LabellingError: the device is not there, or the parameters stop being numbers at any learning rate.
    """
    device = find_device(config.device)
    found: dict[int, dict[int, Trained]] = {}
    left, lr = list(range(len(balances))), config.lr
    few_threads = one_thread() if device.name == CPU else nullcontext()  # an epoch is far less than 1 ms
    with few_threads, np.errstate(over="ignore", invalid="ignore"):
        while left:
            if lr < config.lr * 2.0**-MOST_HALVINGS:
                raise LabellingError(
                    f"Snorkel's label model does not converge with lr {config.lr:g} and l2 {config.l2:g}, "
                    f"nor with an lr as low as {lr:g}; use a lower l2"
                )
            kept = _train([balances[f] for f in left], lr, [epochs[f] for f in left], seen, config, device)
            for f, models in zip(left, kept, strict=True):
                if all(np.isfinite(mu).all() for mu in models.values()):
                    found[f] = {n: _finished(seen, balances[f], mu, lr) for n, mu in models.items()}
            left, lr = [f for f in left if f not in found], lr / 2
    return [found[f] for f in range(len(balances))]


def _train(
    balances: Sequence[Floats],
    lr: float,
    epochs: Sequence[Sequence[int]],
    seen: Overlaps,
    config: SnorkelConfig,
    device: Device,
) -> list[dict[int, Parameters]]:
    """For each balance the parameters (a, k) after each of its numbers of epochs; not finite if it failed."""
    loss = _Loss(seen, np.stack(balances), config, device)
    # Snorkel draws one number from numpy's old generator.
    mu = loss.start * np.random.RandomState(config.seed).random_sample()
    optimizer = OPTIMIZERS[config.optimizer](lr)
    kept: list[dict[int, Parameters]] = [{} for _ in balances]
    for epoch in range(1, max(map(max, epochs)) + 1):
        mu = mu - optimizer.step(loss.gradient(mu))
        wanted = [f for f, numbers in enumerate(epochs) if epoch in numbers]
        if wanted or epoch % LOOK_EPOCHS == 0:
            now = device.get(mu)
            for f in wanted:
                kept[f][epoch] = now[:, f]
            if not np.isfinite(now).any():
                return [{n: kept[f].get(n, now[:, f]) for n in numbers} for f, numbers in enumerate(epochs)]
    return kept


class _Loss:
    """Snorkel's loss of the parameters mu, float32 (a, fits, k), as its gradient.

    With W = mu P of one fit, the loss is |R|² + |W 1 - diag O|², where R is O - W mu' outside the blocks of
    single LFs: votes of one LF exclude each other, so that their overlaps say nothing. Its gradient is
    -4 R W + 2 (W 1 - diag O) p'. R W is O_other W - W (mu' W), with what the last term takes off within each
    LF's own block, W_i (mu_i' W_i), put back: so W mu' itself is never formed.

    Attributes:
        start: where training starts, before chance shrinks it.
    """

    def __init__(self, seen: Overlaps, balances: Floats, config: SnorkelConfig, device: Device) -> None:
        O_other = seen.O.astype(np.float32)
        O_other.setdiag(0)  # all that a block holds: two votes of one LF are never on one row
        O_other.eliminate_zeros()
        rates = seen.rates.astype(np.float32)
        start = np.zeros((len(rates), *balances.shape), np.float32)
        of_class = np.minimum(rates[:, None] * config.prec_init / balances.T[seen.classes], 1)
        start[np.arange(len(rates)), :, seen.classes] = of_class
        self.start, self.l2 = device.put(start), config.l2
        self.O_other = device.put_sparse(O_other)
        self.p, self.rates = device.put(balances.astype(np.float32)), device.put(rates[:, None, None])
        self.partners = [(slice(None), slice(None))]
        self.partners += [(device.put(a), device.put(b)) for a, b in _partners(seen.lfs)]

    def gradient(self, mu: Any) -> Any:
        """Of the shape of mu; with l2 also of its penalty and of PyTorch's weight decay, as in Snorkel."""
        W = mu * self.p
        by_fit = W.swapaxes(0, 1)
        told = (by_fit @ (mu.swapaxes(0, 1).mT @ by_fit)).swapaxes(0, 1)
        RW = (self.O_other @ W.reshape(len(W), -1)).reshape(W.shape) - told
        for a, b in self.partners:
            RW[a] += (W[a] * mu[b]).sum(-1)[..., None] * W[b]
        gradient = -4 * RW + 2 * (W.sum(-1)[..., None] - self.rates) * self.p
        if self.l2:
            gradient = gradient + 2 * self.l2 * self.l2 * (mu - self.start) + self.l2 * mu
        return gradient


def _partners(lfs: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Every two pairs of one LF, both ways round, as parts (b,) and (b,): no part has a pair twice."""
    _, first, size = np.unique(lfs, return_index=True, return_counts=True)
    first, size = np.repeat(first, size), np.repeat(size, size)
    for shift in range(1, int(size.max(initial=0))):
        a = np.flatnonzero(size > shift)
        yield a, first[a] + (a - first[a] + shift) % size[a]


def _finished(seen: Overlaps, balance: Floats, mu: Parameters, lr: float) -> Trained:
    """The model that parameters give: bounded, its classes in the order in which LFs are most often right."""
    least = np.float32(lowest(seen.n))
    mu = np.clip(mu, least, 1 - least)
    together = np.zeros((seen.k, seen.k))  # of votes for a class and points of a class, over all LFs
    np.add.at(together, seen.classes, mu * balance)
    order = np.arange(seen.k)
    rounded = balance.astype(np.float32).round(3)
    for share in np.unique(rounded):  # columns of equally frequent classes may have been swapped
        group = np.flatnonzero(rounded == share)
        columns, places = linear_sum_assignment(-together[np.ix_(group, group)].T)
        order[group[places]] = group[columns]
    return Trained(seen, balance, mu[:, order], lr)

"""Training Snorkel's LabelModel in bounded memory.

Ratner et al. (2019), https://arxiv.org/abs/1810.02840. The predictions are those of Snorkel's own code on the
same seed. What differs is how they are computed: overlaps of LFs are summed over batches of sparse rows, the
gradient is written out, which spares the product of all pairs of votes, and `scoring` predicts.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from snorkel.labeling.model import LabelModel
from snorkel.labeling.model.label_model import TrainConfig

from adaptml.errors import LabellingError
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Floats, LabelMatrix

BATCH_ROWS = 100_000
_PROCESS = Lock()  # numpy's global generator and torch's number of threads belong to the whole process


@dataclass(frozen=True)
class Trained:
    """What training for some number of epochs gives.

    Attributes:
        table: float64 (m, k + 1, k): what votes add to the log-probability of each class.
        weights: float64 (m,): the estimated share of each LF's votes that are right; nan for no votes.
    """

    table: Floats
    weights: Floats


@dataclass(frozen=True)
class Overlaps:
    """What Snorkel's model needs to know about a label matrix.

    Attributes:
        O: float64 (m * k, m * k): the share of rows with vote v of LF i and vote w of LF j stands at
            [i * k + v, j * k + w].
        n: number of rows.
        k: number of classes.
    """

    O: Floats  # noqa: E741 - the name that the paper and Snorkel give it
    n: int
    k: int

    @property
    def m(self) -> int:
        """Number of LFs."""
        return len(self.O) // self.k


def overlaps(L: LabelMatrix, k: int) -> Overlaps:
    """Count how often votes meet, in batches of sparse rows.

    Args:
        L: label matrix (n, m), values in {-1, 0 … k-1}.
        k: number of classes.
    """
    d = L.shape[1] * k
    counts = np.zeros((d, d))
    for start in range(0, len(L), BATCH_ROWS):
        votes = _one_hot(L[start : start + BATCH_ROWS], k)
        counts += (votes.T @ votes).toarray()
    return Overlaps(counts / len(L), len(L), k)


def train_snorkel(
    seen: Overlaps, balance: Floats, config: SnorkelConfig, epochs: Sequence[int]
) -> dict[int, Trained]:
    """Train once and keep the model after each of several numbers of epochs.

    Args:
        seen: the overlaps of the label matrix; at least MIN_LFS LFs.
        balance: float64 (k,), sums to 1, all above 0.
        config: how to train; its `n_epochs` is not used.
        epochs: numbers of epochs after which a model is kept.

    Returns:
        Number of epochs → what training with that number gives.

    Raises:
        LabellingError: the device is not there, or the parameters stop being numbers.
    """
    if config.device != "cpu" and not torch.cuda.is_available():
        raise LabellingError(f"device is {config.device!r}, but no CUDA device is there; use device cpu")
    model = _Trainer(seen, balance, config)
    kept: dict[int, torch.Tensor] = {}
    with _one_thread():
        for epoch in range(1, max(epochs) + 1):
            model.step()
            if epoch in epochs:
                kept[epoch] = model.mu.detach().clone()
    return {epoch: model.finished(mu) for epoch, mu in kept.items()}


class _Trainer(LabelModel):  # type: ignore[misc]
    """Snorkel's LabelModel with its state set from overlaps, stepped one epoch at a time."""

    mu: torch.Tensor
    mu_init: torch.Tensor

    def __init__(self, seen: Overlaps, balance: Floats, config: SnorkelConfig) -> None:
        super().__init__(cardinality=seen.k, verbose=False, device=config.device)
        self.train_config = TrainConfig(
            n_epochs=1,
            lr=config.lr,
            l2=config.l2,
            optimizer=config.optimizer,
            prec_init=config.prec_init,
            seed=config.seed,
        )
        self.n, self.m, self.d = seen.n, seen.m, len(seen.O)
        self._set_class_balance(balance.tolist())
        self.O = torch.from_numpy(seen.O).float().to(config.device)
        with _numpy_seed(config.seed):
            self._init_params()
        self.mu_init = self.mu_init.to(config.device)
        self.to(config.device)
        self._set_optimizer()

    def _build_mask(self) -> None:
        """Votes of one LF exclude each other, so their overlaps say nothing: only the others count."""
        own = torch.kron(torch.eye(self.m), torch.ones(self.cardinality, self.cardinality)).bool()
        self.O_other = torch.where(own.to(self.config.device), 0.0, self.O).double()
        self.rates = torch.diag(self.O).double()

    def gradient(self) -> torch.Tensor:
        """Gradient of Snorkel's loss at mu, float64 (m * k, k).

        With W = mu P, the loss is |R|^2 + |W 1 - diag O|^2, where R is O - W mu' outside the blocks of single
        LFs; its gradient is -4 R W + 2 (W 1 - diag O) p'. R W = O_other W - W (mu' W) with what the last term
        takes off within each LF's own block, W_i (mu_i' W_i), put back. So W mu' itself is never formed.
        """
        mu, p = self.mu.double(), self.P.diagonal().double()
        W = mu * p
        mu_i, W_i = (x.view(self.m, self.cardinality, self.cardinality) for x in (mu, W))
        own = (W_i @ (mu_i.transpose(1, 2) @ W_i)).view_as(mu)
        gradient: torch.Tensor = -4 * (self.O_other @ W - W @ (mu.T @ W) + own)
        gradient += 2 * torch.outer(W.sum(dim=1) - self.rates, p)
        if self.train_config.l2:
            gradient += 2 * self.train_config.l2**2 * (mu - self.mu_init)
        return gradient

    @torch.no_grad()
    def step(self) -> None:
        """One epoch."""
        self.mu.grad = self.gradient().float()
        self.optimizer.step()

    def finished(self, mu: torch.Tensor) -> Trained:
        """The model that these parameters (m * k, k) give."""
        if not torch.isfinite(mu).all():
            raise LabellingError(
                f"Snorkel's label model does not converge with lr {self.train_config.lr}; use a lower lr"
            )
        self.mu.data = mu
        self._clamp_params()
        self._break_col_permutation_symmetry()
        final = self.mu.detach().cpu().numpy()
        table = np.zeros((self.m, self.cardinality + 1, self.cardinality))
        table[:, 1:, :] = np.log(final).reshape(self.m, self.cardinality, self.cardinality)
        return Trained(table, self._trust(final))

    def _trust(self, mu: npt.NDArray[np.float32]) -> Floats:
        """Snorkel's weights (m,): the estimated share of an LF's votes that are right; nan for no votes."""
        blocks = mu.reshape(self.m, self.cardinality, self.cardinality)
        right = np.trace(blocks @ np.diag(self.p), axis1=1, axis2=2)
        votes = torch.diag(self.O).cpu().numpy().reshape(self.m, -1).sum(axis=1)
        shares = np.divide(right, votes, out=np.full(self.m, np.nan), where=votes > 0)
        return np.asarray(np.clip(shares, 1e-6, 1.0), np.float64)


def _one_hot(L: LabelMatrix, k: int) -> sparse.csr_matrix:
    """Votes as a sparse matrix (n, m * k) of ones."""
    rows, lfs = np.nonzero(L >= 0)
    columns = lfs * k + L[rows, lfs].astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(L)))])
    return sparse.csr_matrix((np.ones(len(rows)), columns, ends), shape=(len(L), L.shape[1] * k))


@contextmanager
def _numpy_seed(seed: int) -> Iterator[None]:
    """Snorkel draws its start from numpy's global generator: seed it, and give it back as it was."""
    with _PROCESS:
        before = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


@contextmanager
def _one_thread() -> Iterator[None]:
    """An epoch takes well under a millisecond, which threads that wait for each other can make fifty."""
    with _PROCESS:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

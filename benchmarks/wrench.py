"""Label models and end models on a data set in the format of the WRENCH benchmark (arXiv 2109.11377).

    python -m benchmarks.wrench FOLDER [--positive CLASS] [--judge valid] [--seed S] [--algorithm A]

FOLDER holds label.json (class number → name) and train.json, valid.json and test.json (key → data.text or
data.feature, label, weak_labels: one vote per labelling function, -1 for none). Votes are taken as given;
texts are encoded by the default encoder (of two entities, what stands between them too), numbers are
standardised. Every choice is made by cross-validation on the gold labels of `valid`, by the
functions that `label`, `train` and `compare` call; those of `train` are never read, and those of `test` only
for the figures in the table. `--judge valid` leaves `test` alone: half of `valid` judges, the other is gold.
`benchmarks/quality.py` goes the same way through tables and commands.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer

from adaptml.bootstrap import interval
from adaptml.cli.support import output, run_command
from adaptml.errors import ModelError
from adaptml.features.encoders import get_encoder
from adaptml.folds import folds_of_keys
from adaptml.tasks import MULTICLASS, Task
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of, constant, metric_of
from benchmarks.wrench_format import TEST, TRAIN, VALID, Rows, read_classes, read_splits
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.config import SnorkelConfig
from dataprogramming.label_models.core import Gold as VotedGold
from dataprogramming.label_models.core import covered
from dataprogramming.selection import Selection, select_label_model
from modelling.algorithms import get_algorithm
from modelling.algorithms.log_odds import vote_log_odds
from modelling.choosing import Combined, combine
from modelling.learner import Gold, Learner, Weak
from modelling.strategies import AUTO

ENCODER = "hybrid"
POLICY = (
    "Rows without votes: label models give them the class balance, and no end model takes that for a label."
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Split:
    """One of train, valid and test.

    Attributes:
        X: vectors of the texts or numbers, float32 (n, d).
        Y: gold classes, int8 (n, k), one 1 a row; zeros of train.
        L: label matrix, int8 (n, m), values in {-1, 0 … k-1}.
    """

    X: npt.NDArray[np.float32]
    Y: npt.NDArray[np.int8]
    L: npt.NDArray[np.int8]

    def rows(self, chosen: npt.NDArray[np.int64]) -> "Split":
        """Some of the rows."""
        return Split(self.X[chosen], self.Y[chosen], self.L[chosen])


@dataclass(frozen=True)
class Line:
    """One line of the table: a method, what it says of the rows that judge, and how long it took."""

    method: str
    said: Outcome
    remark: str
    seconds: float


def encoded(rows: Rows, k: int) -> Split:
    """One split of a data set with k classes, its texts encoded."""
    Y = (rows.y[:, None] == np.arange(k)).astype(np.int8)
    if rows.numbers is not None:
        return Split(rows.numbers, Y, rows.L)
    encode = get_encoder(ENCODER).encode
    return Split(np.hstack([encode(texts) for texts in rows.texts.values()]), Y, rows.L)


class Benchmark:
    """The methods on one data set of k classes. Every choice is made on `valid`.

    Attributes:
        train: rows with votes and without labels.
        valid: gold.
        test: rows that judge.
        task: names the classes, and the positive one.
        metric: what decides.
    """

    def __init__(
        self, train: Split, valid: Split, test: Split, task: Task, algorithm: str, seed: int
    ) -> None:
        self.train, self.valid, self.test, self.task = train, valid, test, task
        self.metric = metric_of(task, valid.Y)
        self.config = SnorkelConfig(seed=seed)
        keys = pd.DataFrame({"table_name": "valid", "id": [str(i) for i in range(len(valid.Y))]})
        self.gold = Gold(valid.X, valid.Y, folds_of_keys(keys))
        self.learner = Learner(get_algorithm(algorithm), MULTICLASS, seed=seed)

    def lines(self) -> Iterator[Line]:
        """All methods, one after the other; one that cannot be trained is left out."""
        said = constant(MULTICLASS, self.valid.Y, len(self.test.Y))
        yield Line("constant", said, "always the most frequent class", 0.0)
        start = time.perf_counter()
        gold = VotedGold(self.valid.L, self.valid.Y)
        selected = select_label_model(
            MULTICLASS,
            self.train.L,
            gold,
            len(self.task.classes),
            fold=self.gold.folds,
            metric=self.metric,
            config=self.config,
        )
        each = (time.perf_counter() - start) / len(selected.models)
        for name, model in selected.models.items():
            remark = "chosen by label" if name == selected.chosen else ""
            yield Line(name, _says(model, self.test.L), remark, each)
        weak = self._weak(selected)
        for method, strategy, known in (
            ("end model, gold labels", "gold", {}),
            ("end model, weak labels", "weak", weak),
            ("end model, both", AUTO, weak),
        ):
            start = time.perf_counter()
            try:
                done = combine(strategy, self.learner, known, self.gold, self.metric)
            except ModelError as error:
                output().print(f"{method} is left out: {error}")
                continue
            said = self._answers(done, selected)
            yield Line(method, said, str(done.way), time.perf_counter() - start)

    def _weak(self, selected: Selection) -> dict[str, Weak]:
        """`train` as each label model labels it, and as it does without the gold of a fold."""
        rows = covered(self.train.L)
        L, X, rest = self.train.L[rows], self.train.X[rows], self.train.X[~rows]
        names = sorted(selected.models, key=lambda name: name != selected.chosen)

        def without(name: str, fold: int) -> Outcome:
            return _says(selected.without[name][fold], L)

        return {
            name: Weak(
                X,
                _says(selected.models[name], L),
                rest,
                lambda fold, name=name: without(name, fold),  # type: ignore[misc]
                selected.held_out[name],
                selected.models[name].fitted_.thresholds,
            )
            for name in names
        }

    def _answers(self, done: Combined, selected: Selection) -> Outcome:
        """What a model says of the rows that judge, whose votes are known."""
        V = None
        if done.model.takes_votes:
            model = selected.models[done.way.label_model]
            V = vote_log_odds(MULTICLASS, model.predict_proba(self.test.L))
        probs = done.model.predict_proba(self.test.X, V)
        return Outcome(probs, MULTICLASS.decide(probs))


def _says(model: LabelModel, L: npt.NDArray[np.int8]) -> Outcome:
    probs = model.predict_proba(L)
    return Outcome(probs, model.decide(probs))


def halves(split: Split, seed: int) -> tuple[Split, Split]:
    """Two halves of a split."""
    order = np.random.default_rng(seed).permutation(len(split.Y))
    first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    return split.rows(first), split.rows(second)


def read(folder: Path, algorithm: str, seed: int, positive: str | None, judge: str) -> Benchmark:
    """A data set from its folder.

    Args:
        folder: label.json and the splits.
        algorithm: of the end models.
        seed: of all random choices.
        positive: the class whose F1 decides; of two classes only.
        judge: `test`, or `valid` for half of it.

    Raises:
        FrameError: a folder that is not in WRENCH's format.
        ModelError: no such algorithm or class.
    """
    names = read_classes(folder)
    if positive is not None and (positive not in names or len(names) != 2):
        raise ModelError(
            f"positive is {positive!r}; expected one of two classes, and {folder} has {', '.join(names)}"
        )
    rows = read_splits(folder, list(dict.fromkeys((TRAIN, VALID, judge))), len(names))
    splits = {name: encoded(found, len(names)) for name, found in rows.items()}
    train, valid = splits[TRAIN], splits[VALID]
    valid, test = halves(valid, seed) if judge == VALID else (valid, splits[TEST])
    task = Task.model_validate({"classes": names, "positive": positive})
    return Benchmark(train, valid, test, task, algorithm, seed)


def _heading(name: str, data: Benchmark) -> str:
    """What the data set holds."""
    votes = f"{covered(data.train.L).mean():.1%} of train and {covered(data.test.L).mean():.1%} of test"
    return (
        f"{name}: {len(data.task.classes)} classes, {data.test.L.shape[1]} labelling functions, "
        f"{len(data.train.X)} train, {len(data.valid.X)} gold, {len(data.test.X)} that judge; {votes} have "
        f"votes; chosen by {data.metric.title}"
    )


def _told(data: Benchmark) -> list[Metric]:
    """The figures of the table."""
    plain, macro = accuracy_of(MULTICLASS), Metric("macro_f1", MULTICLASS)
    return [plain, macro, *([data.metric] if data.metric.positive is not None else [])]


def below(data: Benchmark, lines: Mapping[str, Outcome]) -> list[str]:
    """Where "both" is below another line by more than the paired 95 % interval, a sentence each."""
    both, found = lines.get("end model, both"), []
    for name, said in lines.items():
        for metric in _told(data)[:2]:
            if both is None:
                continue
            low, high = interval(metric.draws(data.test.Y, said, 0) - metric.draws(data.test.Y, both, 0))
            if low > 0:
                found.append(f"both is below {name} in {metric.title}, by {low:.3f} to {high:.3f}")
    return found


def command(
    folder: Annotated[Path, typer.Argument(help="Data set in WRENCH's format: label.json and three splits.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of all random choices.")] = 0,
    algorithm: Annotated[str, typer.Option(help="Algorithm of the end models.")] = "logistic_regression",
    positive: Annotated[str | None, typer.Option(help="Of two classes, the one whose F1 decides.")] = None,
    judge: Annotated[
        Literal["test", "valid"], typer.Option(help="What judges: test, or half of valid.")
    ] = "test",
) -> None:
    """Judge label models and end models on a data set in the format of the WRENCH benchmark."""
    start = time.perf_counter()
    data = read(folder, algorithm, seed, positive, judge)
    console, said, shown = output(), {}, _told(data)
    console.print(_heading(folder.resolve().name, data))
    heads = [head for metric in shown for head in (metric.title, "95 % interval")]
    console.print(_row("method", [*heads, "log loss", "time"], "chosen on gold"))
    for line in data.lines():  # each as soon as it is there
        said[line.method] = line.said
        cells = []
        for metric in shown:
            low, high = metric.interval(data.test.Y, line.said)
            cells += [f"{metric.value(data.test.Y, line.said):.3f}", f"{low:.3f} to {high:.3f}"]
        cells += [f"{MULTICLASS.log_loss(data.test.Y, line.said.probs):.3f}", f"{line.seconds:.1f} s"]
        console.print(_row(line.method, cells, line.remark))
    for sentence in below(data, said):
        console.print(sentence)
    console.print(POLICY)
    took = time.perf_counter() - start
    console.print(f"encoder {ENCODER}, algorithm {algorithm}, seed {seed}, {took:.0f} s in all")


def _row(method: str, cells: list[str], remark: str) -> str:
    return f"{method:<24}" + "".join(f"{cell:>16}" for cell in cells) + f"  {remark}"


if __name__ == "__main__":
    run_command(command)

"""End models trained on many rows, a block at a time, beside scikit-learn on the same in one dense matrix.

    python -m benchmarks.training                       # 50,000 rows
    python -m benchmarks.training --rows 1000000 --dense-rows 20000

The rows are made up in the shape of those of the encoder `hybrid`: 4,096 numbers of hashed words, of which
3 % are not 0, and 768 of a sentence. Five classes. Then a table of vectors of 384 numbers is predicted with a
champion, beside bare sqlite3, numpy and pyarrow. scikit-learn gets `--dense-rows` rows at most, 19 kB each,
which it copies as float64.
"""

import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.form import Json, Measured, Report, Rows, report, sizes
from benchmarks.measuring import measure

WORDS, FILLED, SENTENCE, CLASSES = 4_096, 123, 768, 5
CHUNK_ROWS, SEED = 4_096, 0
SAME = 0.99  # share of rows of which both must say the same: optimisers stop at different places
MLP_PASSES = 2
LENGTH = 384
ABOUT = f"End models trained on {WORDS:,} sparse and {SENTENCE} dense numbers a row, and asked of vectors."
DenseRows = Annotated[int, typer.Option(min=1, help="Most rows that scikit-learn gets in one dense matrix.")]
CLASS_NAMES = ["bird", "cat", "dog", "horse", "snake"]
TASK = f"""
title: Which animal is the post about?
setting: multiclass
classes: [{", ".join(f"{{name: {name}}}" for name in CLASS_NAMES)}]
columns: [{{name: txt, type: text}}]
lf_features: [txt]
features: [vec]
"""
Matrix = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


def main(rows: Rows = 50_000, json: Json = None, dense_rows: DenseRows = 20_000) -> None:
    """Measure and print a table."""
    with report("training", ABOUT, json, rows) as found:
        for size in sizes(rows):
            beside(found, "logistic_regression", size, dense_rows)
        beside(found, "mlp", max(1, rows // 10), dense_rows)
        for size in sizes(rows):
            said, ours = measure(predicted, size, prepare=champion)
            other, theirs = measure(bare, size, prepare=table)
            found.check(said == other, "the champion and numpy do not say the same")
            rate = f"{size / ours.seconds:,.0f} rows/s"
            what = f"predict, {LENGTH} numbers"
            found.add(Measured(what, size, ours, "sqlite3, numpy, pyarrow", theirs, note=rate))


def beside(found: Report, algorithm: str, size: int, dense_rows: int) -> None:
    """One line: an algorithm on so many rows, and scikit-learn's where they fit."""
    ours_said, ours = measure(in_blocks, algorithm, size)
    fewer = min(size, dense_rows)
    theirs_said, theirs = measure(dense, (algorithm, fewer), prepare=in_one_matrix)
    if fewer == size and algorithm == "logistic_regression":
        found.check(np.mean(np.array(ours_said) == theirs_said) >= SAME, "the models do not say the same")
    name = f"train {algorithm}"
    found.add(Measured(name, size, ours, "scikit-learn, dense", theirs, None if fewer == size else fewer))


def chunks(n: int) -> Iterator[tuple[Matrix, Labels]]:
    """Rows in the shape of `hybrid`, and their classes."""
    known = np.random.default_rng(SEED)
    truth = known.normal(size=(WORDS + SENTENCE, CLASSES)).astype(np.float32)
    for start in range(0, n, CHUNK_ROWS):
        rng, size = np.random.default_rng([SEED, start]), min(CHUNK_ROWS, n - start)
        X = np.zeros((size, WORDS + SENTENCE), np.float32)
        words = rng.zipf(1.3, size=(size, FILLED)) % WORDS
        X[np.arange(size)[:, None], words] = rng.random((size, FILLED), np.float32)
        X[:, WORDS:] = rng.normal(size=(size, SENTENCE))
        for part in (X[:, :WORDS], X[:, WORDS:]):
            part /= np.linalg.norm(part, axis=1, keepdims=True)
        yield X, (3 * X @ truth + rng.gumbel(size=(size, CLASSES))).argmax(axis=1)


def in_blocks(algorithm: str, n: int) -> list[int]:
    """Train as `train` does beyond what it holds in memory; says what the model says of the first rows."""
    from modelling.algorithms import EndModel, classifier
    from modelling.algorithms.many_rows import write_many_rows

    y: list[Labels] = []

    def matrices() -> Iterator[Matrix]:
        for X, classes in chunks(n):
            y.append(classes)
            yield X

    with tempfile.TemporaryDirectory(prefix="adaptml-training-") as folder:
        rows = write_many_rows(matrices(), n, Path(folder), SEED)
        made = classifier(algorithm, params(algorithm))
        with warnings.catch_warnings(action="ignore"):
            model = EndModel(made, seed=SEED).fit(rows, np.eye(CLASSES)[np.concatenate(y)])
    said: list[int] = model.predict(next(chunks(n))[0]).argmax(axis=1).tolist()
    return said


def params(algorithm: str) -> dict[str, Any]:
    """Those of an algorithm: networks are given a few passes, as none of them is done after these."""
    return {"max_iter": MLP_PASSES} if algorithm == "mlp" else {}


def in_one_matrix(given: tuple[str, int]) -> tuple[str, Matrix, Labels]:
    """All rows at once."""
    algorithm, n = given
    X, y = np.empty((n, WORDS + SENTENCE), np.float32), np.empty(n, np.int64)
    done = 0
    for some, classes in chunks(n):
        X[done : done + len(some)], y[done : done + len(some)] = some, classes
        done += len(some)
    return algorithm, X, y


def dense(given: tuple[str, Matrix, Labels]) -> list[int]:
    """The same by scikit-learn."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    algorithm, X, y = given
    if algorithm == "mlp":
        model: Any = MLPClassifier(random_state=SEED, max_iter=MLP_PASSES)
    else:
        model = LogisticRegression(C=6000 / len(y), max_iter=1000)
    with warnings.catch_warnings(action="ignore"):
        model.fit(X, y)
    said: list[int] = model.predict(X[:CHUNK_ROWS]).tolist()
    return said


def table(n: int) -> Path:
    """A SQLite table of unit vectors, in a folder of its own."""
    import sqlalchemy as sa

    from adaptml.database import Database, Vector

    folder = Path(tempfile.mkdtemp(prefix="adaptml-predicting-"))
    with Database(f"sqlite:///{folder / 'data.db'}") as database:
        database.create_table("points", {"id": sa.Text(), "vec": Vector()})
    with sqlite3.connect(folder / "data.db") as connection:
        for start in range(0, n, CHUNK_ROWS):
            X = unit_vectors(start, min(CHUNK_ROWS, n - start))
            rows = ((f"p{start + i:08d}", row.tobytes()) for i, row in enumerate(X))
            connection.executemany("INSERT INTO points VALUES (?, ?)", rows)
    return folder


def unit_vectors(seed: int, n: int) -> Matrix:
    """Unit vectors, float32 (n, LENGTH)."""
    X = np.random.default_rng([SEED, seed]).normal(size=(n, LENGTH)).astype(np.float32)
    return np.asarray(X / np.linalg.norm(X, axis=1, keepdims=True))


def weights() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Coefficients (CLASSES, LENGTH) and intercepts (CLASSES,) that both predict with."""
    rng = np.random.default_rng(SEED)
    return 5 * rng.normal(size=(CLASSES, LENGTH)), np.zeros(CLASSES)


def champion(n: int) -> Path:
    """The same, with a project whose champion it is to be asked of."""
    import pandas as pd

    from adaptml.files import write_text
    from adaptml.project import Project
    from modelling.algorithms import EndModel
    from modelling.deploy import deploy
    from modelling.registration import model_to_log, registered_name

    folder = table(n)
    write_text(TASK, folder / "tasks" / "points" / "task.yaml")
    os.environ |= {"ADAPTML_ROOT": str(folder), "ADAPTML_HOME": str(folder)}
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'mlflow.db'}"
    example = pd.DataFrame({"table_name": ["points"], "id": ["p00000000"]})
    with Project() as project, warnings.catch_warnings(action="ignore"):
        task = project.task("points")
        with project.runs.run("points", "training benchmark", {}) as recorder:
            model = EndModel("logistic_regression").fit(
                unit_vectors(0, 100), np.eye(CLASSES)[np.arange(100) % 5]
            )
            model.parts_[0].coef_, model.parts_[0].intercept_ = weights()
            recorder.model = model_to_log(task, model, ["vec"], LENGTH, example, recorder.folder)
        deploy(project, registered_name(task))
    return folder


def predicted(folder: Path) -> dict[str, int]:
    """Predict the whole table; how often each class is named."""
    from adaptml.project import Project
    from modelling.predict import predict

    with Project() as project:
        counts = dict(predict(project, "points", "points").counts)
    shutil.rmtree(folder)
    return counts


def bare(folder: Path) -> dict[str, int]:
    """The same vectors by the database's driver into one matrix, one product, and one file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = sqlite3.connect(folder / "data.db").execute("SELECT id, vec FROM points ORDER BY id").fetchall()
    X = np.frombuffer(b"".join(vec for _, vec in rows), np.float32).reshape(-1, LENGTH)
    coefs, intercepts = weights()
    scores = X @ coefs.T.astype(np.float32) + intercepts
    probs = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    said = scores.argmax(axis=1)
    labels = [[CLASS_NAMES[c]] for c in said]
    pq.write_table(
        pa.table({"id": [key for key, _ in rows], "label": labels, "label_probs": list(probs)}),
        folder / "out",
    )
    shutil.rmtree(folder)
    return {name: int((said == c).sum()) for c, name in enumerate(CLASS_NAMES)}


if __name__ == "__main__":
    typer.run(main)

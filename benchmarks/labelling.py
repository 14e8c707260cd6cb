"""How fast labelling functions are applied, and a table is labelled, beside Snorkel and bare reading.

    python -m benchmarks.labelling                       # 1,000,000 rows, Snorkel on the first 5,000
    python -m benchmarks.labelling --rows 20000 --snorkel-rows 20000

Of each kind of rule there are as many as the example has: its own, which find keywords as they are written
and by lemma; regular expressions of the same words over the text; and plain functions that look at length,
characters and words. To Snorkel, a keyword rule is given as its users write one: a function that looks
whether a set of words has any of the row's lemmas. The label matrices are compared; a difference ends it with
exit code 1. Then `adaptml label` labels a whole SQLite table by the keyword rules, without gold.
"""

import json
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
import typer
from snorkel.labeling import LabelingFunction, PandasLFApplier

from adaptml.database import TextList
from adaptml.features.lemmas import lemmatize
from adaptml.project import Project
from adaptml.tasks import Labels, load_task
from benchmarks.form import Json, Measured, Report, Rows, report, sizes
from benchmarks.measuring import Cost, command, measure
from benchmarks.startup import environment_in
from dataprogramming.applier import apply_to_frame
from dataprogramming.lfs import load_lfs

REPOSITORY = Path(__file__).resolve().parents[1]
KINDS = ("keyword rules", "regular expressions", "plain Python rules")
TABLE, LEMMAS, TEXT = "posts", "txt_clean_lemma", "txt"
LABEL, READING = "`adaptml label`", "bare sqlite3 and json, reading alone"
CHUNK_ROWS = 20_000
SNORKEL = "Snorkel's PandasLFApplier"
ABOUT = (
    "The example's labelling functions, and two other kinds of as many, applied to a frame of its posts. "
    "`adaptml label`: by the example's own, from an SQLite table to training data, the start included."
)
Votes = npt.NDArray[np.int8]
Prepared = tuple[list[LabelingFunction], pd.DataFrame, Labels]


def posts(rows: int, seed: int) -> pd.DataFrame:
    """`rows` posts drawn from the example's: their text, and their lemmas as a list."""
    lines = (REPOSITORY / "example_data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["txt"] for line in lines]
    lemmas = list(map(lemmatize, texts))
    drawn = np.random.default_rng(seed).integers(0, len(texts), rows)
    return pd.DataFrame({TEXT: [texts[i] for i in drawn], LEMMAS: [list(lemmas[i]) for i in drawn]})


def regex_lf(lf: LabelingFunction, i: int) -> LabelingFunction:
    """A keyword LF as a regular expression of the same words."""
    search = re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, sorted(lf.keywords)))})\b").search
    return LabelingFunction(f"regex{i}", lambda x: lf.label if search(x.txt) else -1)


def plain_lf(lf: LabelingFunction, i: int) -> LabelingFunction:
    """A function of the kind that people write first, for the same class."""
    word, label = min(lf.keywords), lf.label
    rules = (
        lambda x: label if len(x.txt) > 8 * i else -1,
        lambda x: label if word in x.txt.lower() else -1,
        lambda x: label if any(mark in x.txt for mark in "!?#@") and x.txt.count(" ") > i % 20 else -1,
    )
    return LabelingFunction(f"plain{i}", rules[i % len(rules)])


def in_a_set(lf: LabelingFunction) -> LabelingFunction:
    """A keyword LF as a plain function for Snorkel."""
    wanted, column, label = lf.keywords, lf.column, lf.label
    return LabelingFunction(lf.name, lambda x: -1 if wanted.isdisjoint(getattr(x, column)) else label)


def prepared(kind: str, rows: int, seed: int) -> Prepared:
    """Labelling functions of a kind, and rows."""
    task = load_task("example", REPOSITORY / "tasks")
    lfs = load_lfs(task)
    if kind != KINDS[0]:
        make = regex_lf if kind == KINDS[1] else plain_lf
        lfs = [make(lf, i) for i, lf in enumerate(lfs)]
    frame = posts(rows, seed)
    apply_to_frame(lfs, frame.head(10), task.labels)
    return lfs, frame, task.labels


def ours(given: Prepared) -> Votes:
    """The label matrix (n, m) by this project."""
    lfs, frame, labels = given
    return apply_to_frame(lfs, frame, labels)


def theirs(given: Prepared) -> Votes:
    """The label matrix (n, m) by Snorkel."""
    lfs, frame, _ = given
    plain = [in_a_set(lf) if hasattr(lf, "keywords") else lf for lf in lfs]
    found: Votes = PandasLFApplier(plain).apply(frame, progress_bar=False)
    return found


def compare(found: Report, kind: str, rows: int, fewer: int, seed: int) -> None:
    """Apply one kind with both; without memory, which is nearly all that of the frame that both are given."""
    expected, beside = measure(theirs, kind, fewer, seed, prepare=prepared)
    what = f"{expected.shape[1]} {kind}"
    for size in sizes(rows):
        votes, cost = measure(ours, kind, size, seed, prepare=prepared)
        n = min(len(votes), fewer)
        found.check(np.array_equal(votes[:n], expected[:n]), f"{what}: the label matrices differ")
        note = (
            f"equal label matrices, {(expected >= 0).sum():,} votes in {fewer:,} rows" if size == rows else ""
        )
        costs = Cost(cost.seconds), SNORKEL, Cost(beside.seconds)
        found.add(Measured(what, size, *costs, their_size=fewer, note=note, readme=True))


def fill(folder: Path, rows: int, seed: int) -> Path:
    """The posts as a table of an SQLite file; gives the file."""
    path = folder / "data.db"
    with Project(folder, database_url=f"sqlite:///{path}") as project:
        database = project.database
        database.create_table(TABLE, {"id": sa.Text(), TEXT: sa.Text(), LEMMAS: TextList()})
        for start in range(0, rows, CHUNK_ROWS):
            chunk = posts(min(CHUNK_ROWS, rows - start), seed + start)
            chunk.insert(0, "id", [f"p{start + i:09d}" for i in range(len(chunk))])
            database.upsert(TABLE, chunk, ["id"])
    return path


def read_bare(path: Path) -> int:
    """Read ids and lemmas with nothing but sqlite3 and json, chunk by chunk; how many lemmas there are."""
    total = 0
    with closing(sqlite3.connect(path)) as connection:
        cursor = connection.execute(f"SELECT id, {LEMMAS} FROM {TABLE} ORDER BY id")
        while chunk := cursor.fetchmany(CHUNK_ROWS):
            total += sum(map(len, json.loads(f"[{','.join(lemmas for _, lemmas in chunk)}]")))
    return total


def label(found: Report, rows: int, seed: int) -> None:
    """`adaptml label` on whole tables, from the command line."""
    for size in sizes(rows):
        with tempfile.TemporaryDirectory() as folder:
            environment = environment_in(folder)
            path, _ = measure(fill, Path(folder), size, seed)
            _, beside = measure(read_bare, path)
            words = ["-m", "adaptml.cli", "label", "example", "--data", TABLE]
            _, cost = command(words, environment)
        bare = Cost(beside.seconds)  # its memory is that of what this module imports
        found.add(Measured(LABEL, size, cost, READING, bare, readme=True))


def main(
    rows: Rows = 1_000_000,
    snorkel_rows: Annotated[int, typer.Option(min=1, help="Rows that Snorkel labels too.")] = 5_000,
    seed: Annotated[int, typer.Option(help="Seed of the rows.")] = 0,
    to: Json = None,
) -> None:
    """Measure applying labelling functions, and check that the label matrix is Snorkel's."""
    with report("labelling", ABOUT, to, rows) as found:
        for kind in KINDS:
            compare(found, kind, rows, min(snorkel_rows, rows), seed)
        label(found, rows, seed)


if __name__ == "__main__":
    typer.run(main)

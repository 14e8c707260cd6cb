"""How fast the example's labelling functions are applied, beside Snorkel's PandasLFApplier on the same rows.

Ours find keywords as they are written and by lemma. To Snorkel each is given as its users write one: a
function that looks whether a set of words has any of the row's lemmas.

    python benchmarks/labelling.py                       # 1,000,000 rows, both: Snorkel takes minutes
    python benchmarks/labelling.py --rows 20000
    python benchmarks/labelling.py --snorkel-rows 20000  # Snorkel on the first 20,000 only, its rate compared

Both label matrices are compared; a difference ends it with exit code 1.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from snorkel.labeling import LabelingFunction, PandasLFApplier

from adaptml.features.lemmas import lemmatize
from adaptml.tasks import Task, load_task
from dataprogramming.applier import apply_to_frame
from dataprogramming.lfs import load_lfs

REPOSITORY = Path(__file__).resolve().parents[1]
ROWS = 1_000_000


def posts(rows: int, column: str, seed: int) -> pd.DataFrame:
    """`rows` posts drawn from the example's, with their lemmas as a list of text."""
    lines = (REPOSITORY / "example_data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    lemmas = [lemmatize(json.loads(line)["txt"]) for line in lines]
    drawn = np.random.default_rng(seed).integers(0, len(lemmas), rows)
    return pd.DataFrame({column: [list(lemmas[i]) for i in drawn]})


def plain_lf(lf: LabelingFunction) -> LabelingFunction:
    """A keyword LF as a plain function for Snorkel."""
    wanted, column, label = lf.keywords, lf.column, lf.label
    return LabelingFunction(lf.name, lambda x: -1 if wanted.isdisjoint(getattr(x, column)) else label)


def timed(work: Callable[[], npt.NDArray[np.integer]]) -> tuple[npt.NDArray[np.integer], float]:
    """What the work gives and how long it takes, in seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def show(name: str, rows: int, seconds: float) -> None:
    """Print one line of the comparison."""
    print(f"{name:<25}{rows:>9,} rows  {seconds:8.2f} s  {rows / seconds:>11,.0f} rows/s")


def compare(task: Task, lfs: list[LabelingFunction], frame: pd.DataFrame, snorkel_rows: int) -> float:
    """Apply the LFs with both, print the times, and return how many times faster ours is a row.

    Raises:
        SystemExit: the label matrices differ.
    """
    ours, ours_s = timed(lambda: apply_to_frame(lfs, frame, task.labels))
    show("adaptml apply_lfs", len(frame), ours_s)
    part = frame.head(snorkel_rows)
    plain = PandasLFApplier(list(map(plain_lf, lfs)))
    theirs, theirs_s = timed(lambda: plain.apply(part, progress_bar=False))
    show("Snorkel PandasLFApplier", len(part), theirs_s)
    if not np.array_equal(ours[: len(part)], theirs):
        print("the label matrices differ")
        sys.exit(1)
    votes = (theirs >= 0).sum()
    print(f"equal label matrices: {len(part):,} rows, {len(lfs)} labelling functions, {votes:,} votes")
    return (theirs_s / len(part)) / (ours_s / len(frame))


def main(
    rows: Annotated[int, typer.Option(min=1, help="Rows to label.")] = ROWS,
    snorkel_rows: Annotated[
        int, typer.Option(min=0, help="Rows that Snorkel labels too; 0: all of them.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the rows.")] = 0,
) -> None:
    """Measure applying labelling functions, and check that the label matrix is Snorkel's."""
    task = load_task("example", REPOSITORY / "tasks")
    frame = posts(rows, task.lf_features[0], seed)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    ratio = compare(task, load_lfs(task), frame, snorkel_rows or rows)
    print(f"{ratio:.1f} times as fast")


if __name__ == "__main__":
    typer.run(main)

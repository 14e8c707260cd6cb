"""How long it takes to import a CSV file of short texts into SQLite, against pandas' read_csv and to_sql.

    python -m benchmarks.importing [--rows 1000000]

pandas reads all into memory, looks at no id and makes no key.
"""

import csv
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import sqlalchemy as sa
import typer

from adaptml.importing.import_table import import_table
from adaptml.project import Project
from benchmarks.form import Json, Measured, Rows, report, sizes
from benchmarks.measuring import measure

ABOUT = (
    "Short texts from a CSV file into an SQLite table. "
    "pandas reads all into memory, looks at no id and makes no key."
)
TEXT = "the plane was late again thanks for a good flight and why is nobody at gate nine today"
WORDS_A_TEXT = 12
FIRST_ID = 570_306_133_677_760_513


def write_posts(path: Path, rows: int) -> None:
    """A file of posts: an id of 18 digits, a text, a count, a name, a language."""
    rng, words = random.Random(0), TEXT.split()
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "likes", "user", "lang"])
        for i in range(rows):
            text = " ".join(rng.choices(words, k=WORDS_A_TEXT))
            writer.writerow([FIRST_ID + 7 * i, text, rng.randrange(100), f"user{rng.randrange(9999)}", "en"])


def ours(path: Path) -> Sequence[int]:
    """Import it; rows that were new, and rows that were unchanged."""
    with Project(path.parent, database_url=f"sqlite:///{path.parent / 'ours.db'}") as project:
        done = import_table(project, path, "posts")
    return done.new, done.unchanged


def with_pandas(path: Path) -> None:
    """The same file as a table, by pandas alone."""
    engine = sa.create_engine(f"sqlite:///{path.parent / 'pandas.db'}")
    pd.read_csv(path).to_sql("posts", engine, index=False, chunksize=10_000)
    engine.dispose()


def main(rows: Rows = 1_000_000, to: Json = None) -> None:
    """Import, and import again, beside pandas."""
    with report("importing", ABOUT, to, rows) as found:
        for size in sizes(rows):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "posts.csv"
                write_posts(path, size)
                first, cost = measure(ours, path)
                again, unchanged = measure(ours, path)
                _, theirs = measure(with_pandas, path)
            found.check(
                (*first, *again) == (size, 0, 0, size), f"not every row was written: {first}, {again}"
            )
            found.add(Measured("a new file", size, cost, "pandas", theirs, readme=True))
            found.add(Measured("the same file again", size, unchanged, "pandas", theirs))


if __name__ == "__main__":
    typer.run(main)

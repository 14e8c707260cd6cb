"""How long it takes to import a CSV file of short texts into SQLite, against pandas' read_csv and to_sql.

python -m benchmarks.importing [--rows 1000000]

pandas reads all into memory, looks at no id and makes no key.
"""

import argparse
import csv
import random
import re
import resource
import tempfile
import time
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from adaptml.importing.import_table import import_table
from adaptml.project import Project

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


def with_pandas(path: Path, database: Path) -> None:
    """The same file as a table, by pandas alone."""
    engine = sa.create_engine(f"sqlite:///{database}")
    pd.read_csv(path).to_sql("posts", engine, index=False, chunksize=10_000)
    engine.dispose()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "posts.csv"
        write_posts(path, given.rows)
        before_mb = _peak_mb()
        with Project(folder, database_url=f"sqlite:///{folder / 'ours.db'}") as project:
            started = time.process_time()
            done = import_table(project, path, "posts")
            ours = time.process_time() - started
            peak_mb = _peak_mb()
            started = time.process_time()
            again = import_table(project, path, "posts")
            unchanged = time.process_time() - started
        if (done.new, again.unchanged) != (given.rows, given.rows):
            raise SystemExit(f"not every row was written: {done}, then {again}")
        started = time.process_time()
        with_pandas(path, folder / "pandas.db")
        pandas_s = time.process_time() - started
        print(f"{given.rows:,} rows of short texts from CSV into SQLite, CPU time of one process")
        memory = f"peak memory {peak_mb:,.0f} MB, of which {before_mb:,.0f} MB Python and its libraries"
        print(f"  this project  {ours:6.1f} s, {given.rows / ours:,.0f} rows/s, {memory}")
        print(f"  once more     {unchanged:6.1f} s, nothing new")
        ratio = f"ratio {ours / pandas_s:.2f}"
        print(f"  pandas        {pandas_s:6.1f} s, peak memory {_peak_mb():,.0f} MB; {ratio}")


def _peak_mb() -> float:
    """Most memory that this process has held; on Linux without what its parent had when it started it."""
    status = Path("/proc/self/status")
    if status.is_file():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1000  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()

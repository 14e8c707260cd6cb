"""What a changed rule of many costs, or a few changed rows: beside everything anew, and beside bare Python.

    python -m benchmarks.incremental                  # 1,000,000 rows, 20 rules: minutes for everything anew
    python -m benchmarks.incremental --rows 50000
    python -m benchmarks.incremental --url postgresql+psycopg://…  # makes a table `posts` there, and drops it

The rules are regular expressions over short texts in a table, in an SQLite file where no other database is
named. Times are CPU seconds of this process and, of a PostgreSQL on this machine, of the server's; "without
reading" is of this process alone. The hashes of rows, which are made as rows are read, count as reading.
Each label matrix is compared with that of bare Python, which votes anew on rows that have changed; a
difference ends it with exit code 1. Looks at rows and bare scans take turns, and the medians are compared.
"""

import gc
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
import typer

from adaptml.database import Database
from adaptml.features import ranges
from adaptml.project import Project
from benchmarks.form import Json, Measured, Report, Rows, report
from benchmarks.measuring import Cost
from dataprogramming import kept_votes
from dataprogramming.apply import apply_lfs
from dataprogramming.votes import Votes

ROWS, RULES, NEW_ROWS, CHANGED_ROWS = 1_000_000, 20, 1_000, 10
REPETITIONS = 7
T = TypeVar("T")
BARE, SCAN = "bare Python, the rules alone", "a bare scan of ids and texts"
ABOUT = (
    "Votes of regular expressions on short texts brought up to date, where a rule or some rows have changed. "
    "Beside rules stands bare Python and reading is left out; beside rows a scan of the table."
)
INSERTED_ROWS = 10_000  # at once
POSTS = sa.table("posts", sa.column("id"), sa.column("text"))
TASK = """
title: Is it about it?
setting: multiclass
classes: [{name: other}, {name: about}]
columns: [{name: text}]
lf_features: [text]
features: [vector]
"""
LFS = """
import re
from adaptml import labeling_function

def rule(name, pattern):
    search = re.compile(pattern).search

    @labeling_function(name)
    def found(x):
        return "about" if search(x.text) else None

    return found

def get_lfs(params):
    return [rule(f"rule{i}", pattern) for i, pattern in enumerate(PATTERNS)]
"""


def pattern(words: list[str], i: int) -> str:
    """A regular expression of the kind that people write: a few words, some with endings."""
    return rf"(?i)\b({'|'.join(words[8 * i : 8 * i + 8])})(s|ed|ing)?\b"


class Timed:
    """CPU seconds of whole looks, and of the part of them that reads the table."""

    def __init__(self, project: Project) -> None:
        """Time what the project's database reads from now on."""
        self.reading = 0.0
        database: Any = project.database
        database.scan_stored = self.piecewise(database.scan_stored)
        by_range: Any = ranges.RangedTable
        by_range.digests, by_range.read = self.timed(by_range.digests), self.piecewise(by_range.read)
        kept: Any = kept_votes
        kept.row_hashes = self.timed(kept.row_hashes)

    def timed(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, timed as reading."""

        def run(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            done = work(*args, **options)
            self.reading += time.process_time() - start
            return done

        return run

    def piecewise(self, work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """As `timed`, for what comes in pieces."""

        def run(*args: Any, **options: Any) -> Iterator[Any]:
            pieces = work(*args, **options)
            following = self.timed(lambda: next(pieces, None))
            yield from iter(following, None)

        return run

    def votes(self, project: Project) -> tuple[Votes, Cost, Cost]:
        """Apply the labelling functions; gives CPU seconds in all, and without reading."""
        self.reading = 0.0
        look = partial(apply_lfs, project, "bench", "posts", gold=None)
        votes, own, servers = timed(project.database, look)
        return votes, Cost(own + servers), Cost(own - self.reading)


def timed(database: Database, work: Callable[[], T]) -> tuple[T, float, float]:
    """What work gives, and CPU seconds that it takes: of this process, and of a server."""
    before, start = servers_seconds(database), time.process_time()
    done = work()
    own = time.process_time() - start
    return done, own, servers_seconds(database) - before


def servers_seconds(database: Database) -> float:
    """CPU seconds of the server so far, where it is a PostgreSQL on this machine."""
    if database.engine.dialect.name != "postgresql":
        return 0.0
    with database.engine.connect() as connection:
        own = _process(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    if own is None:
        return 0.0
    processes = [_process(int(path.name)) for path in Path("/proc").glob("[0-9]*")]
    ticks = sum(sum(one[11:13]) for one in processes if one is not None and one[1] == own[1])
    ended = _process(own[1]) or [0] * 15
    return (ticks + sum(ended[11:15])) / os.sysconf("SC_CLK_TCK")


def _process(pid: int) -> list[int] | None:
    """What Linux says of a process, from its state on (proc(5)); None where there is none."""
    try:
        _, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return [0, *map(int, numbers)]


def bare(
    database: Database, patterns: list[str], ids: list[str] | None = None
) -> tuple[npt.NDArray[np.int8], Cost]:
    """The label matrix (n, m) of all rows or some by bare Python, and how long its rules alone take."""
    rows = sa.select(POSTS.c.text).order_by(POSTS.c.id)
    with database.engine.connect() as connection:
        texts = connection.scalars(rows if ids is None else rows.where(POSTS.c.id.in_(ids))).all()
    searches = [re.compile(one).search for one in patterns]
    start = time.process_time()
    columns = [[1 if search(text) else -1 for text in texts] for search in searches]
    cost = Cost(time.process_time() - start)
    return np.array(columns, np.int8).T, cost


def scan(database: Database) -> Cost:
    """How long it takes to fetch ids and texts with the database's own driver, by id."""

    def fetch() -> None:
        with closing(database.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT id, text FROM posts ORDER BY id")
            cursor.fetchall()

    _, own, servers = timed(database, fetch)
    return Cost(own + servers)


def make_table(database: Database, rows: int, words: list[str], seed: int) -> None:
    """Short texts by id: 20 words, about 140 characters."""
    draw = random.Random(seed)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE posts (id TEXT PRIMARY KEY, text TEXT)")
        for start in range(0, rows, INSERTED_ROWS):
            numbers = range(start, min(rows, start + INSERTED_ROWS))
            made = [{"id": f"p{i:08d}", "text": " ".join(draw.choices(words, k=20))} for i in numbers]
            connection.execute(sa.insert(POSTS), made)


def add_rows(database: Database, words: list[str]) -> list[str]:
    """NEW_ROWS more, after all others; gives their ids."""
    new = [{"id": f"q{i:08d}", "text": " ".join(words[i % 500 : i % 500 + 20])} for i in range(NEW_ROWS)]
    with database.engine.begin() as connection:
        connection.execute(sa.insert(POSTS), new)
    return [row["id"] for row in new]


def change_rows(database: Database, rows: int, words: list[str], time: int) -> tuple[list[int], list[str]]:
    """Other texts in CHANGED_ROWS rows, each time in others; gives their places, and their ids."""
    places = [i * (rows // CHANGED_ROWS) + time for i in range(CHANGED_ROWS)]
    changed = [
        {"row": f"p{place:08d}", "text": f"{words[i + time]} {words[i]}"} for i, place in enumerate(places)
    ]
    with database.engine.begin() as connection:
        connection.execute(sa.update(POSTS).where(POSTS.c.id == sa.bindparam("row")), changed)
    return places, [row["row"] for row in changed]


def write_rules(folder: Path, patterns: list[str]) -> None:
    """The task's rules."""
    (folder / "lfs.py").write_text(
        "PATTERNS = [\n" + "".join(f'    r"{one}",\n' for one in patterns) + "]\n" + LFS
    )


def main(
    rows: Rows = ROWS,
    rules: Annotated[int, typer.Option(min=2, help="Number of rules.")] = RULES,
    seed: Annotated[int, typer.Option(help="Seed of the texts.")] = 0,
    url: Annotated[
        str | None, typer.Option(help="Database with no table posts; else a new SQLite file.")
    ] = None,
    json: Json = None,
) -> None:
    """Measure a changed rule and changed rows, and check that every label matrix is that of bare Python."""
    gc.freeze()
    gc.set_threshold(50_000)  # as in the command line
    pd.DataFrame({"warm": ["up"]}, dtype=str)
    draw = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(max(5_000, 8 * rules + 8))]
    patterns = [pattern(words, i) for i in range(rules)]
    with report("incremental", ABOUT, json, rows) as found, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        task = folder / "tasks" / "bench"
        task.mkdir(parents=True)
        (task / "task.yaml").write_text(TASK)
        (folder / "workspace").mkdir()
        with Project(folder, database_url=url) as project:
            if sa.inspect(project.database.engine).has_table("posts"):
                raise SystemExit(f"{url} has a table posts already; drop it, or name another database")
            make_table(project.database, rows, words, seed)
            try:
                measure(found, project, task, patterns, pattern(words, rules), words)
            finally:
                with project.database.engine.begin() as connection:
                    connection.exec_driver_sql("DROP TABLE posts")


def measure(
    found: Report, project: Project, task: Path, patterns: list[str], other: str, words: list[str]
) -> None:
    """Everything anew, a second look, a changed rule, changed rows; beside rules, reading is left out."""
    database, differ = project.database, "the label matrices differ"
    timed, rows = Timed(project), database.count("posts")
    write_rules(task, patterns)
    expected, theirs = bare(database, patterns)
    votes, _, anew = timed.votes(project)
    found.check(np.array_equal(votes.L, expected), differ)
    found.add(Measured(f"{len(patterns)} rules anew", rows, anew, BARE, theirs, readme=True))
    found.check(np.array_equal(timed.votes(project)[0].L, expected), differ)

    patterns[-1] = other
    write_rules(task, patterns)
    expected[:, -1:], theirs = bare(database, patterns[-1:])
    votes, _, changed = timed.votes(project)
    found.check(np.array_equal(votes.L, expected), differ)
    what, note = (
        f"1 of {len(patterns)} rules changed",
        f"1/{anew.seconds / changed.seconds:.1f} of everything anew",
    )
    found.add(Measured(what, rows, changed, "bare Python, the changed rule", theirs, note=note, readme=True))

    new = add_rows(database, words)
    places, ids = change_rows(database, rows, words, 0)
    votes, cost, _ = timed.votes(project)
    theirs = scan(database)
    expected[places] = bare(database, patterns, ids)[0]
    expected = np.concatenate([expected, bare(database, patterns, new)[0]])
    found.check(np.array_equal(votes.L, expected), differ)
    assert votes.reuse is not None
    what = f"{NEW_ROWS:,} new and {CHANGED_ROWS} changed rows, with reading"
    found.add(
        Measured(
            what, rows, cost, SCAN, theirs, note=votes.reuse.lines()[0] + scans(cost, theirs), readme=True
        )
    )

    pairs = []
    for time_ in range(1, REPETITIONS + 1):
        places, ids = change_rows(database, rows, words, time_)
        votes, cost, _ = timed.votes(project)
        pairs.append((cost.seconds, scan(database).seconds))
        expected[places] = bare(database, patterns, ids)[0]
        found.check(np.array_equal(votes.L, expected), differ)
    found.add(_medians(f"{CHANGED_ROWS} changed rows, with reading", rows, pairs))
    pairs = [(timed.votes(project)[1].seconds, scan(database).seconds) for _ in range(REPETITIONS)]
    found.add(_medians("nothing changed, with reading", rows, pairs))


def scans(ours: Cost, theirs: Cost) -> str:
    """How many scans a look costs."""
    return f"; {ours.seconds / theirs.seconds:.2f} times a bare scan"


def _medians(what: str, rows: int, pairs: list[tuple[float, float]]) -> Measured:
    """A line of what looks and scans took in turns."""
    ours, theirs = (Cost(statistics.median(seconds)) for seconds in zip(*pairs, strict=True))
    return Measured(what, rows, ours, SCAN, theirs, note=scans(ours, theirs).removeprefix("; "))


if __name__ == "__main__":
    typer.run(main)

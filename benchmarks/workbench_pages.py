"""How soon the pages of data answer on a long table.

    python -m benchmarks.workbench_pages [ROWS] [FOLDER]

makes a table of ROWS rows (10,000,000) in a SQLite file in FOLDER (kept, and taken again), with labels of one
in a hundred of them, and asks the served page for each address in turn: median and worst of 20 answers, in
milliseconds, what the process computed for each, and the memory that it held then. The first answer after the
start is told by itself.
"""

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from adaptml import Project
from adaptml.database import Database, WritebackKind, write_back
from adaptml.database.types import FreeText
from portal.access import Access
from portal.paths import database_path

ROWS, ASKED = 10_000_000, 20
TABLE, TASK = "posts", "spam"
TASK_FILE = """\
title: Is it spam?
setting: multiclass
lf_features: [text]
features: [vector]
classes: [{name: ham}, {name: spam}]
columns: [{name: text, type: text}]
"""
FILL = """
WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < :rows)
INSERT INTO posts (id, text, likes, lang)
SELECT printf('p%09d', n), 'post ' || n || ' about ' || substr('songs money cats trains', 1 + n % 12, 9)
    || ' and what people say of it on a day like this', n % 1000, substr('enfrde', 1 + 2 * (n % 3), 2)
FROM number
"""


def make(folder: Path, rows: int) -> Project:
    """The project with its table, made unless it is there."""
    task = folder / "tasks" / TASK
    task.mkdir(parents=True, exist_ok=True)
    (task / "task.yaml").write_text(TASK_FILE, encoding="utf-8")
    (task / "lfs.py").write_text("def get_lfs(params):\n    return []\n", encoding="utf-8")
    project = Project(folder)
    if project.database.has_table(f"{TASK}_labels"):
        return project
    types: dict[str, TypeEngine[Any]] = {
        "id": sa.Text(),
        "text": FreeText(),
        "likes": sa.Integer(),
        "lang": sa.Text(),
    }
    if not project.database.has_table(TABLE):
        project.database.create_table(TABLE, types)
        with project.database.engine.begin() as connection:
            connection.execute(sa.text(FILL), {"rows": rows})
    label(project.results, project, rows)
    return project


def label(results: Database, project: Project, rows: int) -> None:
    """Write labels of one row in a hundred."""
    for start in range(0, rows, 1_000_000):
        numbers = range(start, min(start + 1_000_000, rows), 100)
        frame = pd.DataFrame({"table_name": TABLE, "id": [f"p{n:09d}" for n in numbers]})
        frame["label"] = [["spam"] if n % 300 else ["ham"] for n in numbers]
        frame["label_probs"] = [[0.3, 0.7] if n % 300 else [0.8, 0.2] for n in numbers]
        write_back(results, project.task(TASK), WritebackKind.LABELS, frame, "run")


def addresses(rows: int) -> dict[str, str]:
    """What is asked, by name."""
    middle = f"p{rows // 2:09d}"
    return {
        "first page": f"/data/{TABLE}",
        "first page, with a task": f"/data/{TABLE}?task={TASK}",
        "a page in the middle": f"/data/{TABLE}?task={TASK}&after={middle}",
        "about how many rows": f"/data/{TABLE}/count",
        "by id": f"/data/{TABLE}?c=id&o=is&v={middle}",
        "a search (as a job)": f"/data/{TABLE}/rows?q=trains",
        "rows with the label ham": f"/data/{TABLE}/rows?task={TASK}&c={quote('@label')}&o=is&v=ham",
        "rows without a label": f"/data/{TABLE}/rows?task={TASK}&c={quote('@label')}&o=is-empty&v=",
        "a column's distribution": f"/data/{TABLE}/distribution?column=text",
        "a point": f"/data/{TABLE}/points/{middle}?task={TASK}",
        "all tables": "/data",
    }


@contextmanager
def served(project: Project) -> Iterator[tuple[str, str, int]]:
    """`adaptml ui` in a process of its own: its address, a cookie of somebody who came in, its number."""
    words = [sys.executable, "-m", "adaptml.cli", "ui", "--no-browser", "--port", "0"]
    access = Access(database_path(project.settings.home))
    with subprocess.Popen(words, cwd=project.settings.root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(line for line in process.stdout if "http" in line)
            address = re.search(r"http://[^/]+", line)
            assert address is not None
            yield address[0], f"{access.cookie_name}={access.enter(access.invite('measure'))}", process.pid
        finally:
            process.terminate()


def asked(url: str, cookie: str) -> float:
    """Milliseconds until the whole answer is there."""
    request = urllib.request.Request(url, headers={"cookie": cookie})
    start = time.perf_counter()
    with urllib.request.urlopen(request) as answer:
        answer.read()
    return 1_000 * (time.perf_counter() - start)


def cpu_ms(process: int) -> float:
    """Milliseconds that a process has computed so far, where the system tells."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return float("nan")
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return 1_000 * (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory_mb(process: int) -> float:
    """What a process holds now, where the system tells."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def main(rows: int, folder: Path) -> None:
    """Make the table, ask, and print."""
    start = time.perf_counter()
    with make(folder, rows) as project, served(project) as (url, cookie, process):
        print(f"{rows:,} rows, there and served after {time.perf_counter() - start:.0f} s")
        print(f"the first answer of all: {asked(f'{url}/data/{TABLE}', cookie):.0f} ms")
        print(f"the process holds {memory_mb(process):.0f} MB")
        for name, address in addresses(rows).items():
            before = cpu_ms(process)
            times = [asked(url + address, cookie) for _ in range(ASKED)]
            cpu = (cpu_ms(process) - before) / ASKED
            said = f"median {statistics.median(times):6.0f}   worst {max(times):6.0f} ms   CPU {cpu:5.0f} ms"
            print(f"{name:26} {said}   {memory_mb(process):.0f} MB")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else ROWS, Path(given[1] if len(given) > 1 else "/tmp/adaptml-pages"))

"""How much sooner several workers are done: regular expressions on rows of SQLite, by one process and by two.

    python -m benchmarks.scale                        # 100,000 rows
    python -m benchmarks.scale --to docs/scale.md     # and what more rows would take, as a table in this file

Seconds are by the clock, unlike those of the other benchmarks: what several processes save is time. Run it
on a machine without other work, with as many cores as workers. The processes of `--workers` are started anew
each time; the scheduler and its workers (TLS on the loopback address) were there before, and warm.
"""

import json as jsonlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer

from adaptml.files import write_text
from adaptml.project import Project
from adaptml.scale.certificates import write_certificates
from benchmarks.form import Json, Measured, Rows, count, report
from benchmarks.measuring import Cost

REPOSITORY = Path(__file__).resolve().parents[1]
N_RULES, WORKERS = 50, 2
LARGE = (10**7, 10**8, 10**9)
MARKS = re.compile(r"(<!-- benchmarks\.scale: begin -->\n).*?(<!-- benchmarks\.scale: end -->)", re.DOTALL)
TASK = """\
title: Which?
setting: multiclass
classes: [one, other]
columns: [{name: txt, type: text}]
lf_features: [txt]
features: [vec]
"""
RULES = """\
import re
from dataprogramming.decorator import labeling_function

def get_lfs(params):
    def rule(word):
        search = re.compile(rf"\\\\b{word}(s|ed|ing)?\\\\b", re.I).search
        return labeling_function(word)(lambda x: "one" if search(x.txt) else None)
    return [rule(word) for word in %r]
"""
Seconds = dict[str, dict[int, float]]  # how → rows → seconds


def main(
    rows: Rows = 100_000,
    json: Json = None,
    to: Annotated[Path | None, typer.Option(help="Write the table of large sizes into this file.")] = None,
) -> None:
    """Measure one process, two of this machine, and one and two workers of a scheduler."""
    about = "Rules applied by several workers. Seconds are by the clock here, not of CPU."
    sizes = sorted({max(1, rows // 10), rows})
    ways = ("one process", f"{WORKERS} processes", "one worker", f"{WORKERS} workers")
    taken: Seconds = {way: {} for way in ways}
    with (
        report("scale", about, json, rows, seconds="time") as found,
        tempfile.TemporaryDirectory() as scratch,
    ):
        project = make_project(Path(scratch), sizes)
        matrices = [vote(project, size, taken["one process"]) for size in sizes]
        for size, alone in zip(sizes, matrices, strict=True):
            shared = vote(project, size, taken[ways[1]], workers=WORKERS)
            found.check(np.array_equal(shared, alone), "the label matrices differ")
        for way, n in zip(ways[2:], (1, WORKERS), strict=True):
            with cluster(Path(scratch), n) as scheduler:
                vote(project, sizes[0], {}, scheduler=scheduler)
                for size, alone in zip(sizes, matrices, strict=True):
                    shared = vote(project, size, taken[way], scheduler=scheduler)
                    found.check(np.array_equal(shared, alone), "the label matrices differ")
        for size in sizes:
            for way, beside in ((ways[1], ways[0]), (ways[2], ways[0]), (ways[3], ways[2])):
                ours, theirs = Cost(taken[way][size]), Cost(taken[beside][size])
                found.add(Measured(f"{N_RULES} regular expressions, {way}", size, ours, beside, theirs))
    if to is not None:
        table = large_sizes(taken, found.conditions())
        text, n = MARKS.subn(rf"\g<1>{table}\g<2>", to.read_text(encoding="utf-8"))
        found.check(n == 1, f"{to} has no place for the table")
        write_text(text, to)


def make_project(folder: Path, sizes: Sequence[int]) -> Project:
    """A table of each size with rows drawn from the example's posts, and rules of their frequent words."""
    lines = (REPOSITORY / "example_data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    posts = [jsonlib.loads(line)["txt"] for line in lines]
    words = Counter(word for post in posts for word in set(re.findall(r"[a-z]{4,}", post.lower())))
    task = folder / "tasks" / "words"
    task.mkdir(parents=True)
    (task / "task.yaml").write_text(TASK, encoding="utf-8")
    (task / "lfs.py").write_text(RULES % [word for word, _ in words.most_common(N_RULES)], encoding="utf-8")
    write_certificates(folder / "secrets")
    project = Project(folder)
    for size in sizes:
        drawn = np.random.default_rng(0).integers(0, len(posts), size)
        ids = [f"p{i:09}" for i in range(size)]
        project.import_table(pd.DataFrame({"id": ids, "txt": [posts[i] for i in drawn]}), f"posts_{size}")
    return project


def vote(
    project: Project, size: int, taken: dict[int, float], *, workers: int = 1, scheduler: str | None = None
) -> npt.NDArray[np.int8]:
    """The label matrix of a table, all computed anew."""
    began = time.perf_counter()
    votes = project.apply_lfs(
        "words", f"posts_{size}", gold=None, fresh=True, workers=workers, scheduler=scheduler
    )
    taken[size] = time.perf_counter() - began
    return votes.L


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler with workers, as a person starts them."""
    with ExitStack() as stack:
        address = stack.enter_context(_running(folder, "scheduler", "tls://127.0.0.1:0")).split()[-1]
        stack.enter_context(_running(folder, "worker", address, "--workers", str(workers)))
        yield address


@contextmanager
def _running(folder: Path, *words: str) -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-m", "adaptml.cli", "scale", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def large_sizes(taken: Seconds, conditions: str) -> str:
    """What large tables would take, along the line through two measured sizes."""
    one, several = taken["one process"], taken[f"{WORKERS} workers"]
    (small, large) = sorted(one)
    head = f"| rows | | one process | {WORKERS} workers | hours of one worker |"
    lines = [head, "|---:|---|---:|---:|---:|"]
    for rows in (small, large, *LARGE):
        alone, shared = (_along(seconds, rows) for seconds in (one, several))
        how = "measured" if rows in one else "extrapolated"
        hours = shared * WORKERS / 3600
        lines.append(f"| {count(rows)} | {how} | {_time(alone)} | {_time(shared)} | {hours:,.2g} |")
    about = f"{N_RULES} regular expressions on the example's posts, label matrix only; {conditions}."
    return "\n".join([*lines, "", about, ""])


def _along(seconds: dict[int, float], rows: int) -> float:
    """Seconds for some rows: as measured, else on the line through the two measured sizes."""
    (small, first), (large, last) = sorted(seconds.items())
    return seconds.get(rows, last + (last - first) / (large - small) * (rows - large))


def _time(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    units = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))
    scale, unit = next((s, u) for s, u in units if seconds >= 2 * s or s == 1)
    return f"{seconds / scale:,.1f} {unit}"


if __name__ == "__main__":
    typer.run(main)

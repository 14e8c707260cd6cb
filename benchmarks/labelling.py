"""How fast labelling functions are applied, and `adaptml label` as a whole.

    python -m benchmarks.labelling                    # `label` on 10,000, 100,000 and 1,000,000 rows
    python -m benchmarks.labelling --rows 10000000    # writes a table of 2 GB, and takes minutes

Rules are applied beside Snorkel's PandasLFApplier, which gets the same rows and the same rules as its users
write them; it takes long, so that it gets fewer rows. The keyword rules are the example's: ours find keywords
as they are written and by lemma, a user of Snorkel looks whether a set of words has any of the row's lemmas.

`label` has the example's keyword rules, the class that one annotator chose for each of 300 posts as gold, and
a table in SQLite whose rows are drawn from the example's posts. Its reference is the bare reading of the
columns that the rules look at, by Python's sqlite3 and json, a row at a time.
"""

import csv
import json as jsonlib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sqlalchemy as sa
import typer
from snorkel.labeling import LabelingFunction, PandasLFApplier
from sqlalchemy.types import TypeEngine

from adaptml.database import TextList
from adaptml.features.lemmas import lemmatize
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import Task, load_task
from benchmarks.form import Json, Measured, Report, Rows, report, sizes
from benchmarks.measuring import measure
from dataprogramming.applier import apply_to_frame
from dataprogramming.decorator import labeling_function
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.label import label
from dataprogramming.lfs import load_lfs

REPOSITORY = Path(__file__).resolve().parents[1]
APPLIED_ROWS = {"keyword rules": 200_000, "regular expressions": 20_000, "plain Python functions": 50_000}
SNORKEL_ROWS = 3_000
GOLD = 300
Prepared = tuple[list[LabelingFunction], pd.DataFrame, Task]
Matrix = npt.NDArray[np.integer]


def main(
    rows: Rows = 1_000_000,
    snorkel_rows: Annotated[int, typer.Option(min=1, help="Rows that Snorkel labels.")] = SNORKEL_ROWS,
    json: Json = None,
) -> None:
    """Measure applying rules beside Snorkel, and `label` beside bare reading."""
    about = "Labelling functions applied, and `adaptml label` as a whole."
    with report("labelling", about, json, rows) as found:
        for kind, n in APPLIED_ROWS.items():
            applied(found, kind, min(n, rows), snorkel_rows)
        for n in sizes(rows):
            labelled(found, n)


def applied(found: Report, kind: str, rows: int, snorkel_rows: int) -> None:
    """One kind of rules, applied by both; the label matrices must be equal."""
    snorkel_rows = min(rows, snorkel_rows)
    ours, cost = measure(apply_ours, kind, rows, prepare=rules_and_posts)
    theirs, snorkel = measure(apply_snorkel, kind, snorkel_rows, prepare=rules_and_posts)
    found.check(np.array_equal(ours[:snorkel_rows], theirs), f"{kind}: the label matrices differ")
    note = f"{ours.shape[1]} rules; label matrices equal"
    line = Measured(kind, rows, cost, "Snorkel's PandasLFApplier", snorkel, snorkel_rows, note, readme=True)
    found.add(line)


def labelled(found: Report, rows: int) -> None:
    """`label` as a whole, beside bare reading."""
    with tempfile.TemporaryDirectory() as scratch:
        make_project(Path(scratch), rows)
        n_read, bare = measure(read_bare, scratch)
        n_points, cost = measure(label_all, scratch)
    found.check(n_read == n_points == rows, "not all rows were read")
    note = f"{cost.seconds / bare.seconds:.1f} times the reading alone"
    found.add(Measured("label as a whole", rows, cost, "bare sqlite3 and json", bare, note=note, readme=True))


def rules_and_posts(kind: str, rows: int) -> Prepared:
    """Rules of a kind, and rows drawn from the example's posts: text, and lemmas as a list."""
    task = load_task("example", REPOSITORY / "tasks")
    posts, lemmas = _posts()
    drawn = np.random.default_rng(0).integers(0, len(posts), rows)
    frame = pd.DataFrame(
        {"txt": [posts[i]["txt"] for i in drawn], "txt_clean_lemma": [list(lemmas[i]) for i in drawn]}
    )
    keyword_lfs = load_lfs(task)
    made: dict[str, Callable[[KeywordLF], LabelingFunction]] = {
        "keyword rules": lambda lf: lf,
        "regular expressions": _regex,
        "plain Python functions": _plain,
    }
    return list(map(made[kind], keyword_lfs)), frame, task


def apply_ours(prepared: Prepared) -> Matrix:
    """The label matrix by this project."""
    lfs, frame, task = prepared
    return apply_to_frame(lfs, frame, task.labels)


def apply_snorkel(prepared: Prepared) -> Matrix:
    """The label matrix by Snorkel, to which functions give numbers and keyword rules are functions."""
    lfs, frame, task = prepared
    numbers = {member.name: int(member) for member in task.labels} | {None: -1}
    made = [LabelingFunction(lf.name, _for_snorkel(lf, numbers)) for lf in lfs]
    found: Matrix = PandasLFApplier(made).apply(frame, progress_bar=False)
    return found


def _for_snorkel(lf: LabelingFunction, numbers: dict[Any, int]) -> Callable[[Any], int]:
    if isinstance(lf, KeywordLF):
        wanted, column = lf.keywords, lf.column
        number = numbers[lf.label] if isinstance(lf.label, str) else int(lf.label)  # type: ignore[arg-type]
        return lambda x: -1 if wanted.isdisjoint(getattr(x, column)) else number
    function = lf._f
    return lambda x: numbers[function(x)]


def _regex(lf: KeywordLF) -> LabelingFunction:
    search = re.compile(rf"\b({'|'.join(map(re.escape, sorted(lf.keywords)))})(s|ed|ing)?\b", re.I).search
    name = _name(lf)
    return labeling_function(lf.name)(lambda x: name if search(x.txt) else None)


def _plain(lf: KeywordLF) -> LabelingFunction:
    words, name = sorted(lf.keywords), _name(lf)
    return labeling_function(lf.name)(lambda x: name if any(word in x.txt for word in words) else None)


def _name(lf: KeywordLF) -> str:
    return lf.label if isinstance(lf.label, str) else getattr(lf.label, "name", str(lf.label))


def _posts() -> tuple[list[dict[str, str]], list[list[str]]]:
    """The example's posts, and their lemmas."""
    lines = (REPOSITORY / "example_data" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    posts = list(map(jsonlib.loads, lines))
    return posts, [lemmatize(post["txt"]) for post in posts]


def make_project(folder: Path, rows: int) -> None:
    """A project with the example's task, multiclass, a table `posts`, and gold on some of it."""
    shutil.copytree(REPOSITORY / "tasks" / "example", folder / "tasks" / "example")
    file = folder / "tasks" / "example" / "task.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("multilabel", "multiclass"), encoding="utf-8")
    posts, lemmas = _posts()
    cells = [jsonlib.dumps(row, ensure_ascii=False) for row in lemmas]
    drawn = np.random.default_rng(0).integers(0, len(posts), rows)
    with Project(folder) as project:
        columns: dict[str, TypeEngine[Any]] = {
            "id": sa.Text(),
            "txt": sa.Text(),
            "txt_clean_lemma": TextList(),
        }
        project.database.create_table("posts", columns, ["id"])
        classes = project.task("example").class_names
        path = str(project.database.engine.url.database)
    (folder / "database").write_text(path, encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection, connection:
        lines = ((f"p{i:08d}", posts[d]["txt"], cells[d]) for i, d in enumerate(drawn.tolist()))
        connection.executemany("INSERT INTO posts (id, txt, txt_clean_lemma) VALUES (?, ?, ?)", lines)
    with (REPOSITORY / "example_data" / "annotator_choices.csv").open(encoding="utf-8") as choices:
        chosen = {line["id"]: line["annotator_1"] for line in csv.DictReader(choices)}
    known = [(f"p{i:08d}", chosen.get(posts[d]["id"])) for i, d in enumerate(drawn[: 10 * GOLD].tolist())]
    gold = [(key, [name]) for key, name in known if name in classes][:GOLD]
    frame = pd.DataFrame(gold, columns=["id", "gold_label"]).assign(table_name="posts")
    write_frame(frame, folder / "gold.parquet")


def label_all(folder: str) -> int:
    """Run `label` on the whole table; how many points it has."""
    with Project(folder) as project:
        return label(project, "example", "posts", gold=str(Path(folder) / "gold.parquet")).n_points


def read_bare(folder: str) -> int:
    """Read the columns that the rules look at, and forget them; how many rows there are."""
    n = 0
    path = (Path(folder) / "database").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path)) as connection:
        for _, cell in connection.execute("SELECT id, txt_clean_lemma FROM posts ORDER BY id"):
            jsonlib.loads(cell)
            n += 1
    return n


if __name__ == "__main__":
    typer.run(main)

"""Import comments into a data table: the public CSV files of the YouTube Spam Collection, or JSON.

    python tasks/youtube_spam/import_comments.py Youtube01-Psy.csv Youtube02-KatyPerry.csv --table youtube

The collection (Alberto, Lochter and Almeida, 2015; UCI Machine Learning Repository, data set 380) has the
columns COMMENT_ID, AUTHOR, DATE, CONTENT and CLASS (1 is spam). JSON is WRENCH's format: a file
`{key: {"data": {"text"}, "label"}}`, or a folder with train.json, valid.json and test.json.
"""

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console

from adaptml.cli.support import run_command
from adaptml.errors import FrameError, listed
from adaptml.frames import write_frame
from adaptml.importing.files import read_rows
from adaptml.project import Project

CSV_COLUMNS = ["COMMENT_ID", "CONTENT"]
CLASSES = {0: "ham", 1: "spam"}
SPLITS = ("train", "valid", "test")
SEED = 1
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True)
class ImportedComments:
    """The result of `import_comments`.

    Attributes:
        comments: comments in the files, each id once.
        new: how many of them the table did not hold before.
        repeated: rows left out because their id is duplicated.
        frames: the frames written: `train` (table_name, id), `valid` and `test` (with gold_label); a
            frame without rows is not written.
    """

    comments: int
    new: int
    repeated: int
    frames: dict[str, Path]


def import_comments(
    project: Project,
    files: Sequence[Path],
    table: str,
    n_gold: int = 150,
    seed: int = SEED,
) -> ImportedComments:
    """Load comments as rows `id`, `txt`, and write the frames that the steps work on.

    `unlabeled_data/<table>.parquet` holds the points to label, `<table>_gold.parquet` beside it those whose
    known class serves as if people had annotated them. A WRENCH folder says itself which are which, and
    its test.json becomes `<table>_test.parquet`; from all other files `n_gold` comments with a known
    class are drawn. The same files and seed give the same frames.

    Args:
        project: holds the database and the home folder.
        files: .csv and .json files, or folders in WRENCH's format.
        table: name of the table; made if it is not there.
        n_gold: how many comments of known class to draw as gold; all where there are fewer.
        seed: of the draw.

    Raises:
        FrameError: a file that is not there or has another form, or no comments in any.
    """
    read = pd.concat([_read(path) for path in files], ignore_index=True)
    if read.empty:
        raise FrameError(f"{listed(files)} holds no comments; give a file with at least one")
    comments = read.drop_duplicates("id").reset_index(drop=True)
    comments["split"] = _drawn(comments, n_gold, seed)
    done = project.import_table(comments[["id", "txt"]], table)
    frames = _write_frames(comments, table, project.settings.unlabeled_data)
    return ImportedComments(len(comments), done.new, len(read) - len(comments), frames)


def _read(path: Path) -> pd.DataFrame:
    """Comments of one file or folder: `id`, `txt`, `label` (class name or None), `split` (text or None)."""
    if path.is_dir():
        parts = [path / f"{split}.json" for split in SPLITS if (path / f"{split}.json").is_file()]
        if not parts:
            raise FrameError(f"folder {path} has no train.json; expected a data set in WRENCH's format")
        return pd.concat([_read_json(part).assign(split=part.stem) for part in parts])
    readers = {".csv": _read_csv, ".json": _read_json}
    if not path.is_file() or path.suffix.lower() not in readers:
        raise FrameError(
            f"{path} is neither a .csv or .json file nor a folder; give the comments in one of these"
        )
    return readers[path.suffix.lower()](path)


def _read_csv(path: Path) -> pd.DataFrame:
    rows = read_rows(path)
    absent = [column for column in CSV_COLUMNS if column not in rows]
    if absent:
        raise FrameError(
            f"{path} has no column {listed(absent)}; expected COMMENT_ID, AUTHOR, DATE, CONTENT and CLASS, "
            f"it has {listed(list(rows), 10)}"
        )
    known = rows.get("CLASS", [None] * len(rows["COMMENT_ID"]))
    return _comments(rows["COMMENT_ID"], rows["CONTENT"], known, path)


def _read_json(path: Path) -> pd.DataFrame:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        texts = [row["data"]["text"] for row in rows.values()]
        labels = [row.get("label") for row in rows.values()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FrameError(
            f'{path} is not {{key: {{"data": {{"text"}}, "label"}}}} in JSON: {error!r}'
        ) from error
    # Each file of a data set counts its rows from 0.
    return _comments([f"{path.stem}-{key}" for key in rows], texts, labels, path)


def _comments(ids: Sequence[str], texts: Sequence[str], labels: Sequence[Any], path: Path) -> pd.DataFrame:
    names = {str(number): name for number, name in CLASSES.items()} | dict.fromkeys(("", "None"))
    unknown = sorted({str(label) for label in labels} - set(names))
    if unknown:
        raise FrameError(f"{path} has the class {listed(unknown)}; expected 0 (ham), 1 (spam) or nothing")
    columns = {
        "id": list(ids),
        "txt": [clean(text) for text in texts],
        "label": [names[str(label)] for label in labels],
        "split": [None] * len(ids),
    }
    return pd.DataFrame(columns, dtype=object)


def clean(text: str) -> str:
    """A comment as its writer saw it: HTML entities and line breaks resolved, byte-order marks taken out."""
    return html.unescape(_BREAK.sub("\n", text)).replace("\ufeff", "").strip()


def _drawn(comments: pd.DataFrame, n_gold: int, seed: int) -> pd.Series:
    """The split of every comment: as its folder says, else `valid` for the drawn ones and `train`."""
    free = comments.index[comments["split"].isna() & comments["label"].notna()].to_numpy()
    gold = np.random.default_rng(seed).choice(free, size=min(n_gold, len(free)), replace=False)
    split = comments["split"].copy()
    split[gold] = "valid"
    return split.fillna("train")


def _write_frames(comments: pd.DataFrame, table: str, folder: Path) -> dict[str, Path]:
    names = {"train": f"{table}.parquet", "valid": f"{table}_gold.parquet", "test": f"{table}_test.parquet"}
    written = {}
    for split, name in names.items():
        rows = comments[comments["split"] == split]
        if split != "train":
            rows = rows[rows["label"].notna()]
        frame = pd.DataFrame({"table_name": table, "id": rows["id"].to_numpy()})
        if split != "train":
            frame["gold_label"] = [[label] for label in rows["label"]]
        if len(frame):
            written[split] = write_frame(frame, folder / name)
    return written


def command(
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON files, or folders in WRENCH's format.")],
    table: Annotated[str, typer.Option(help="Table to load into; made if it is not there.")] = "youtube",
    n_gold: Annotated[int, typer.Option(min=0, help="Comments of known class to set aside as gold.")] = 150,
    seed: Annotated[int, typer.Option(help="The same seed draws the same gold comments.")] = SEED,
) -> None:
    """Load comments into a table and write the frames of points to label and of gold labels.

    Next: `adaptml featurize youtube_spam --data youtube`.
    """
    with Project() as project:
        done = import_comments(project, files, table, n_gold, seed)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    repeated = f", {done.repeated} duplicated ids left out" if done.repeated else ""
    console.print(f"{done.comments} comments in table {table} ({done.new} new{repeated})")
    meanings = {"train": "to label", "valid": "gold", "test": "gold, for the end only"}
    for split, path in done.frames.items():
        console.print(f"{meanings[split]:<23} {path}")
    console.print(f"Next: adaptml featurize youtube_spam --data {table}")


if __name__ == "__main__":
    run_command(command)

"""Load the example use case: 440 posts into the table `example_data`, featurised, and two id frames.

    python -m example_data.example_data_import

The 90 posts that the shipped annotations are about are in the table and in neither frame: labels are
learned from the frames and measured on the annotated posts.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
import sqlalchemy as sa
import typer
from rich.console import Console

from adaptml.cli.support import run_command
from adaptml.features.featurize import Featurized, featurize
from adaptml.frames import write_frame
from adaptml.project import Project
from adaptml.tasks import load_task

FOLDER = Path(__file__).resolve().parent
POSTS = FOLDER / "posts.jsonl"
TABLE = "example_data"
FRAMES = ("multiclass", "multilabel")


@dataclass(frozen=True)
class ExampleData:
    """The result of `import_example_data`.

    Attributes:
        posts: rows of the example in the table.
        new: how many of them the table did not hold before.
        featurized: what featurising did.
        frames: the id frames (table_name, id), by name.
    """

    posts: int
    new: int
    featurized: Featurized
    frames: dict[str, Path]


def import_example_data(project: Project, *, show_progress: bool = False) -> ExampleData:
    """Load the posts, featurise them and write `multiclass.parquet` and `multilabel.parquet`.

    Doing it again changes nothing: posts are known by their ids.

    Args:
        project: holds the database and the home folder.
        show_progress: draw a progress bar.
    """
    posts, settings = read_posts(), project.settings
    project.database.create_table(TABLE, {"id": sa.Text(), "txt": sa.Text()})
    new = project.database.upsert(TABLE, posts[["id", "txt"]], ["id"])
    task = load_task("example", FOLDER.parent / "tasks")
    featurized = featurize(project, task, TABLE, show_progress=show_progress)
    frames = {
        name: write_frame(_keys(posts[posts["frame"] == name]), settings.unlabeled_data / f"{name}.parquet")
        for name in FRAMES
    }
    return ExampleData(len(posts), new, featurized, frames)


def read_posts(path: Path = POSTS) -> pd.DataFrame:
    """The posts: `id`, `txt` and `frame`, which is multiclass, multilabel or annotated."""
    return pd.DataFrame([json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()])


def _keys(posts: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"table_name": TABLE, "id": posts["id"].to_numpy()})


def command(
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Load the example posts into the database that the settings name, with features and id frames."""
    with Project() as project:
        done = import_example_data(project, show_progress=not quiet)
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(f"{done.posts} posts in table {TABLE} ({done.new} new), {done.featurized.rows} featurised")
    for name, path in done.frames.items():
        console.print(f"{name:<11} {path}")
    console.print(f"{'annotations':<11} {FOLDER / 'example_annotations.json'}")


if __name__ == "__main__":
    run_command(command, no_args_is_help=False)

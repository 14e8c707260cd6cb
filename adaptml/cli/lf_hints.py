"""How `adaptml lfs --hints` prints the words that annotators gave."""

import pandas as pd
from rich.console import Console
from rich.table import Table

from adaptml.tasks import Task

MOST_WORDS = 20  # of a class


def print_hints(console: Console, task: Task, found: pd.DataFrame, n: int = MOST_WORDS) -> None:
    """A row per class and word, n of each class; one line where there is none."""
    if found.empty:
        asked = (
            "fetch their annotations: `adaptml annotate pull` or process-annotations"
            if task.feedback
            else "`feedback: true` in the task file asks them"
        )
        console.print(f"no annotator of task {task.name} has marked a word or said what decided: {asked}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("class", "word"):
        table.add_column(heading)
    for heading in ("marked", "in comments", "people"):
        table.add_column(heading, justify="right")
    for heading in ("example", "rules that find it"):
        table.add_column(heading)
    for row in found.groupby("class", sort=False).head(n).to_dict("records"):
        counts = [str(row[name]) for name in ("marked", "commented", "annotators")]
        table.add_row(
            row["class"],
            row["word"],
            *counts,
            f"{row['table_name']}/{row['id']}",
            ", ".join(row["rules"]) or "–",
        )
    console.print(table)
    more = int((found.groupby("class").size() - n).clip(lower=0).sum())
    if more:
        console.print(f"and {more} more words; see them with a larger --n")
    new = int((found["rules"].str.len() == 0).sum())
    console.print(
        f"{new} of {len(found)} words are in no rule yet. Counts are points; a comment counts for what its "
        "author chose."
    )

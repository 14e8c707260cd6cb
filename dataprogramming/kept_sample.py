"""The sample on which rules are looked at: drawn once, so that what changes is due to the rules."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from adaptml.errors import FrameError
from adaptml.files import write_text
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.sampling.core import RANDOM, Source
from adaptml.sampling.mixture import draw_sample
from adaptml.tasks import Task

SAMPLE = 2000
DRAWN_AT_ONCE = 200_000  # rows of a table from which drawing takes no time worth a word
MOST_GROWN = 0.1


@dataclass(frozen=True, eq=False)
class KeptSample:
    """Data points of one table.

    Attributes:
        keys: `table_name`, `id` (n rows).
        n_points: how many the table had when they were drawn.
        digest: names this draw among others.
    """

    keys: pd.DataFrame
    n_points: int
    digest: str


def draw_kept_sample(
    project: Project, task: str | Task, table: str, *, n: int = SAMPLE, seed: int = 0
) -> KeptSample:
    """Draw a sample at random and keep it, in place of the one before.

    The ids are read in chunks: of 10,000,000 rows this takes some ten seconds and little memory.

    Args:
        project: holds the table.
        task: whose rules are looked at.
        table: a data table.
        n: how many points, at least 1; all where the table has fewer.
        seed: the same seed draws the same points.

    Raises:
        FrameError: the table holds no row.
        DatabaseError: no such table.
    """
    task = project.task(task)
    n_points = project.database.count(table)
    if not n_points:
        raise FrameError(f"{table} holds no data point to look at; import some, or choose another table")
    drawn = draw_sample(Source(project.points, table), RANDOM, n, seed)
    keys = drawn.frame[KEYS].sort_values("id", ignore_index=True)
    write_text(json.dumps({"n_points": n_points, "ids": keys["id"].tolist()}), _path(project, task, table))
    return KeptSample(keys, n_points, _digest(keys))


def sample_of_now(project: Project, task: str | Task, table: str) -> KeptSample | None:
    """The sample to look at: the kept one, or where the table has become another one since, a new one.

    It is another one where more than a tenth of its rows came or went, and where the sample held all of its
    rows and any did.

    Args:
        project: holds the table.
        task: whose rules are looked at.
        table: a data table.

    Returns:
        The sample; of a table of more than 200,000 rows the kept one, and None where there is none.

    Raises:
        FrameError, DatabaseError: as `draw_kept_sample`.
    """
    kept = kept_sample(project, task, table)
    if kept is not None and kept.n_points > DRAWN_AT_ONCE:
        return kept
    n_points = project.database.count(table)
    if n_points > DRAWN_AT_ONCE or (kept is not None and not _has_changed(kept, n_points)):
        return kept
    return draw_kept_sample(project, task, table)


def _has_changed(kept: KeptSample, n_points: int) -> bool:
    most = 0 if len(kept.keys) == kept.n_points else MOST_GROWN * kept.n_points
    return abs(n_points - kept.n_points) > most


def kept_sample(project: Project, task: str | Task, table: str) -> KeptSample | None:
    """The sample that was drawn last; None where there is none."""
    path = _path(project, project.task(task), table)
    if not path.is_file():
        return None
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        keys = pd.DataFrame({"table_name": table, "id": said["ids"]}, dtype=str)
        return KeptSample(keys, int(said["n_points"]), _digest(keys))
    except (OSError, ValueError, KeyError, TypeError):  # it can be drawn again
        return None


def _path(project: Project, task: Task, table: str) -> Path:
    return project.settings.workbench(task.name) / f"sample-{quote(table, safe='')}.json"


def _digest(keys: pd.DataFrame) -> str:
    return blake2b("\n".join(keys["id"]).encode(), digest_size=8).hexdigest()

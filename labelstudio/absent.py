"""Parts that a data point lacks: what the labelling page shows in their place.

Label Studio refuses a task without a key that its page names, and null. Empty text would do, and leave people
wondering whether something failed to load; so a note is sent, the task's `meta_info` says in which columns
(`absent`), and reading takes it out again.
"""

from html import escape
from typing import Any
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from adaptml.tasks import Task

_PICTURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="600" height="48">'
    '<text x="40" y="32" font-family="sans-serif" font-size="16" fill="gray">{}</text></svg>'
)


def nothing_in(rows: pd.DataFrame, task: Task) -> npt.NDArray[np.bool_]:
    """In which of the columns that annotators see there is nothing: bool (n, c).

    Args:
        rows: n data points with at least these columns.
        task: shows c columns.
    """
    shown = rows[[column.name for column in task.columns]]
    return np.asarray((shown.isna() | (shown == "")).to_numpy(), dtype=np.bool_)


def notes(task: Task) -> dict[str, Any]:
    """Column → what stands there for a point without it.

    The text `(no NAME)`, or a picture of it. Label Studio plays no note: where a sound is absent there is a
    player without a length, and where a film is, nothing.
    """
    found = {}
    for column in task.columns:
        note = f"(no {column.name})"
        if column.type == "image":
            note = f"data:image/svg+xml,{quote(_PICTURE.format(escape(note)))}"
        found[column.name] = "" if column.type in ("audio", "video") else note
    return found

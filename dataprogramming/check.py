"""A rehearsal of labelling functions: each is run on a few rows before `label` runs it on all."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd
from snorkel.labeling import LabelingFunction

from adaptml.errors import AdaptmlError, LabellingError, TaskError
from adaptml.project import Project
from adaptml.tasks import ABSTAIN, Task
from adaptml.tasks.check import Finding
from dataprogramming.applier import apply_to_frame
from dataprogramming.declared_sets import declared_sets
from dataprogramming.defaults import check_label_defaults
from dataprogramming.keyword_counts import count_keywords, silent_sentence
from dataprogramming.keyword_lfs import KeywordLF
from dataprogramming.lfs import load_lfs
from dataprogramming.voter import lf_features

WHAT = "labelling functions"
TRIED_ROWS = 20


def check_lfs(project: Project, task: str | Task, points: pd.DataFrame | None = None) -> list[Finding]:
    """Load a task's labelling functions and try them.

    Args:
        project: holds the data.
        task: the task, or its name.
        points: data points to try them on (n rows: table_name, id); each LF is run on the first 20 and its
            keywords are looked for in all. None: they are only loaded.

    Returns:
        Findings: how many there are; what each voted, or the line of its file at which it fails; keywords
        that are nowhere.

    Raises:
        TaskError: no such task, or a task file that cannot be read.

    Example:
        >>> adaptml.check_lfs(project, "spam")[0].level
        'ok'
    """
    task = project.task(task)
    try:
        check_label_defaults(task)
    except TaskError as error:
        return [Finding("error", "defaults", str(error))]
    try:
        lfs = load_lfs(task)
    except LabellingError as error:
        return [Finding("error", WHAT, str(error))]
    if points is None:
        return [Finding("ok", WHAT, f"{len(lfs)} loaded, none tried: no data to try them on")]
    try:
        tables = list(map(str, points["table_name"].unique()))
        frame = project.points.read(points, lf_features(project.points, task, tables))
    except AdaptmlError as error:
        return [Finding("error", WHAT, f"{len(lfs)} loaded, none tried: {error}")]
    tried = f"{len(lfs)}, tried on {min(TRIED_ROWS, len(frame))} rows"
    found = [Finding("ok", WHAT, tried), *(_tried(lf, task, frame.head(TRIED_ROWS)) for lf in lfs)]
    return [*found, *_keywords(lfs, frame)]


def _tried(lf: LabelingFunction, task: Task, frame: pd.DataFrame) -> Finding:
    """What one LF votes on a few rows."""
    try:
        votes = apply_to_frame([lf], frame, task.labels, folder=task.folder)[:, 0]
    except LabellingError as error:
        return Finding("error", lf.name, str(error))
    said = declared_sets([lf], task.labels).codes.names(task.class_names)
    counts = Counter(said[vote] for vote in votes[votes != ABSTAIN])
    voted = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return Finding(
        "ok", lf.name, f"{voted}, of {len(votes)} rows" if voted else f"no vote on {len(votes)} rows"
    )


def _keywords(lfs: Sequence[LabelingFunction], frame: pd.DataFrame) -> Iterator[Finding]:
    """Keywords that make their LF vote on no row."""
    hits: dict[str, dict[str, int]] = {}
    for lf in lfs:
        if isinstance(lf, KeywordLF) and lf.column in frame.columns:
            try:
                hits |= count_keywords([lf], frame[lf.column].tolist())
            except LabellingError:
                continue  # told already, when the LF was tried
    sentence = silent_sentence(hits, len(frame))
    if sentence:
        yield Finding("warning", "keywords", sentence)

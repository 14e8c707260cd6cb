"""What a step is made from, as one hash: where it is the same as before, so is what comes out."""

from collections.abc import Set
from pathlib import Path

import pandas as pd

import adaptml
from adaptml.data import Data, read_gold, read_labels
from adaptml.frames import KEYS
from adaptml.project import Project
from adaptml.runs.artifacts import TRAINING_DATA
from adaptml.runs.reuse import Part, fingerprint
from adaptml.tasks import Task


def label_inputs(
    project: Project,
    task: Task,
    data: Data,
    gold: Data,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    fresh: bool = False,
    show_progress: bool = False,
) -> str:
    """Of `label`: the task, its files, and every vote on the points and on gold.

    Votes say all that labels depend on: rows, labelling functions and what these refer to. They are kept, so
    that only new and changed ones are computed, here or in the step itself.

    Args:
        project: holds the data.
        task: the task.
        data: the points to label.
        gold: gold labels.
        workers: processes that apply labelling functions.
        scheduler: address of a scheduler whose workers do that.
        fresh: compute every vote anew.
        show_progress: draw progress bars.

    Raises:
        AdaptmlError: data, gold or labelling functions that cannot be used.
    """
    known = read_gold(project, gold, task)
    parts: list[Part] = ["label", *_task(task, {"train"})]
    for points in [data] if known is None else [data, known.keys]:
        votes = project.apply_lfs(
            task, points, gold=None, workers=workers, scheduler=scheduler, fresh=fresh,
            show_progress=show_progress,
        )  # fmt: skip
        parts += [*votes.lf_names, votes.keys[KEYS], votes.L]
        parts += [str(votes.sets)] if votes.sets else []
    return fingerprint(*parts) if known is None else fingerprint(*parts, known.Y)


def train_inputs(project: Project, task: Task, label_run: str, gold: Data) -> str:
    """Of `train`: the task, its files, the run of `label`, gold, and the features of all these points.

    Args:
        project: holds runs, gold and features.
        task: the task.
        label_run: the run of `label`.
        gold: gold labels.

    Raises:
        AdaptmlError: labels, gold or features that cannot be read.
    """
    known = read_gold(project, gold, task)
    frames = [read_labels(project, label_run, TRAINING_DATA)[KEYS]]
    parts: list[Part] = ["train", *_task(task), label_run]
    if known is not None:
        frames.append(known.keys[KEYS])
        parts += [known.keys[KEYS], known.Y]
    points = pd.concat(frames, ignore_index=True).drop_duplicates(ignore_index=True)
    features = project.points.exact(
        points["table_name"].unique().tolist(), task.train.features or task.features
    )
    return fingerprint(*parts, *map(str, features), project.points.read(points, features))


def _task(task: Task, left_out: Set[str] = frozenset()) -> list[str]:
    """What the task says but for some fields, the code beside it, and the version of ours."""
    said = [adaptml.__version__, task.name, task.model_dump_json(exclude=set(left_out))]
    return said if task.folder is None else [*said, *map(_content, sorted(task.folder.rglob("*.py")))]


def _content(file: Path) -> str:
    return f"{file.name}\n{file.read_text(encoding='utf-8', errors='replace')}"
